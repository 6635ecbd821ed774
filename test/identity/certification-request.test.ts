import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CertificationRequest, certificationRequest } from '../../src/identity/certification-request.ts'
import { toPem } from '../../src/identity/issue.ts'
import { openssl } from '../support/openssl.ts'

const keys = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'RSA 2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

const nobody: CertificationRequest['subject'] = {
  country: undefined,
  state: undefined,
  city: undefined,
  organization: undefined,
  unit: undefined,
  commonName: undefined,
}

/** A file with a request, as OpenSSL reads it. */
function requestFile(wish: Partial<CertificationRequest> = {}, kind: keyof typeof keys = 'P-256'): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-request-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const request = { subject: nobody, names: { dns: ['a.example'] }, friendlyName: undefined, ...wish }
  const file = join(folder, 'request.csr')
  writeFileSync(file, toPem(certificationRequest({ ...request, ...keys[kind]() }), 'CERTIFICATE REQUEST'))
  return file
}

const text = (file: string): string => openssl('req', '-in', file, '-verify', '-noout', '-text')

describe('a certification request', () => {
  test.each([
    ['P-256', 'ASN1 OID: prime256v1', 'Digital Signature'],
    ['P-384', 'ASN1 OID: secp384r1', 'Digital Signature'],
    ['RSA 2048', 'Public-Key: (2048 bit)', 'Digital Signature, Key Encipherment'],
  ] as const)('with %s is verified by OpenSSL', (kind, key, usage) => {
    const shown = text(requestFile({}, kind))
    expect(shown).toMatch(/self-signature verify OK/)
    expect(shown).toContain(key)
    expect(shown).toContain(`X509v3 Key Usage: critical\n                    ${usage}\n`)
  })

  test('asks for the purposes of a server and of a client, and to be no authority', () => {
    const shown = text(requestFile())
    expect(shown).toContain('TLS Web Server Authentication, TLS Web Client Authentication')
    expect(shown).toContain('CA:FALSE')
  })

  test('bears the names in their three forms', () => {
    const shown = text(
      requestFile({
        names: {
          dns: ['a.example', '*.b.example'],
          srv: ['_xmpp-server.a.example'],
          xmpp: ['bücher.example'],
        },
      }),
    )
    expect(shown).toMatch(
      /DNS:a\.example, DNS:\*\.b\.example, othername: ?SRVName::?_xmpp-server\.a\.example, othername: ?XmppAddr::?bücher\.example\n/,
    )
  })

  test('bears the subject, in the order in which names are written', () => {
    const subject = {
      country: 'DE',
      state: 'Bayern',
      city: 'München',
      organization: 'Contoso AG',
      unit: 'IT, Netze',
      commonName: 'contoso.com',
    }
    const file = requestFile({ subject })
    expect(
      openssl('req', '-in', file, '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8').trim(),
    ).toBe('subject=CN=contoso.com,OU=IT\\, Netze,O=Contoso AG,L=München,ST=Bayern,C=DE')
    // RFC 5280 appendix A: the country, alone of them, is a PrintableString.
    expect(openssl('asn1parse', '-in', file)).toMatch(/PRINTABLESTRING +:DE\n/)
  })

  test('has an empty name where there is nothing to say', () => {
    expect(openssl('req', '-in', requestFile(), '-noout', '-subject', '-nameopt', 'RFC2253').trim()).toBe(
      'subject=',
    )
  })

  test('bears the friendly name (RFC 2985 §5.5.1) as an attribute, in DER order', () => {
    const file = requestFile({ friendlyName: 'Edge ü' })
    expect(openssl('asn1parse', '-in', file)).toMatch(
      /:friendlyName\s[\s\S]*BMPSTRING[\s\S]*:Extension Request/,
    )
    const octets = Buffer.from(readFileSync(file, 'utf8').replace(/-----.*-----/g, ''), 'base64')
    expect(octets.includes(Buffer.from('Edge ü', 'utf16le').swap16())).toBe(true)
    expect(text(file)).toMatch(/verify OK/)
  })

  test('has no friendly name unless one is given', () => {
    expect(openssl('asn1parse', '-in', requestFile())).not.toContain('friendlyName')
  })
})
