import type { CertificateReason } from './reasons-certificate.ts'
import { certificateReasons } from './reasons-certificate.ts'
import { reachingReasons } from './reasons-reaching.ts'
import { streamReasons } from './reasons-stream.ts'
import { trustReasons } from './reasons-trust.ts'

/** Who has to do something about it, as a rule: nobody where a stream has ended as streams do. */
export const culprits = ['ours', 'partner', 'network', 'policy', 'nobody'] as const

/** One of `culprits`. `policy` = the two sides, or the partner list, do not agree on what is permitted. */
export type Culprit = (typeof culprits)[number]

/** What a code means, for whoever is woken by it. */
export type Reason = { readonly title: string; readonly fault: Culprit; readonly remedy: string }

/**
 * Why an attempt failed, or a stream ended: the one closed list, in the order in which things happen. A code is in the log, the
 * journal, the API, the metrics, `why`, `probe` and docs/reasons.md alike, and never changes its meaning.
 */
export const reasons = {
  ...reachingReasons,
  ...certificateReasons,
  ...trustReasons,
  ...streamReasons,
} as const satisfies Readonly<Record<string, Reason>>

export type ReasonCode = keyof typeof reasons

/** The code, and a sentence for the operator: it may name hosts, and what the peer has said. */
export type Why = { readonly code: ReasonCode; readonly reason: string }

/** The headings of docs/reasons.md, and the codes under each. */
export const reasonGroups = {
  'Reaching the partner': Object.keys(reachingReasons) as ReasonCode[],
  'The certificate of the partner': Object.keys(certificateReasons) as ReasonCode[],
  'Proving who is there': Object.keys(trustReasons) as ReasonCode[],
  'The stream and its end': Object.keys(streamReasons) as ReasonCode[],
} as const

type FaultOf<Code> = Code extends `certificate-${infer Fault}` ? Fault : never

/** The code of a certificate's fault. */
export function certificateCode(fault: FaultOf<CertificateReason>): CertificateReason {
  return `certificate-${fault}`
}

/** Whether a stream that ends so has failed; an orderly end is nobody's fault. */
export function isFailure(code: ReasonCode): boolean {
  return reasons[code].fault !== 'nobody'
}
