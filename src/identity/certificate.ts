import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { type Der, decode, encode, isContext, members, readOid } from './der.ts'
import { type CertificateExtensions, readExtensions } from './extensions.ts'
import { oids } from './oids.ts'

/** One X.509 certificate (RFC 5280 §4), read once; nothing in it has been verified. */
export type Certificate = CertificateExtensions & {
  readonly x509: X509Certificate
  readonly der: Buffer
  /** SHA-256 of the DER, 64 lower-case hex digits: what a pin names. */
  readonly fingerprint: string
  /** The subject for a log line, on one line and of bounded length. Never compared. */
  readonly subject: string
  /** The issuer for a log line. Never compared. */
  readonly issuer: string
  /** The subject's name in DER, as a key: equal names are equal strings. */
  readonly subjectName: string
  /** The issuer's name in DER, as a key. */
  readonly issuerName: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Undefined where the algorithm of the key is unknown. */
  readonly publicKey: KeyObject | undefined
  /** Whether the signature is made with SHA-256 or better. */
  readonly isStronglySigned: boolean
  /** The subject itself bears a mail address, which a name constraint may speak of. */
  readonly hasSubjectEmail: boolean
}

const maxDisplay = 200
const maxDerBytes = 131_072 // a TLS peer may send 100 KB in all

/**
 * Reads a certificate from DER.
 * @throws {Error} with a plain sentence, for anything that RFC 5280 §4 does not allow
 */
export function parseCertificate(der: Buffer): Certificate {
  if (der.length > maxDerBytes) throw new Error(`malformed certificate: longer than ${maxDerBytes} bytes`)
  try {
    return read(new X509Certificate(der), der)
  } catch (error) {
    throw new Error(`malformed certificate: ${sentenceOf(error)}`, { cause: error })
  }
}

// OpenSSL tells of the last form that it has tried, PEM, and of its source files.
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'opensslErrorStack' in error || error.message.startsWith('error:') ? 'no X.509' : error.message
}

/**
 * Reads every CERTIFICATE block of a PEM text, in order (RFC 7468 §5); other blocks are passed over.
 * @returns an empty list where there is none
 * @throws {Error} when one of them is malformed, with its number
 */
export function parsePem(text: string): Certificate[] {
  const [, ...blocks] = text.split('-----BEGIN CERTIFICATE-----')
  return blocks.map((block, at) => {
    try {
      const [, base64] = /^([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/.exec(block) ?? []
      if (base64 === undefined) throw new Error('malformed certificate: its text is no base64, or has no end')
      return parseCertificate(Buffer.from(base64, 'base64'))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`certificate ${at + 1}: ${reason}`, { cause: error })
    }
  })
}

function read(x509: X509Certificate, der: Buffer): Certificate {
  const [toBeSigned, algorithm] = members(decode(der))
  const fields = members(toBeSigned)
  const isVersioned = isContext(fields[0], 0)
  const [, innerAlgorithm, issuer, , subject] = isVersioned ? fields.slice(1) : fields
  if (
    algorithm === undefined ||
    innerAlgorithm === undefined ||
    issuer === undefined ||
    subject === undefined
  )
    throw new Error('a field is missing')
  // RFC 5280 §4.1.1.2
  if (!encode(algorithm).equals(encode(innerAlgorithm))) throw new Error('two signature algorithms')
  return {
    x509,
    der,
    fingerprint: createHash('sha256').update(der).digest('hex'),
    subject: onOneLine(x509.subject),
    issuer: onOneLine(x509.issuer),
    subjectName: encode(subject).toString('latin1'),
    issuerName: encode(issuer).toString('latin1'),
    notBefore: readDate(x509.validFromDate),
    notAfter: readDate(x509.validToDate),
    publicKey: readPublicKey(x509),
    isStronglySigned: isStrong(algorithm),
    hasSubjectEmail: members(subject).some(rdn =>
      members(rdn).some(attribute => readOid(members(attribute)[0]) === oids.emailAddress),
    ),
    ...readExtensions(fields.find(field => isContext(field, 3))),
  }
}

function readDate(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new Error('a date is not one')
  return date
}

function readPublicKey(x509: X509Certificate): KeyObject | undefined {
  try {
    return x509.publicKey
  } catch {
    return undefined
  }
}

const strongSignatures: ReadonlySet<string> = new Set([
  oids.sha256WithRsa,
  oids.sha384WithRsa,
  oids.sha512WithRsa,
  oids.ecdsaWithSha256,
  oids.ecdsaWithSha384,
  oids.ecdsaWithSha512,
  oids.ed25519,
  oids.ed448,
])
const strongDigests: ReadonlySet<string> = new Set([oids.sha256, oids.sha384, oids.sha512])

function isStrong(algorithm: Der): boolean {
  const [id, parameters] = members(algorithm)
  const name = readOid(id)
  return name === oids.rsaPss ? hasStrongPssDigest(parameters) : strongSignatures.has(name)
}

// RFC 8017 appendix A.2.3: hashAlgorithm is [0], and SHA-1 where it is left out; so is the mask's digest in [1].
function hasStrongPssDigest(parameters: Der | undefined): boolean {
  if (parameters === undefined) return false
  const given = (tag: number) => members(parameters).find(value => isContext(value, tag))
  const digest = given(0)
  const mask = given(1)
  if (digest === undefined || mask === undefined) return false
  const maskDigest = members(members(mask)[0])[1]
  return isStrongDigest(members(digest)[0]) && isStrongDigest(maskDigest)
}

function isStrongDigest(algorithm: Der | undefined): boolean {
  return strongDigests.has(readOid(members(algorithm)[0]))
}

// Node gives one attribute a line, control characters escaped.
function onOneLine(name: string | undefined): string {
  const line = (name ?? '').split('\n').join(', ')
  return line.length <= maxDisplay ? line : `${line.slice(0, maxDisplay)}…`
}
