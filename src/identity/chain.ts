import type { KeyObject } from 'node:crypto'
import type { Certificate } from './certificate.ts'
import type { KeyUsage } from './key-usage.ts'
import { comparisonsOf, permitsNames } from './name-constraints.ts'
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

/**
 * A path to a trust anchor, leaf first; or why there is none: everything that is wrong, in the order in which it has to be mended.
 * The leaf's own faults come first: the partner has to get another one anyway. Then those of each CA on the way up. That the way leads
 * to no trust anchor comes last: nobody should trust a CA before what it has issued is in order.
 */
export type PathFinding =
  | { readonly valid: true; readonly path: readonly Certificate[] }
  | (PathFailure & { readonly valid: false; readonly failures: readonly [PathFailure, ...PathFailure[]] })

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
// Names compared with constraints, on all ways together. Anybody may present thousands of each, and each pair costs some 30 ns;
// a certificate of 100 names below two CAs of 100 constraints each takes 20,000.
const maxComparisons = 262_144
const maxDiagnosis = 32 // the same again, where there is no path: enough for what servers send that are only set up wrongly

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
  const path = findPath([leaf], query, { left: maxSteps, comparisons: maxComparisons })
  if (path !== undefined && own.length === 0) return { valid: true, path }
  const above =
    path === undefined
      ? bestWalk([leaf], query, { left: maxDiagnosis, comparisons: maxComparisons }).failures
      : []
  const [first = deadEnd([leaf]), ...rest] = [...own, ...above]
  return { valid: false, ...first, failures: [first, ...rest] }
}

/** How many issuers may still be tried, and names compared. */
type Steps = { left: number; comparisons: number }

// Goes up from the last certificate of the path, and on no fault whatever.
function findPath(
  path: readonly Certificate[],
  query: PathQuery,
  steps: Steps,
): readonly Certificate[] | undefined {
  const last = path.at(-1)!
  if (isAnchor(last, query.anchors)) return path
  if (!last.isStronglySigned) return undefined
  for (const issuer of issuersOf(last, path, query)) {
    if (steps.left-- <= 0) break
    // The signature is dear, and a weak key may make it dearer; but names are compared for nobody who has not signed: else
    // namesakes would use up what there is for the issuer.
    if (generalFaults(issuer, query).length > 0 || !isSignedBy(last, issuer)) continue
    if (issuerFaults(issuer, path, steps).next().done === false) continue
    const found = findPath([...path, issuer], query, steps)
    if (found !== undefined) return found
  }
  return undefined
}

/** A way up that is no valid path, and everything that is wrong on it above the leaf. */
type Walk = {
  readonly failures: readonly PathFailure[]
  readonly isAnchored: boolean
  readonly length: number
}

// Goes up in spite of all faults, only to tell them: nothing is accepted by what this finds.
function bestWalk(path: readonly Certificate[], query: PathQuery, steps: Steps): Walk {
  const last = path.at(-1)!
  if (isAnchor(last, query.anchors)) return { failures: [], isAnchored: true, length: path.length }
  let best: Walk | undefined
  for (const issuer of issuersOf(last, path, query)) {
    if (steps.left-- <= 0) break
    const walk = walkOver(issuer, path, query, steps)
    if (best === undefined || isBetter(walk, best)) best = walk
  }
  // Of a root, the signature does not matter.
  if (best === undefined && isSelfIssued(last)) return endOf(path, [deadEnd(path)])
  const walk = best ?? endOf(path, [deadEnd(path)])
  return last.isStronglySigned ? walk : after([{ fault: 'weak-signature', certificate: last }], walk)
}

function walkOver(issuer: Certificate, path: readonly Certificate[], query: PathQuery, steps: Steps): Walk {
  const last = path.at(-1)!
  // A weak signature, or one of a weak key, proves nothing either way, and may be dear: the name has to do.
  const isProof = last.isStronglySigned && isStrongKey(issuer.publicKey)
  // Whoever has not signed is not the issuer, and what is wrong with him does not matter.
  if (isProof && !isSignedBy(last, issuer))
    return endOf(path, [{ fault: 'bad-signature', certificate: last }])
  const faults = [...generalFaults(issuer, query), ...issuerFaults(issuer, path, steps)]
  const own = faults.map(fault => ({ fault, certificate: issuer }))
  return path.length < maxPath ? after(own, bestWalk([...path, issuer], query, steps)) : endOf(path, own)
}

function endOf(path: readonly Certificate[], failures: readonly PathFailure[]): Walk {
  return { failures, isAnchored: false, length: path.length }
}

function after(failures: readonly PathFailure[], walk: Walk): Walk {
  return { ...walk, failures: [...failures, ...walk.failures] }
}

// The way that was meant most likely leads to an anchor; else it is the longest, or the one with least to mend.
function isBetter(one: Walk, other: Walk): boolean {
  if (one.isAnchored !== other.isAnchored) return one.isAnchored
  if (one.length !== other.length) return one.length > other.length
  return one.failures.length < other.failures.length
}

// Who may have issued a certificate, by the name; nobody twice on one path.
function issuersOf(
  { issuerName }: Certificate,
  path: readonly Certificate[],
  { anchors, others }: PathQuery,
): Certificate[] {
  const trusted = anchors.bySubject.get(issuerName) ?? []
  const named = [...trusted, ...others.filter(other => other.subjectName === issuerName)]
  return named.filter(issuer => !path.some(({ fingerprint }) => fingerprint === issuer.fingerprint))
}

function isAnchor(certificate: Certificate, anchors: TrustAnchors): boolean {
  const named = anchors.bySubject.get(certificate.subjectName) ?? []
  return named.some(anchor => anchor.fingerprint === certificate.fingerprint)
}

function deadEnd(path: readonly Certificate[]): PathFailure {
  const certificate = path.at(-1)!
  const isAlone = path.length === 1 && isSelfIssued(certificate) && isSignedBy(certificate, certificate)
  return { fault: isAlone ? 'self-signed' : 'unknown-authority', certificate }
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

// RFC 5280 §6.1.4 (k) to (n); one at a time, for the constraints are dear.
function* issuerFaults(
  issuer: Certificate,
  path: readonly Certificate[],
  steps: Steps,
): Generator<PathFault> {
  if (!issuer.isCa || !permitsUse(issuer.keyUsage, 'keyCertSign')) yield 'not-a-ca'
  const between = path.slice(1).filter(certificate => !isSelfIssued(certificate)).length
  if (path.length >= maxPath || between > (issuer.pathLength ?? Number.POSITIVE_INFINITY))
    yield 'path-too-long'
  if (!honoursConstraints(issuer, path, steps)) yield 'name-constraint'
}

// RFC 5280 §6.1.3 (b): a CA that renews its own certificate is not meant, except at the end of the path. What would take too many
// comparisons counts as not permitted.
function honoursConstraints(
  { nameConstraints }: Certificate,
  path: readonly Certificate[],
  steps: Steps,
): boolean {
  if (nameConstraints === undefined) return true
  const bound = path.filter((certificate, index) => index === 0 || !isSelfIssued(certificate))
  return bound.every(certificate => {
    steps.comparisons -= comparisonsOf(nameConstraints, certificate)
    return steps.comparisons >= 0 && permitsNames(nameConstraints, certificate)
  })
}

function permitsUse(keyUsage: ReadonlySet<KeyUsage> | undefined, use: KeyUsage): boolean {
  return keyUsage === undefined || keyUsage.has(use)
}

/** Whether a certificate names itself as its issuer, as a root does. */
export function isSelfIssued(certificate: Certificate): boolean {
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
