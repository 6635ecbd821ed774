import type { KeyObject } from 'node:crypto'
import type { Certificate } from './certificate.ts'
import type { KeyUsage } from './key-usage.ts'
import { permitsNames } from './name-constraints.ts'
import { oids } from './oids.ts'

/** What can be wrong with a certification path. */
export const pathFaults = [
  'expired',
  'not-yet-valid',
  'self-signed',
  'unknown-authority',
  'wrong-purpose',
  'weak-key',
  'weak-signature',
  'bad-signature',
  'not-a-ca',
  'path-too-long',
  'name-constraint',
  'unknown-critical-extension',
] as const

/** One of `pathFaults`. */
export type PathFault = (typeof pathFaults)[number]

/** Trusted certificates by their subject's name; see `trustAnchors`. */
export type TrustAnchors = { readonly bySubject: ReadonlyMap<string, readonly Certificate[]> }

/** A fault, and the certificate that has it. */
export type PathFailure = { readonly fault: PathFault; readonly certificate: Certificate }

type Extended =
  | { readonly valid: true; readonly path: readonly Certificate[] }
  | (PathFailure & { readonly valid: false })

/**
 * A path to a trust anchor, leaf first; or why there is none: what is wrong first of all, and everything that is wrong, with the leaf
 * itself and then with the best path from it.
 */
export type PathFinding =
  | Extract<Extended, { valid: true }>
  | (PathFailure & { readonly valid: false; readonly failures: readonly PathFailure[] })

/** What a path is asked for. */
export type PathQuery = {
  /** Other presented certificates, in any order; strangers among them do no harm. */
  readonly others: readonly Certificate[]
  readonly anchors: TrustAnchors
  /** Extended key usages (object identifiers) that every certificate must have, unless it names none. */
  readonly purposes: readonly string[]
  readonly at: Date
}

const maxPath = 8 // certificates, leaf and anchor included
const maxSteps = 100 // issuers tried; each costs one signature check at most

/** Makes certificates findable as trust anchors. Build it once for each policy. */
export function trustAnchors(certificates: readonly Certificate[]): TrustAnchors {
  // The system's store may hold each certificate under several file names.
  const distinct = new Map(certificates.map(certificate => [certificate.fingerprint, certificate])).values()
  return { bySubject: Map.groupBy(distinct, certificate => certificate.subjectName) }
}

/**
 * Looks for a valid path from a leaf to a trust anchor (RFC 5280 §6.1, without policies and revocation).
 *
 * An anchor may be an intermediate CA, or the leaf itself. It is held to the rules of any other certificate, save that
 * nothing need have signed it. Names are compared octet by octet.
 */
export function validatePath(leaf: Certificate, query: PathQuery): PathFinding {
  const own = leafFaults(leaf, query).map(fault => ({ fault, certificate: leaf }))
  const found = extendPath([leaf], query, { steps: 0 })
  const failures = found.valid ? own : [...own, { fault: found.fault, certificate: found.certificate }]
  const [first] = failures
  return first === undefined ? (found as PathFinding & { valid: true }) : { valid: false, ...first, failures }
}

// Goes up from the last certificate of the path. Of several failures, the one nearest to an anchor is told.
function extendPath(path: readonly Certificate[], query: PathQuery, spent: { steps: number }): Extended {
  const last = path.at(-1)!
  if (isAnchor(last, query.anchors)) return { valid: true, path }
  if (!last.isStronglySigned) return { valid: false, fault: 'weak-signature', certificate: last }
  let failure: Failure | undefined
  for (const issuer of issuersOf(last, query)) {
    if (path.some(({ fingerprint }) => fingerprint === issuer.fingerprint)) continue
    if (++spent.steps > maxSteps) break
    const fault = generalFaults(issuer, query)[0] ?? issuerFault(issuer, path)
    const certificate = fault === 'bad-signature' ? last : issuer
    const found: Extended =
      fault === undefined ? extendPath([...path, issuer], query, spent) : { valid: false, fault, certificate }
    if (found.valid) return found
    const depth = fault === undefined ? path.length + 1 : path.length
    if (failure === undefined || depth > failure.depth) failure = { ...found, depth }
  }
  return failure ?? { valid: false, fault: deadEnd(path), certificate: last }
}

type Failure = Extract<Extended, { valid: false }> & { readonly depth: number }

function issuersOf(certificate: Certificate, { anchors, others }: PathQuery): Certificate[] {
  const name = certificate.issuerName
  const trusted = anchors.bySubject.get(name) ?? []
  return [...trusted, ...others.filter(other => other.subjectName === name)]
}

function isAnchor(certificate: Certificate, anchors: TrustAnchors): boolean {
  const named = anchors.bySubject.get(certificate.subjectName) ?? []
  return named.some(anchor => anchor.fingerprint === certificate.fingerprint)
}

function deadEnd(path: readonly Certificate[]): PathFault {
  const [leaf] = path
  return path.length === 1 && leaf !== undefined && isSelfIssued(leaf) && isSignedBy(leaf, leaf)
    ? 'self-signed'
    : 'unknown-authority'
}

// What holds for each certificate of a path, wherever it stands.
function generalFaults(certificate: Certificate, { purposes, at }: PathQuery): PathFault[] {
  const { extendedKeyUsage: uses } = certificate
  const serves = (purpose: string) =>
    uses === undefined || uses.has(purpose) || uses.has(oids.anyExtendedKeyUsage)
  const found: PathFault[] = []
  if (at > certificate.notAfter) found.push('expired')
  if (at < certificate.notBefore) found.push('not-yet-valid')
  if (!isStrongKey(certificate.publicKey)) found.push('weak-key')
  if (certificate.unknownCritical !== undefined) found.push('unknown-critical-extension')
  if (!purposes.every(serves)) found.push('wrong-purpose')
  return found
}

const tlsUsages = ['digitalSignature', 'keyEncipherment', 'keyAgreement'] as const

function leafFaults(leaf: Certificate, query: PathQuery): PathFault[] {
  const faults = generalFaults(leaf, query)
  const serves = tlsUsages.some(use => permitsUse(leaf.keyUsage, use))
  return serves || faults.includes('wrong-purpose') ? faults : [...faults, 'wrong-purpose']
}

// RFC 5280 §6.1.4 (k) to (n), and the signature, last because it is dear.
function issuerFault(issuer: Certificate, path: readonly Certificate[]): PathFault | undefined {
  if (!issuer.isCa || !permitsUse(issuer.keyUsage, 'keyCertSign')) return 'not-a-ca'
  const between = path.slice(1).filter(certificate => !isSelfIssued(certificate)).length
  if (path.length >= maxPath || between > (issuer.pathLength ?? Number.POSITIVE_INFINITY))
    return 'path-too-long'
  if (!honoursConstraints(issuer, path)) return 'name-constraint'
  return isSignedBy(path.at(-1)!, issuer) ? undefined : 'bad-signature'
}

// RFC 5280 §6.1.3 (b): a CA that renews its own certificate is not meant, except at the end of the path.
function honoursConstraints({ nameConstraints }: Certificate, path: readonly Certificate[]): boolean {
  if (nameConstraints === undefined) return true
  const bound = path.filter((certificate, index) => index === 0 || !isSelfIssued(certificate))
  return bound.every(certificate => permitsNames(nameConstraints, certificate))
}

function permitsUse(keyUsage: ReadonlySet<KeyUsage> | undefined, use: KeyUsage): boolean {
  return keyUsage === undefined || keyUsage.has(use)
}

function isSelfIssued(certificate: Certificate): boolean {
  return certificate.subjectName === certificate.issuerName
}

function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return issuer.publicKey !== undefined && certificate.x509.verify(issuer.publicKey)
  } catch {
    return false // an algorithm that this key cannot have used
  }
}

const strongCurves: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1']
const rsaBits = { least: 2048, most: 8192 } // longer ones are but a burden on who verifies

function isStrongKey(key: KeyObject | undefined): boolean {
  const details = key?.asymmetricKeyDetails
  switch (key?.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss': {
      const bits = details?.modulusLength ?? 0
      return bits >= rsaBits.least && bits <= rsaBits.most
    }
    case 'ec':
      return strongCurves.includes(details?.namedCurve)
    case 'ed25519':
    case 'ed448':
      return true
    default:
      return false
  }
}
