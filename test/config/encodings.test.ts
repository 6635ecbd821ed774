import { execFileSync } from 'node:child_process'
import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'
import { openssl } from '../support/openssl.ts'

const below = createAuthority().intermediate()
const { certificate, certificatePem, chainPem, keyPem, keyPair } = below.issueFor('contoso.com')

/** A configuration that names `certs/it` as certificate or key; `made` makes that file from those beside it. */
function folderWith(wanted: 'certificate' | 'key', made: (at: ConfigFolder['at']) => void): ConfigFolder {
  const named = { certificate: 'good.crt', key: 'good.key', [wanted]: 'it' }
  const folder = configFolder({
    'config/gatehouse.yaml': `domains:
  contoso.com:
    certificate: ../certs/${named.certificate}
    key: ../certs/${named.key}
internal: { connector: embedded }
`,
    'certs/good.crt': chainPem,
    'certs/good.key': keyPem,
  })
  made(folder.at)
  chmodSync(folder.at('certs/it'), 0o600)
  return folder
}

const request = (at: ConfigFolder['at']) =>
  openssl('req', '-new', '-subj', '/CN=x', '-key', at('certs/good.key'))
const pkcs7 = (at: ConfigFolder['at']) => openssl('crl2pkcs7', '-nocrl', '-certfile', at('certs/good.crt'))
const pkcs12 = (at: ConfigFolder['at']) =>
  void openssl(
    ...['pkcs12', '-export', '-passout', 'pass:sesame', '-inkey', at('certs/good.key')],
    ...['-in', at('certs/good.crt'), '-out', at('certs/it')],
  )
const derOf = (pem: string) => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64')
const write = (at: ConfigFolder['at'], content: string | Buffer) => writeFileSync(at('certs/it'), content)

describe('a certificate or key that is no PEM', () => {
  test.each<[string, 'certificate' | 'key', (at: ConfigFolder['at']) => void, RegExp]>([
    ['DER', 'certificate', at => write(at, certificate), /it is a certificate in DER/],
    [
      'DER of PKCS #7',
      'certificate',
      at => write(at, derOf(pkcs7(at))),
      /it is a PKCS #7 chain of certificates in DER/,
    ],
    ['PKCS #7', 'certificate', at => write(at, pkcs7(at)), /it is a PKCS #7 chain of certificates,/],
    [
      'PKCS #7 as Windows labels it',
      'certificate',
      at => write(at, pkcs7(at).replaceAll('PKCS7', 'CERTIFICATE')),
      /it is a PKCS #7 chain of certificates by another label/,
    ],
    ['PKCS #12', 'certificate', pkcs12, /it is a PKCS #12 store of certificates and keys in DER/],
    [
      'an old label',
      'certificate',
      at => write(at, certificatePem.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE')),
      /it is a certificate by another label/,
    ],
    [
      'UTF-16',
      'certificate',
      at => write(at, Buffer.from(`\ufeff${certificatePem}`, 'utf16le')),
      /it is a text in UTF-16/,
    ],
    [
      'PKCS #8 in DER',
      'key',
      at => write(at, keyPair.privateKey.export({ type: 'pkcs8', format: 'der' })),
      /it is a private key in DER/,
    ],
    [
      'SEC 1 in DER',
      'key',
      at => write(at, keyPair.privateKey.export({ type: 'sec1', format: 'der' })),
      /it is a private key in DER/,
    ],
    ['PKCS #12', 'key', pkcs12, /it is a PKCS #12 store of certificates and keys in DER/],
  ])('is named, and the command told that makes it PEM: %s for a %s', (_name, wanted, made, expected) => {
    const folder = folderWith(wanted, made)
    const [problem = '', ...others] = folder.problems()
    expect(others).toEqual([])
    expect(problem).toMatch(expected)
    const [, command = ''] = /, of which this makes PEM: (.*)$/.exec(problem) ?? []
    execFileSync('/bin/sh', ['-c', command.replace('pkcs12', 'pkcs12 -passin pass:sesame')], {
      cwd: folder.at('certs'),
      stdio: 'ignore',
    })
    renameSync(folder.at('certs/it.pem'), folder.at('certs/it'))
    expect(folder.problems().filter(told => / error /.test(told))).toEqual([])
  })

  test.each<[string, 'certificate' | 'key', (at: ConfigFolder['at']) => void, RegExp]>([
    ['a request', 'certificate', at => write(at, derOf(request(at))), /it is a request for a certificate \(/],
    [
      'a request in PEM',
      'certificate',
      at => write(at, request(at)),
      /it is a request for a certificate \(.*back\)$/,
    ],
    ['a key', 'certificate', at => write(at, keyPem), /it is a private key$/],
    ['a certificate', 'key', at => write(at, certificatePem), /it is a certificate$/],
    [
      'a broken key',
      'key',
      at => write(at, keyPem.replace(/M[A-Za-z0-9+/]{9}/, '')),
      /the private key in it is damaged$/,
    ],
    ['anything else', 'certificate', at => write(at, '0\u0001garbage'), /\(-----BEGIN CERTIFICATE-----\)$/],
  ])('is named where no command helps: %s for a %s', (_name, wanted, made, expected) => {
    expect(folderWith(wanted, made).problems()).toEqual([expect.stringMatching(expected)])
  })
})
