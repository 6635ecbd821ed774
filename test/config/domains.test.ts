import { generateKeyPairSync } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createAuthority, createSelfSigned } from '../support/certificates.ts'
import { configFolder } from '../support/config-folder.ts'

const { certificatePem, keyPem } = createAuthority().issueFor('contoso.com')

/** A configuration whose `domains` section is these lines, with a good certificate and key to name. */
function folderWith(domains: string, files: Readonly<Record<string, string>> = {}) {
  return configFolder({
    'config/gatehouse.yaml': `domains:\n${domains}\ninternal: { connector: embedded }\n`,
    'certs/good.crt': certificatePem,
    'certs/good.key': keyPem,
    ...files,
  })
}

const named = (certificate: string, key: string): string =>
  `  contoso.com:\n    certificate: ../certs/${certificate}\n    key: ../certs/${key}`

describe('a local domain', () => {
  test.each([
    ['  {}', '1:1 error domains: expected at least one local domain'],
    ['  contoso.com:', '2:3 error domains.contoso.com: expected a mapping of certificate, key, selfSigned'],
    ['  contoso.com: {}', '2:3 error domains.contoso.com: expected certificate and key, or selfSigned: true'],
    [
      '  contoso.com: { selfSigned: false }',
      '2:3 error domains.contoso.com: expected certificate and key, or',
    ],
    ['  contoso.com: { certificate: ../certs/good.crt }', '2:3 error domains.contoso.com: key is required'],
    ['  contoso.com: { key: ../certs/good.key }', '2:3 error domains.contoso.com: certificate is required'],
    [
      `${named('good.crt', 'good.key')}\n    selfSigned: true`,
      '5:5 error domains.contoso.com.selfSigned: expected either',
    ],
    ['  "not a domain": { selfSigned: true }', '2:3 error domains.not a domain: expected a domain name'],
    [
      '  münchen.example: { selfSigned: true }\n  XN--MNCHEN-3YA.example: { selfSigned: true }',
      '3:3 error domains.XN--MNCHEN-3YA.example: is the same domain as münchen.example',
    ],
    [
      named('none.crt', 'good.key'),
      '3:5 error domains.contoso.com.certificate: cannot read ../certs/none.crt: no such',
    ],
    [
      named('good.crt', 'none.key'),
      '4:5 error domains.contoso.com.key: cannot read ../certs/none.key: no such file',
    ],
    [
      named('good.key', 'good.key'),
      '3:5 error domains.contoso.com.certificate: ../certs/good.key holds no PEM cert',
    ],
    [
      named('good.crt', 'good.crt'),
      '4:5 error domains.contoso.com.key: ../certs/good.crt holds no PEM private key',
    ],
  ])('is refused with the reason: %s', (domains, expected) => {
    expect(folderWith(domains).problems()).toContainEqual(
      expect.stringContaining(`gatehouse.yaml:${expected}`),
    )
  })

  test('is refused with a key that is not the certificate’s', () => {
    const other = createAuthority().issueFor('contoso.com')
    const folder = folderWith(named('good.crt', 'other.key'), { 'certs/other.key': other.keyPem })
    expect(folder.problems()).toEqual([
      expect.stringMatching(/^gatehouse.yaml:4:5 error .*other.key is not the key of .*good.crt/),
    ])
  })

  test('is refused with a key that needs a passphrase, and with a damaged certificate', () => {
    const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'sesame',
    })
    const folder = folderWith(named('damaged.crt', 'encrypted.key'), {
      'certs/encrypted.key': String(encrypted),
      'certs/damaged.crt': `${certificatePem}${certificatePem.replace(/[A-Za-z0-9+/]{40}/, '')}`,
    })
    expect(folder.problems()).toEqual([
      expect.stringContaining('certificate 2 in ../certs/damaged.crt is damaged'),
      expect.stringContaining('encrypted.key is encrypted; give a key without a passphrase'),
    ])
  })

  test('with a key that everybody can read gets a warning', () => {
    const folder = folderWith(named('good.crt', 'good.key'))
    expect(folder.problems()).toEqual([])
    chmodSync(folder.at('certs/good.key'), 0o644)
    expect(folder.problems()).toEqual([
      expect.stringMatching(
        /^gatehouse.yaml:4:5 warning .*good.key is open to every user .*mode 0644.*chmod 600/,
      ),
    ])
  })
})

describe('a local domain whose TLS would not start', () => {
  test('is refused at its place: the key is too short', () => {
    const weak = createAuthority().issueFor('contoso.com', { key: 'rsa1024' })
    const folder = folderWith(named('weak.crt', 'weak.key'), {
      'certs/weak.crt': weak.certificatePem,
      'certs/weak.key': weak.keyPem,
    })
    expect(folder.problems()).toEqual([
      expect.stringMatching(
        /^gatehouse.yaml:3:5 error domains\.contoso\.com\.certificate: TLS refuses \S+weak\.crt .*: ee key too small;/,
      ),
    ])
  })
})

describe('a file of certificates', () => {
  test('gets a warning when it holds a private key too, and everybody can read it', () => {
    const folder = folderWith(named('both.pem', 'good.key'), { 'certs/both.pem': certificatePem + keyPem })
    expect(folder.problems()).toEqual([])
    chmodSync(folder.at('certs/both.pem'), 0o644)
    chmodSync(folder.at('certs/good.key'), 0o640)
    expect(folder.problems()).toEqual([
      expect.stringMatching(/^gatehouse.yaml:3:5 warning .*\.certificate: .*both\.pem is open .*mode 0644/),
    ])
  })
})

describe('a self-signed domain', () => {
  const self = createSelfSigned({ names: { dns: ['contoso.com'] } })
  const folderOf = (files: { readonly crt?: string; readonly key?: string }) =>
    configFolder({
      ...(files.crt === undefined ? {} : { 'certs/contoso.com.crt': files.crt }),
      ...(files.key === undefined ? {} : { 'certs/contoso.com.key': files.key }),
    })
  const warned = /^gatehouse.yaml:2:18 warning domains\.contoso\.com\.selfSigned: partners that ask/
  const loaded = (folder: ReturnType<typeof folderOf>) => [...folder.load().domains.values()]

  test('has the files that are there', () => {
    const folder = folderOf({ crt: self.certificatePem, key: self.keyPem })
    expect(folder.problems()).toEqual([expect.stringMatching(warned)])
    expect(loaded(folder)).toMatchObject([
      {
        certificate: { path: folder.at('certs/contoso.com.crt'), pem: self.certificatePem },
        key: { path: folder.at('certs/contoso.com.key'), pem: self.keyPem },
      },
    ])
  })

  test('has a certificate made from the key that is there alone', () => {
    const folder = folderOf({ key: keyPem })
    expect(loaded(folder)).toMatchObject([{ certificate: undefined, directory: folder.at('certs') }])
  })

  test.each<[string, { readonly crt?: string; readonly key?: string }, RegExp]>([
    [
      'another key',
      { crt: self.certificatePem, key: keyPem },
      /contoso\.com\.key is not the key of \S+contoso\.com\.crt/,
    ],
    [
      'no key',
      { crt: self.certificatePem },
      /contoso\.com\.crt is there, and its key \S+contoso\.com\.key is not: put/,
    ],
    ['garbage for a certificate', { crt: 'x', key: keyPem }, /contoso\.com\.crt holds no PEM certificate/],
    [
      'garbage for a key',
      { crt: self.certificatePem, key: 'x' },
      /contoso\.com\.key holds no PEM private key/,
    ],
    ['garbage for a key alone', { key: 'x' }, /contoso\.com\.key holds no PEM private key/],
    [
      'a key alone of which no certificate is made',
      { key: createSelfSigned({ key: 'ed25519' }).keyPem },
      /contoso\.com\.key is there without its certificate, and none is made from such a key/,
    ],
  ])('is refused with %s', (_name, files, expected) => {
    const problems = folderOf(files).problems()
    expect(problems.filter(problem => / error /.test(problem))).toEqual([
      expect.stringMatching(/^gatehouse.yaml:2:18 error domains\.contoso\.com\.selfSigned: /),
    ])
    expect(problems).toContainEqual(expect.stringMatching(expected))
  })

  test('is warned of a key that everybody can read, and of the certificate of an authority', () => {
    const folder = folderOf({ crt: certificatePem, key: keyPem })
    chmodSync(folder.at('certs/contoso.com.key'), 0o644)
    expect(folder.problems()).toEqual([
      expect.stringMatching(/:2:18 warning .*contoso\.com\.crt is an authority's: name it by certificate/),
      expect.stringMatching(/:2:18 warning .*contoso\.com\.key is open to every user/),
    ])
  })
})

describe('a secret in a file', () => {
  const secretConfig =
    'domains: { contoso.com: { certificate: ../certs/good.crt, key: ../certs/good.key } }\n' +
    'internal: { connector: component, secret: { file: ../certs/s } }\n'
  const files = {
    'config/gatehouse.yaml': secretConfig,
    'certs/good.crt': certificatePem,
    'certs/good.key': keyPem,
  }

  test('is read without the white space at its end', () => {
    const folder = configFolder({ ...files, 'certs/s': ' sesame \r\n\n' })
    expect(folder.load().internal).toMatchObject({ secret: ' sesame' })
  })

  test('is warned of when everybody can read it, and not shown', () => {
    const folder = configFolder({ ...files, 'certs/s': 'sesame' })
    chmodSync(folder.at('certs/s'), 0o604)
    expect(folder.problems()).toEqual([
      expect.stringMatching(/^gatehouse.yaml:2:35 warning internal.secret: .*mode 0604/),
    ])
    expect(folder.problems().join()).not.toContain('sesame')
  })

  test('is missed when the file is empty', () => {
    const folder = configFolder({ ...files, 'certs/s': '\n' })
    expect(folder.problems()).toEqual([expect.stringContaining('internal.secret: ../certs/s is empty')])
  })
})
