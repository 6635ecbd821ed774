import type { Domain } from '../xmpp/address.ts'
import { certificateCode, type Why } from '../xmpp/reason.ts'
import type { Certificate } from './certificate.ts'
import { type PathFailure, type PathFault, type TrustAnchors, validatePath } from './chain.ts'
import { coversDomain } from './names.ts'
import { oids } from './oids.ts'

/** Why a certificate does not prove a domain. `none` = the peer presented none. */
export type CertificateFault = 'none' | 'wrong-name' | 'not-pinned' | PathFault

/** One thing that is wrong with a certificate: its code begins with `certificate-`. */
export type FoundFault = Why & { readonly fault: CertificateFault }

/** What is wrong where something is. */
type Faults = readonly [FoundFault, ...FoundFault[]]

/**
 * Whether a certificate proves a domain; if not, what is wrong first of all, and everything that is wrong (8 faults at most) in the order
 * in which it has to be mended: a certificate of another domain is the wrong one altogether; for the others see `PathFinding`.
 */
export type CertificateVerdict =
  | { readonly valid: true }
  | (FoundFault & { readonly valid: false; readonly faults: readonly FoundFault[] })

const mostFaults = 8 // of a chain that a peer has made up, there could be dozens

/** What a partner's certificate is measured against. */
export type Trust = {
  /** The CAs trusted for every partner. */
  readonly anchors: TrustAnchors
  /** The partner's own CAs: then these only. */
  readonly ownAnchors?: TrustAnchors | undefined
  /** Fingerprints of leaf certificates (SHA-256 of the DER, lower-case hex). Without own anchors: these only. */
  readonly pins?: readonly string[] | undefined
  /** Ask for clientAuth besides serverAuth. Default: no. */
  readonly requireClientAuthEku?: boolean | undefined
}

/**
 * Judges whether the presented certificates prove a domain, as a server's, whichever side opened the stream.
 * @param chain as presented: the leaf first, the others in any order; empty where the peer presented none
 */
export function judgeCertificate(
  chain: readonly Certificate[],
  domain: Domain,
  trust: Trust,
  at: Date,
): CertificateVerdict {
  const [leaf, ...others] = chain
  if (leaf === undefined) return invalid([found('none', `no certificate was presented for ${domain}`)])
  const faults = faultsButName(leaf, others, domain, trust, at)
  if (coversDomain(leaf.names, domain)) return verdictOf(faults)
  const isFor = `the certificate presented for ${domain} is for ${namesIn(leaf)}`
  return invalid([found('wrong-name', isFor), ...(faults ?? [])])
}

/** The same without a look at the names; `domain` is what the certificate is called in the sentence. */
export function judgeButName(
  leaf: Certificate,
  others: readonly Certificate[],
  domain: string,
  trust: Trust,
  at: Date,
): CertificateVerdict {
  return verdictOf(faultsButName(leaf, others, domain, trust, at))
}

/** Undefined = nothing is wrong. */
function faultsButName(
  leaf: Certificate,
  others: readonly Certificate[],
  domain: string,
  trust: Trust,
  at: Date,
): Faults | undefined {
  const told = (finding: PathFailure) => found(finding.fault, explain(finding, leaf, domain))
  const pins = trust.pins ?? []
  // A pinned leaf needs neither path nor anchor, but it is not for ever.
  const date = dateFault(leaf, at)
  if (pins.includes(leaf.fingerprint)) return date && [told(date)]
  if (pins.length > 0 && trust.ownAnchors === undefined) {
    const reason = `the certificate of ${domain} (sha256:${leaf.fingerprint}) is not a pinned one`
    return [found('not-pinned', reason), ...(date === undefined ? [] : [told(date)])]
  }
  const query = {
    others,
    anchors: trust.ownAnchors ?? trust.anchors,
    purposes: trust.requireClientAuthEku ? [oids.serverAuth, oids.clientAuth] : [oids.serverAuth],
    at,
  }
  const finding = validatePath(leaf, query)
  if (finding.valid) return undefined
  const [first, ...rest] = finding.failures
  return [told(first), ...rest.map(told)]
}

function verdictOf(faults: Faults | undefined): CertificateVerdict {
  return faults === undefined ? { valid: true } : invalid(faults)
}

function invalid(faults: Faults): CertificateVerdict {
  return { valid: false, ...faults[0], faults: faults.slice(0, mostFaults) }
}

function found(fault: CertificateFault, reason: string): FoundFault {
  return { fault, code: certificateCode(fault), reason }
}

function dateFault(leaf: Certificate, at: Date): PathFailure | undefined {
  const fault = at > leaf.notAfter ? 'expired' : at < leaf.notBefore ? 'not-yet-valid' : undefined
  return fault && { fault, certificate: leaf }
}

function explain({ fault, certificate }: PathFailure, leaf: Certificate, domain: string): string {
  const which = certificate === leaf ? `certificate of ${domain}` : `CA certificate "${certificate.subject}"`
  return sentences[fault](which, certificate)
}

const sentences = {
  expired: (which, { notAfter }) => `${which} expired on ${day(notAfter)}`,
  'not-yet-valid': (which, { notBefore }) => `${which} is not valid before ${day(notBefore)}`,
  'self-signed': which => `${which} is self-signed, and is not a trust anchor itself`,
  'unknown-authority': (which, { issuer, issuerName, subjectName }) =>
    issuerName === subjectName
      ? `${which} is a root of its own, and is not a trust anchor`
      : `${which} was issued by "${issuer}", which is not a trust anchor and was not sent along`,
  'wrong-purpose': which =>
    `${which} is not for the purpose: its key usage leaves out TLS servers or what else is asked`,
  'weak-key': which =>
    `${which} has a weak or unsupported key: RSA 2048 to 8192, P-256, P-384, P-521 or EdDSA will do`,
  'weak-signature': which => `${which} bears a weak or unsupported signature: SHA-256 or better will do`,
  'bad-signature': (which, { issuer }) => `${which} was not signed by "${issuer}", the issuer it names`,
  'not-a-ca': which => `${which} may not issue certificates, but has issued one here`,
  'path-too-long': which => `${which} allows fewer CA certificates below it than were used`,
  'name-constraint': which => `${which} may not issue certificates for a name used here`,
  'unknown-critical-extension': (which, { unknownCritical }) =>
    `${which} has a critical extension that is not known here: ${unknownCritical}`,
} satisfies Record<PathFault, (which: string, certificate: Certificate) => string>

function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}

// For the operator's eye: a few names, whatever the peer put into them.
function namesIn({ names }: Certificate): string {
  const all = [...names.dns, ...names.srv, ...names.xmpp]
  const shown = all.slice(0, 5).map(name => name.replace(/[^\x21-\x7e]/g, '?').slice(0, 100))
  if (shown.length === 0) return 'no XMPP domain at all (its common name does not count)'
  return all.length > shown.length
    ? `${shown.join(', ')} and ${all.length - shown.length} more`
    : shown.join(', ')
}
