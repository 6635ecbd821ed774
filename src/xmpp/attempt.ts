import { isFailure, type Why } from './reason.ts'

/** The names of the steps. */
export const stepNames = [
  'accepted',
  'dns',
  'server',
  'address',
  'header',
  'tls',
  'certificate',
  'offers',
  'sasl',
  'dialback',
  'failed',
  'note',
  'authenticated',
  'left-out',
] as const satisfies readonly AttemptStep['step'][]

/** What happened on the way to a stream; never a key, a secret or a stanza. Texts of peers and of DNS are cut short. */
export type AttemptStep =
  /** A peer has connected to us. */
  | { readonly step: 'accepted'; readonly address: string }
  /** `question` = name and type; `records` as in a zone file; `isCached` = DNS was asked earlier. */
  | {
      readonly step: 'dns'
      readonly question: string
      readonly outcome: 'records' | 'no-data' | 'no-domain' | 'failed'
      readonly records: readonly string[]
      readonly reason: string | null
      readonly isCached?: boolean
    }
  /** A server of the partner is tried; `source` says where its name is from. */
  | {
      readonly step: 'server'
      readonly host: string
      readonly port: number
      readonly directTls: boolean
      readonly source: 'proxy' | 'srv' | 'fallback'
    }
  /** `abandoned` = another address was faster. */
  | {
      readonly step: 'address'
      readonly address: string
      readonly outcome: 'connected' | 'failed' | 'abandoned'
      readonly reason: string | null
    }
  /** The header of a stream that the peer opened, with the names that it gave. */
  | { readonly step: 'header'; readonly from: string | null; readonly to: string | null }
  | { readonly step: 'tls'; readonly version: string; readonly cipher: string }
  /** What the peer has shown, and everything that is wrong with it for this domain. */
  | {
      readonly step: 'certificate'
      readonly shown: ShownCertificate | null
      readonly faults: readonly Why[]
    }
  /** Stream features that authenticate or secure: STARTTLS, EXTERNAL, dialback. */
  | { readonly step: 'offers'; readonly by: 'us' | 'peer'; readonly offers: readonly string[] }
  | {
      readonly step: 'sasl'
      readonly by: 'us' | 'peer'
      readonly outcome: SaslOutcome
      readonly reason: string | null
    }
  | { readonly step: 'dialback'; readonly leg: DialbackLeg; readonly outcome: string | null }
  /** A way was tried, or a thing asked for, in vain; the stream may go on. */
  | ({ readonly step: 'failed' } & Why)
  | { readonly step: 'note'; readonly reason: string }
  | {
      readonly step: 'authenticated'
      readonly method: string
      readonly local: string
      readonly remote: string
    }
  /** Steps that there was no room for. */
  | { readonly step: 'left-out'; readonly count: number }

export type SaslOutcome = 'tried' | 'accepted' | 'refused'

/** The legs of XEP-0220, by who does it: `us-` or `peer-`. */
export type DialbackLeg =
  | 'us-key' // our key goes to the partner
  | 'peer-answer' // what the partner makes of it
  | 'peer-key' // the partner's key comes to us
  | 'us-ask' // we ask the authoritative server about it
  | 'authority-answer' // what that one says
  | 'peer-ask' // the partner asks us, as the authoritative server, about a key of ours; the outcome is what we say

/** A certificate in words; dates in ISO 8601, names cut short. */
export type ShownCertificate = {
  readonly subject: string
  readonly issuer: string
  readonly names: readonly string[]
  readonly notBefore: string
  readonly notAfter: string
  /** SHA-256 of the DER, as a pin: `sha256:…` in lower-case hex. */
  readonly fingerprint: string
}

/** Milliseconds since the attempt began. */
export type TimedStep = AttemptStep & { readonly ms: number }

export const purposes = ['stanzas', 'verification', 'probe'] as const

/** What the stream is for: stanzas, the question about a key, or an operator's `probe`. */
export type Purpose = (typeof purposes)[number]

/** One attempt to have a stream, from its first step to the end of the stream. */
export type AttemptRecord = {
  readonly id: string
  readonly direction: 'in' | 'out'
  readonly purpose: Purpose
  readonly local: string | null
  readonly remote: string | null
  /** The peer came and said that it is `remote`; it has proven nothing, by a certificate or by dialback. */
  readonly claimed: boolean
  /** ISO 8601, UTC. */
  readonly started: string
  /** Until the outcome. */
  readonly durationMs: number
  readonly steps: readonly TimedStep[]
  readonly outcome: AttemptOutcome
  readonly closed: StreamEnd | null
}

/** `method` is null where nobody authenticates: on a stream that asks about keys. */
export type AttemptOutcome =
  | { readonly is: 'authenticated'; readonly method: string | null }
  | ({ readonly is: 'failed' } & Why)

export const sides = ['us', 'peer', 'network'] as const

/** How a stream ended, and who ended it. */
export type StreamEnd = Why & { readonly at: string; readonly side: (typeof sides)[number] }

/** Why an attempt failed, or its stream later did; undefined = neither. */
export function failureOf({ outcome, closed }: Pick<AttemptRecord, 'outcome' | 'closed'>): Why | undefined {
  if (outcome.is === 'failed') return outcome
  return closed !== null && isFailure(closed.code) ? closed : undefined
}

/** Where the peer has connected from; undefined where we did, or it is not known. */
export function sourceOf({ steps }: Pick<AttemptRecord, 'steps'>): string | undefined {
  const [first] = steps
  return first?.step === 'accepted' ? first.address : undefined
}

/** Who ends a stream by such a reason. */
export function sideOf({ code, reason }: Why): StreamEnd['side'] {
  if (code === 'connection-lost') return 'network'
  // A handshake fails on either side: the other one sends an alert, or just closes.
  if (code === 'tls-handshake-failed') return /\balert\b|\bclosed\b/.test(reason) ? 'peer' : 'us'
  return code.startsWith('peer-') || code === 'our-certificate-refused' ? 'peer' : 'us'
}
