import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../src/identity/certificate.ts'
import { context, encode, integer, oid, sequence, set } from '../../src/identity/der.ts'
import { oids } from '../../src/identity/oids.ts'
import { parsePkcs7 } from '../../src/identity/pkcs7.ts'
import { createAuthority } from '../support/certificates.ts'
import { pkcs7Of } from '../support/openssl.ts'

const authority = createAuthority()
const leaf = authority.issueFor('contoso.com')

describe('PKCS #7', () => {
  test('gives the certificates that OpenSSL has put into it', () => {
    const found = parsePkcs7(pkcs7Of(leaf.certificatePem + authority.certificatePem))
    expect(found.map(({ fingerprint }) => fingerprint).toSorted()).toEqual(
      [leaf, authority].map(({ certificate }) => parseCertificate(certificate).fingerprint).toSorted(),
    )
  })

  test.each([
    ['no DER', Buffer.from('nothing')],
    ['a certificate', leaf.certificate],
    ['other content', encode(sequence(oid('1.2.840.113549.1.7.1'), context(0, [sequence()])))],
    [
      'no certificate in it',
      encode(sequence(oid(oids.signedData), context(0, [sequence(integer(Buffer.of(1)), set())]))),
    ],
    [
      'a broken certificate in it',
      encode(sequence(oid(oids.signedData), context(0, [sequence(context(0, [sequence()]))]))),
    ],
  ])('is refused: %s', (_name, der) => {
    expect(() => parsePkcs7(der)).toThrow(Error)
  })

  test('of which anything is cut off is refused', () => {
    const der = pkcs7Of(leaf.certificatePem)
    for (let length = 0; length < der.length; length += 7)
      expect(() => parsePkcs7(der.subarray(0, length))).toThrow(Error)
  })
})
