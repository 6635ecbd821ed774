import type { Certificate } from '../identity/certificate.ts'
import { isSelfIssued, trustAnchors } from '../identity/chain.ts'
import { oids } from '../identity/oids.ts'
import { type CertificateVerdict, judgeButName, judgeCertificate, type Trust } from '../identity/verdict.ts'
import { expiryThreshold } from '../telemetry/expiry.ts'
import type { Domain } from '../xmpp/address.ts'

/** One thing wrong with a certificate; an error keeps it from proving its domain. */
export type Finding = { readonly severity: 'error' | 'warning'; readonly message: string }

/**
 * Everything that partners would find wrong with the certificates we show for a domain, not the first fault alone.
 * @param chain as in the file; not empty
 */
export function findingsFor(
  chain: readonly Certificate[],
  domain: Domain,
  trust: Trust,
  at: Date,
): Finding[] {
  return findings([judgeCertificate(chain, domain, trust, at)], chain, domain, trust, at)
}

/** The same, whatever names it bears; `called` is what the findings call it. */
export function findingsButName(
  chain: readonly Certificate[],
  called: string,
  trust: Trust,
  at: Date,
): Finding[] {
  return findings([], chain, called, trust, at)
}

/** Whether a certificate's end is near, or past. */
export function endFindings({ subject, notAfter }: Certificate, at: Date): Finding[] {
  if (expiryThreshold(notAfter, at) === undefined) return []
  const verb = notAfter < at ? 'expired' : 'expires'
  return [
    {
      severity: 'warning',
      message: `certificate "${subject}" ${verb} on ${notAfter.toISOString().slice(0, 10)}`,
    },
  ]
}

function findings(
  known: readonly CertificateVerdict[],
  chain: readonly Certificate[],
  called: string,
  trust: Trust,
  at: Date,
): Finding[] {
  const [leaf, ...others] = chain
  if (leaf === undefined) return []
  const now = judgeButName(leaf, others, called, trust, at)
  // An end in the past hides what else is wrong: that shows at a time at which the certificate was good.
  const then = judgeButName(leaf, others, called, trust, within(leaf, at))
  const faults = [...known, now, ...(isOfDates(then) ? [] : [then])].flatMap(verdict =>
    verdict.valid ? [] : [verdict.reason],
  )
  const isEndTold = [...known, now].some(isOfDates)
  return [
    ...[...new Set(faults)].map(message => ({ severity: 'error', message }) as const),
    ...(isEndTold ? [] : chain.flatMap(certificate => endFindings(certificate, at))),
    ...orderFindings(chain),
    ...(then.valid ? borrowedFindings(leaf, others, trust, within(leaf, at)) : []),
    ...purposeFindings(leaf),
  ]
}

function isOfDates(verdict: CertificateVerdict): boolean {
  return !verdict.valid && (verdict.fault === 'expired' || verdict.fault === 'not-yet-valid')
}

function within({ notBefore, notAfter }: Certificate, at: Date): Date {
  return at > notAfter ? notAfter : at < notBefore ? notBefore : at
}

// RFC 8446 §4.4.2 lets a chain be in any order; before TLS 1.3 each had to certify the one before it.
function orderFindings(chain: readonly Certificate[]): Finding[] {
  const at = chain.findIndex((one, index) => index > 0 && one.subjectName !== chain[index - 1]?.issuerName)
  if (at < 0) return []
  const message =
    `certificate ${at + 1} in the file ("${chain[at]?.subject}") is not the issuer of the one before it: ` +
    'put the leaf first, then each issuer; some peers refuse another order'
  return [{ severity: 'warning', message }]
}

// An intermediate authority that is a trust anchor here completes the path for us, and for nobody else.
function borrowedFindings(
  leaf: Certificate,
  others: readonly Certificate[],
  trust: Trust,
  at: Date,
): Finding[] {
  const shown = new Set([leaf, ...others].map(({ fingerprint }) => fingerprint))
  const elsewhere = [...trust.anchors.bySubject.values()]
    .flat()
    .filter(anchor => isSelfIssued(anchor) || shown.has(anchor.fingerprint))
  const verdict = judgeButName(leaf, others, leaf.subject, { ...trust, anchors: trustAnchors(elsewhere) }, at)
  if (verdict.valid) return []
  const message =
    `the chain in the file is complete with a trust anchor of ours alone, which is no root: ${verdict.reason}; ` +
    'put each issuer behind the one before, up to the root'
  return [{ severity: 'warning', message }]
}

function purposeFindings({ extendedKeyUsage: purposes }: Certificate): Finding[] {
  const isForClients =
    purposes === undefined || purposes.has(oids.clientAuth) || purposes.has(oids.anyExtendedKeyUsage)
  if (isForClients) return []
  const message =
    'the certificate is not for clients (no clientAuth, which public authorities no longer issue): partners that insist ' +
    'on it will refuse SASL EXTERNAL from us; permit them dialback, see docs/certificates.md'
  return [{ severity: 'warning', message }]
}
