import { createHash } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { parseCertificate, parsePem } from '../../src/identity/certificate.ts'
import { context, encode, ia5String, oid, sequence, utf8String } from '../../src/identity/der.ts'
import { extension, toPem } from '../../src/identity/issue.ts'
import { oids } from '../../src/identity/oids.ts'
import { allNames, createAuthority } from '../support/certificates.ts'

const san = (...names: ReturnType<typeof context>[]) => extension(oids.subjectAltName, sequence(...names))

describe('a certificate', () => {
  test('is read with all that matters', () => {
    const root = createAuthority({ name: 'Root' })
    const notAfter = new Date('2050-02-03T04:05:06Z') // GeneralizedTime from 2050 on
    const notBefore = new Date('2026-01-02T03:04:05Z') // UTCTime before
    const names = allNames('fabrikam.com', 'bücher.example')
    const { certificate } = root.issue({
      names,
      commonName: 'Edge',
      notBefore,
      notAfter,
      eku: ['serverAuth', 'any'],
    })
    expect(parseCertificate(certificate)).toMatchObject({
      subject: 'CN=Edge',
      issuer: 'CN=Root',
      fingerprint: createHash('sha256').update(certificate).digest('hex'),
      notBefore,
      notAfter,
      names: {
        dns: ['fabrikam.com', 'b\xfccher.example'], // octet by octet: not a host name
        srv: ['_xmpp-server.fabrikam.com', '_xmpp-server.b\xfccher.example'],
        xmpp: ['fabrikam.com', 'bücher.example'],
      },
      isCa: false,
      pathLength: undefined,
      keyUsage: new Set(['digitalSignature', 'keyEncipherment']),
      extendedKeyUsage: new Set([oids.serverAuth, oids.anyExtendedKeyUsage]),
      nameConstraints: undefined,
      unknownCritical: undefined,
      isStronglySigned: true,
    })
  })

  test('of a CA is read with what it may do', () => {
    const { certificate } = createAuthority({
      pathLength: 3,
      nameConstraints: {
        permitted: { dns: ['A.example'] },
        excluded: { dns: ['b.a.example'], email: ['c'] },
      },
    })
    expect(parseCertificate(certificate)).toMatchObject({
      isCa: true,
      pathLength: 3,
      keyUsage: new Set(['keyCertSign', 'cRLSign']),
      nameConstraints: { permitted: ['a.example'], excluded: ['b.a.example'], otherForms: new Set([1]) },
    })
  })

  test('bears no name in a string type that its RFC does not know', () => {
    const other = (id: string, value: ReturnType<typeof ia5String>) =>
      context(0, [oid(id), context(0, [value])])
    const { certificate } = createAuthority().issue({
      extensions: [
        san(
          other(oids.xmppAddr, ia5String('fabrikam.com')),
          other(oids.srvName, utf8String('_xmpp-server.fabrikam.com')),
          other('1.2.3.4', utf8String('fabrikam.com')),
        ),
      ],
    })
    expect(parseCertificate(certificate).names).toEqual({ dns: [], srv: [], xmpp: [] })
  })

  test('is refused with an extension that comes twice', () => {
    const { certificate } = createAuthority().issue({
      extensions: [san(context(2, 'a.example')), san(context(2, 'b.example'))],
    })
    expect(() => parseCertificate(certificate)).toThrow(
      'malformed certificate: extension 2.5.29.17 comes twice',
    )
  })

  test.each([
    [
      'an XmppAddr that is not UTF-8',
      san(context(0, [oid(oids.xmppAddr), context(0, [latin1InUtf8String()])])),
    ],
    ['a dNSName made of parts', san(context(2, [ia5String('a.example')]))],
    ['a name outside a list', extension(oids.subjectAltName, ia5String('a.example'))],
    ['key usage that is no bit string', extension(oids.keyUsage, ia5String('all'))],
    ['a purpose that is no identifier', extension(oids.extendedKeyUsage, sequence(ia5String('any')))],
    ['constraints of no kind', extension(oids.nameConstraints, sequence(context(5, [])))],
  ])('is refused with %s', (_, malformed) => {
    const { certificate } = createAuthority().issue({
      isCa: 'absent',
      keyUsage: 'absent',
      eku: 'absent',
      extensions: [malformed],
    })
    expect(() => parseCertificate(certificate)).toThrow(/^malformed certificate: /)
  })

  test('is refused when it names two signature algorithms', () => {
    const { certificate } = createAuthority()
    const sha256 = encode(oid(oids.ecdsaWithSha256))
    const changed = Buffer.from(certificate)
    encode(oid(oids.ecdsaWithSha512)).copy(changed, changed.indexOf(sha256))
    expect(() => parseCertificate(changed)).toThrow('malformed certificate: two signature algorithms')
  })

  test('is refused in PEM, where DER is asked for', () => {
    const { certificatePem } = createAuthority()
    expect(() => parseCertificate(Buffer.from(certificatePem))).toThrow(/^malformed certificate: /)
  })

  test('is refused with octets behind it', () => {
    const { certificate } = createAuthority()
    expect(() => parseCertificate(Buffer.concat([certificate, Buffer.of(0)]))).toThrow(
      /^malformed certificate: /,
    )
  })

  test('is refused wherever it is cut off', () => {
    const { certificate } = createAuthority().issueFor('fabrikam.com')
    for (let length = 0; length < certificate.length; length++)
      expect(() => parseCertificate(certificate.subarray(0, length))).toThrow(/^malformed certificate: /)
  })

  test('with any one octet changed is refused in words, or read', () => {
    const { certificate } = createAuthority().issueFor('fabrikam.com')
    const outcomes = certificate.map((octet, index) => {
      const changed = Buffer.from(certificate)
      changed[index] = octet ^ 0x21
      try {
        return parseCertificate(changed).der.equals(changed) ? 1 : 2
      } catch (error) {
        return String(error).startsWith('Error: malformed certificate: ') ? 0 : 3
      }
    })
    expect(new Set(outcomes)).toEqual(new Set([0, 1]))
  })

  test('from every public CA is read', () => {
    const roots = rootCertificates.flatMap(parsePem)
    expect(roots).toHaveLength(rootCertificates.length)
    expect(roots.filter(({ isCa, unknownCritical }) => !isCa || unknownCritical !== undefined)).toEqual([])
  })
})

describe('a PEM text', () => {
  const { certificate } = createAuthority()

  test('gives its certificates in order, and passes over what else is there', () => {
    const other = createAuthority({ name: 'Other' })
    const text = `# notes\r\n${toPem(certificate).replaceAll('\n', '\r\n')}${other.keyPem}text\n${other.certificatePem}`
    expect(parsePem(text).map(({ der }) => der)).toEqual([certificate, other.certificate])
  })

  test('without certificates gives none', () => {
    expect(parsePem('')).toEqual([])
  })

  test.each([
    ['broken', toPem(certificate.subarray(0, 90))],
    ['with a stray character', toPem(certificate).replace('\nM', '\n*')],
    ['without its end', toPem(certificate).replace('-----END CERTIFICATE-----', '')],
  ])('with a certificate %s is refused, and its number told', (_name, broken) => {
    expect(() => parsePem(toPem(certificate) + broken)).toThrow(/^certificate 2: malformed certificate: /)
  })
})

function latin1InUtf8String() {
  const value = utf8String('')
  value.value = 'b\xfccher.example'
  return value
}
