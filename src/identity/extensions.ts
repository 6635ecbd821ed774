import { content, type Der, decode, isContext, isUniversal, members, readOid } from './der.ts'
import { type KeyUsage, keyUsages } from './key-usage.ts'
import { type NameConstraints, readNameConstraints } from './name-constraints.ts'
import { oids } from './oids.ts'

/** The names of subjectAltName that XMPP knows (RFC 6120 §13.7.1.2), as written; `coversDomain` judges them. */
export type CertificateNames = {
  readonly dns: readonly string[]
  /** With the service: `_xmpp-server.contoso.com`. */
  readonly srv: readonly string[]
  readonly xmpp: readonly string[]
}

/** What the extensions of a certificate say (RFC 5280 §4.2.1). */
export type CertificateExtensions = {
  readonly names: CertificateNames
  /** The forms (GeneralName tags) of all names in subjectAltName, also of those XMPP does not know. */
  readonly nameForms: ReadonlySet<number>
  readonly isCa: boolean
  /** How many CA certificates may follow towards the leaf; undefined for any number. */
  readonly pathLength: number | undefined
  /** Undefined where the certificate does not restrict its key. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined
  /** Purposes as object identifiers; undefined where the certificate is for any purpose. */
  readonly extendedKeyUsage: ReadonlySet<string> | undefined
  readonly nameConstraints: NameConstraints | undefined
  /** A critical extension that this gateway does not know: it must refuse the certificate (RFC 5280 §4.2). */
  readonly unknownCritical: string | undefined
}

// Policies cannot end a path here: any policy will do (RFC 5280 §6.1.1).
const knownExtensions: ReadonlySet<string> = new Set([
  oids.keyUsage,
  oids.subjectAltName,
  oids.basicConstraints,
  oids.nameConstraints,
  oids.certificatePolicies,
  oids.extendedKeyUsage,
])

const types = { boolean: 1, integer: 2, bitString: 3, octetString: 4, utf8: 12, ia5: 22 } as const

/**
 * Reads the extensions of a certificate.
 * @param field the `[3]` field of TBSCertificate, if there
 * @throws {Error} for a known extension that is malformed, or one that comes twice
 */
export function readExtensions(field: Der | undefined): CertificateExtensions {
  const values = new Map<string, Der>()
  let unknownCritical: string | undefined
  for (const entry of field === undefined ? [] : members(members(field)[0])) {
    const parts = members(entry)
    const id = readOid(parts[0])
    if (values.has(id)) throw new Error(`extension ${id} comes twice`) // RFC 5280 §4.2
    const isCritical = isUniversal(parts[1], types.boolean) && content(parts[1]) !== '\0'
    const value = parts.at(-1)
    if (!isUniversal(value, types.octetString)) throw new Error(`extension ${id} has no value`)
    values.set(id, value)
    if (isCritical && !knownExtensions.has(id)) unknownCritical ??= id
  }
  const decoded = (id: string) => {
    const value = values.get(id)
    return value === undefined ? undefined : decode(content(value))
  }
  const constraints = decoded(oids.nameConstraints)
  return {
    ...readSubjectAltName(decoded(oids.subjectAltName)),
    ...readBasicConstraints(decoded(oids.basicConstraints)),
    keyUsage: readKeyUsage(decoded(oids.keyUsage)),
    extendedKeyUsage: readExtendedKeyUsage(decoded(oids.extendedKeyUsage)),
    nameConstraints: constraints === undefined ? undefined : readNameConstraints(constraints),
    unknownCritical,
  }
}

function readSubjectAltName(value: Der | undefined): Pick<CertificateExtensions, 'names' | 'nameForms'> {
  const names = { dns: [] as string[], srv: [] as string[], xmpp: [] as string[] }
  const nameForms = new Set<number>()
  for (const name of value === undefined ? [] : members(value)) {
    nameForms.add(Number(name.type))
    if (isContext(name, 2)) names.dns.push(content(name))
    if (isContext(name, 0)) readOtherName(name, names)
  }
  return { names, nameForms }
}

function readOtherName(name: Der, names: { srv: string[]; xmpp: string[] }): void {
  const [id, wrapped] = members(name)
  const form = readOid(id)
  if (form !== oids.srvName && form !== oids.xmppAddr) return
  const text = isContext(wrapped, 0) ? members(wrapped)[0] : undefined
  // A name in another string type than its RFC prescribes is no name: parsers would differ over it.
  if (form === oids.srvName && isUniversal(text, types.ia5)) names.srv.push(content(text))
  if (form === oids.xmppAddr && isUniversal(text, types.utf8)) names.xmpp.push(utf8(content(text)))
}

function utf8(octets: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'))
}

function readBasicConstraints(value: Der | undefined): Pick<CertificateExtensions, 'isCa' | 'pathLength'> {
  const fields = value === undefined ? [] : [...members(value)]
  const isCa = isUniversal(fields[0], types.boolean) && content(fields.shift()) !== '\0'
  const length = fields.shift()
  if (length === undefined) return { isCa, pathLength: undefined }
  if (!isUniversal(length, types.integer) || fields.length > 0)
    throw new Error('basicConstraints is malformed')
  const octets = content(length)
  if (octets.length !== 1 || octets.charCodeAt(0) > 0x7f) throw new Error('the path length is out of range')
  return { isCa, pathLength: octets.charCodeAt(0) }
}

function readKeyUsage(value: Der | undefined): ReadonlySet<KeyUsage> | undefined {
  if (value === undefined) return undefined
  if (!isUniversal(value, types.bitString)) throw new Error('keyUsage is malformed')
  const octets = Buffer.from(content(value), 'latin1') // the first one counts the unused bits
  return new Set(keyUsages.filter((_, bit) => ((octets[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0))
}

function readExtendedKeyUsage(value: Der | undefined): ReadonlySet<string> | undefined {
  return value === undefined ? undefined : new Set(members(value).map(readOid))
}
