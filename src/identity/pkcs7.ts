import { type Certificate, parseCertificate } from './certificate.ts'
import { decode, encode, isContext, members, readOid } from './der.ts'
import { oids } from './oids.ts'

/**
 * Reads the certificates in PKCS #7 (RFC 2315 §9.1), which are a set: their order means nothing.
 * @throws {Error} for what is no DER, holds something else, or a malformed certificate
 */
export function parsePkcs7(der: Buffer): Certificate[] {
  const [type, wrapped] = members(decode(der))
  if (readOid(type) !== oids.signedData) throw new Error('PKCS #7 without certificates')
  const set = members(members(wrapped)[0]).find(field => isContext(field, 0))
  const found = set === undefined ? [] : members(set).map(value => parseCertificate(encode(value)))
  if (found.length === 0) throw new Error('PKCS #7 without certificates')
  return found
}
