import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { type Domain, toUnicode } from '../xmpp/address.ts'
import {
  bitString,
  boolean,
  context,
  type Der,
  decode,
  encode,
  ia5String,
  integer,
  nothing,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts'
import { type KeyUsage, keyUsages } from './key-usage.ts'
import { oids } from './oids.ts'

/** What goes into a certificate (RFC 5280 §4.1), apart from its signature. */
export type CertificateFields = {
  /** Octets of the serial number, most significant first, 20 at most; unpredictable. */
  readonly serial: Buffer
  /** Common name of the issuer. */
  readonly issuer: string
  /** Common name of the subject; empty for an empty name. */
  readonly subject: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: KeyObject
  /** Made by `extension` and its kin below. */
  readonly extensions: readonly Der[]
}

/** How a certificate is signed: the digest, and the AlgorithmIdentifier that tells of it. */
export type SignatureAlgorithm = { readonly digest: string | null; readonly identifier: Der }

/** The names a certificate is to bear. SRVNames bear their service: `_xmpp-server.contoso.com`. */
export type NamesToCertify = {
  readonly dns?: readonly string[]
  readonly srv?: readonly string[]
  readonly xmpp?: readonly string[]
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * Makes a certificate for a local domain, signed by its own key: for a first run and for tests between partners that
 * pin it. Good for servers and clients alike.
 * @param request.days how long it is good for; default: one year
 * @param request.key the private key, EC P-256 or RSA
 * @param request.serial see `CertificateFields`
 * @returns PEM
 */
export function selfSigned(request: {
  domain: Domain
  key: KeyObject
  serial: Buffer
  at: Date
  days?: number
}): string {
  const { domain, key, serial, at, days = 365 } = request
  const commonName = domain.slice(0, 64) // RFC 5280 appendix A: ub-common-name; nobody may match it anyway
  return toPem(
    signCertificate(
      {
        serial,
        issuer: commonName,
        subject: commonName,
        notBefore: new Date(at.getTime() - hourMs), // a partner's clock may be slow
        notAfter: new Date(at.getTime() + days * dayMs),
        publicKey: createPublicKey(key),
        extensions: [
          basicConstraints(false),
          keyUsage(['digitalSignature']),
          extendedKeyUsage([oids.serverAuth, oids.clientAuth]),
          subjectAltName(namesOf(domain)),
        ],
      },
      key,
    ),
  )
}

/**
 * The names by which a partner may know a domain (RFC 6120 §13.7.1.2). In an XmppAddr it is an address (§13.7.1.4), and
 * so in U-labels: Prosody compares it letter by letter with the stream header's.
 */
export function namesOf(domain: Domain): Required<NamesToCertify> {
  return { dns: [domain], srv: [`_xmpp-server.${domain}`], xmpp: [toUnicode(domain)] }
}

/**
 * Makes and signs a certificate (RFC 5280 §4.1).
 * @returns DER
 */
export function signCertificate(
  fields: CertificateFields,
  key: KeyObject,
  algorithm: SignatureAlgorithm = sha256With(key),
): Buffer {
  const toBeSigned = sequence(
    context(0, [integer(Buffer.of(2))]), // version 3
    integer(fields.serial),
    algorithm.identifier,
    distinguishedName(fields.issuer),
    sequence(time(fields.notBefore), time(fields.notAfter)),
    distinguishedName(fields.subject),
    decode(fields.publicKey.export({ type: 'spki', format: 'der' })),
    context(3, [sequence(...fields.extensions)]),
  )
  return signed(toBeSigned, key, algorithm)
}

/** Signs what a certificate or a request is made of, and puts the signature behind it (RFC 5280 §4.1.1, RFC 2986 §4.2). */
export function signed(toBeSigned: Der, key: KeyObject, algorithm = sha256With(key)): Buffer {
  const signature = sign(algorithm.digest, encode(toBeSigned), key)
  return encode(sequence(toBeSigned, algorithm.identifier, bitString(signature)))
}

/** The subjectAltName that bears these names (RFC 5280 §4.2.1.6). */
export function subjectAltName(names: NamesToCertify): Der {
  return extension(
    oids.subjectAltName,
    sequence(
      ...(names.dns ?? []).map(name => context(2, name)),
      ...(names.srv ?? []).map(name => otherName(oids.srvName, ia5String(name))),
      ...(names.xmpp ?? []).map(name => otherName(oids.xmppAddr, utf8String(name))),
    ),
  )
}

/** Whether the subject may issue certificates, and how many more may stand below it (RFC 5280 §4.2.1.9). */
export function basicConstraints(isCa: boolean, pathLength?: number): Der {
  const fields = isCa ? [boolean(true)] : []
  if (pathLength !== undefined) fields.push(integer(Buffer.of(pathLength)))
  return extension(oids.basicConstraints, sequence(...fields), true)
}

/** What the key may do (RFC 5280 §4.2.1.3). */
export function keyUsage(uses: readonly KeyUsage[]): Der {
  const bits = keyUsages
    .map((use, bit) => (uses.includes(use) ? 0x8000 >> bit : 0))
    .reduce((a, b) => a | b, 0)
  // DER: a list of named bits ends with its last set bit.
  const used = keyUsages.findLastIndex(use => uses.includes(use)) + 1
  const octets = Buffer.of(bits >> 8, bits & 0xff).subarray(0, Math.ceil(used / 8))
  return extension(oids.keyUsage, bitString(octets, octets.length * 8 - used), true)
}

/** What the certificate is for, as object identifiers (RFC 5280 §4.2.1.12). */
export function extendedKeyUsage(purposes: readonly string[]): Der {
  return extension(oids.extendedKeyUsage, sequence(...purposes.map(oid)))
}

/** Wraps a value as a certificate extension (RFC 5280 §4.2). */
export function extension(id: string, value: Der, critical = false): Der {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(encode(value)))
}

/** DER as PEM, with its final line feed; a certificate, unless the label says otherwise (RFC 7468). */
export function toPem(der: Buffer, label = 'CERTIFICATE'): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function sha256With(key: KeyObject): SignatureAlgorithm {
  return key.asymmetricKeyType === 'rsa'
    ? { digest: 'sha256', identifier: sequence(oid(oids.sha256WithRsa), nothing()) }
    : { digest: 'sha256', identifier: sequence(oid(oids.ecdsaWithSha256)) }
}

function distinguishedName(commonName: string): Der {
  return commonName === ''
    ? sequence()
    : sequence(set(sequence(oid(oids.commonName), utf8String(commonName))))
}

function otherName(id: string, value: Der): Der {
  return context(0, [oid(id), context(0, [value])])
}
