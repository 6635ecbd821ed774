import {
  content,
  context,
  type Der,
  decode,
  encode,
  isContext,
  isUniversal,
  members,
  readOid,
} from './der.ts'
import { type CertificateExtensions, readExtensions } from './extensions.ts'
import { oids } from './oids.ts'

/** What a request asks to be certified (PKCS #10, RFC 2986); nothing in it has been verified. */
export type Requested = Pick<CertificateExtensions, 'names' | 'extendedKeyUsage'> & {
  /** For people. */
  readonly subject: string
  /** SubjectPublicKeyInfo, in DER. */
  readonly publicKey: Buffer
}

/**
 * Reads a request for a certificate.
 * @throws {Error} for anything that is none
 */
export function parseRequest(der: Buffer): Requested {
  const [info] = members(decode(der))
  const [, subject, publicKey, attributes] = members(info)
  if (publicKey === undefined || !isContext(attributes, 0)) throw new Error('a field is missing')
  const asked = members(attributes)
    .map(attribute => members(attribute))
    .find(([id]) => readOid(id) === oids.extensionRequest)
  const extensions = asked && members(asked[1])[0]
  const { names, extendedKeyUsage } = readExtensions(extensions && context(3, [extensions]))
  return { subject: nameFor(subject), publicKey: encode(publicKey), names, extendedKeyUsage }
}

const shortNames: Readonly<Record<string, string>> = {
  [oids.commonName]: 'CN',
  [oids.country]: 'C',
  [oids.city]: 'L',
  [oids.state]: 'ST',
  [oids.organization]: 'O',
  [oids.unit]: 'OU',
  [oids.emailAddress]: 'emailAddress',
}

function nameFor(name: Der | undefined): string {
  return members(name)
    .flatMap(rdn => members(rdn))
    .map(attribute => {
      const [id, value] = members(attribute)
      const type = readOid(id)
      return `${shortNames[type] ?? type}=${textOf(value)}`
    })
    .join(', ')
}

const utf8Type = 12

function textOf(value: Der | undefined): string {
  return isUniversal(value, utf8Type)
    ? Buffer.from(content(value), 'latin1').toString('utf8')
    : content(value)
}
