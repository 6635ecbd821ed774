import type { Certificate } from '../identity/certificate.ts'
import type { CertificateStanding, Proof } from '../identity/proof.ts'
import type { CertificateVerdict } from '../identity/verdict.ts'
import type { Element } from '../xml/element.ts'
import type { Domain } from '../xmpp/address.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import type { StreamCondition } from '../xmpp/stream-error.ts'
import type { KeyAnswer, KeyRequest } from './dialback.ts'
import type { Channel, Method, Pair, StreamHeader, Terms } from './stream.ts'

/** What is known of an inbound stream while it is negotiated and after. */
export type Inbound = {
  readonly channel: Channel
  readonly proofs: readonly Proof[]
  /** The local domain the peer asked for. */
  readonly local: Domain
  /** The domain the peer says it is, where it said so. */
  readonly remote: Domain | undefined
  readonly streamId: string
  /** How often SASL has failed under TLS. */
  readonly saslFailures: number
  /** Keys the authoritative servers are being asked about. */
  readonly asked: readonly AskedPair[]
}

/** A pair in question, with the names as the peer wrote them, which its answer must bear. */
export type AskedPair = Pair & { readonly names: { readonly local: string; readonly remote: string } }

/** Where an inbound stream stands. Each state holds what is known in it, and nothing else. */
export type InboundState =
  | { readonly at: 'awaiting-header'; readonly channel: Channel; readonly before: Inbound | undefined }
  | ({ readonly at: 'negotiating' } & Inbound)
  | ({ readonly at: 'challenged' } & Inbound) // an empty <challenge/> is out, <response/> is due
  | { readonly at: 'securing' } // <proceed/> is sent, the TLS handshake runs
  | { readonly at: 'closed' }

export type InboundEvent =
  | { readonly on: 'header'; readonly header: StreamHeader; readonly streamId: string }
  | { readonly on: 'element'; readonly element: Element }
  | { readonly on: 'stanza' } // one that no proof covers yet
  | { readonly on: 'secured'; readonly chain: readonly Certificate[] }
  | { readonly on: 'key-answer'; readonly pair: Pair; readonly streamId: string; readonly answer: KeyAnswer }
  | {
      readonly on: 'refuse' // the gateway's own limits
      readonly condition: StreamCondition
      readonly code: ReasonCode
      readonly reason: string
      /** For the header around the error, where the peer has had none. */
      readonly streamId: string
    }
  | { readonly on: 'lost' }

export type InboundAction =
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'secure' } // upgrade to TLS; what follows in the clear is not read
  | { readonly do: 'restart' } // a new stream header is due
  | { readonly do: 'ask'; readonly request: KeyRequest }
  | { readonly do: 'prove'; readonly proof: Proof; readonly certificate: CertificateStanding }
  | ({ readonly do: 'report'; readonly pair: Pair; readonly method: Method } & Why) // one authentication failed
  | { readonly do: 'note'; readonly code?: ReasonCode; readonly reason: string } // ignored, but worth a line in the log
  | { readonly do: 'tell'; readonly step: AttemptStep } // for the journal
  | ({ readonly do: 'close'; readonly condition: StreamCondition | undefined } & Why)

export type InboundStep = { readonly state: InboundState; readonly actions: readonly InboundAction[] }

/** What the machine asks of the gateway around it; all of it pure. */
export type InboundContext = {
  /** The local domain named where the peer's own choice cannot be (RFC 6120 §4.9.1.2). */
  readonly mainDomain: Domain
  isLocal(domain: Domain): boolean
  /** Undefined = not a partner. */
  termsFor(domain: Domain): Terms | undefined
  /** For a peer that has not said who it is; undefined where there are no partners. */
  readonly anyTerms: Terms | undefined
  judge(chain: readonly Certificate[], domain: Domain): CertificateVerdict
  isOurKey(binding: { receiving: Domain; originating: Domain; streamId: string }, key: string): boolean
  readonly replyToInvalidKey: boolean
  readonly limits: { readonly stanzaBytes: number; readonly idleMs: number }
}

/** Domain pairs on one stream, proven or asked about: each costs a verification (XEP-0220 §2.4, resource-constraint). */
export const maxPairs = 100

/** The states in which elements are negotiated. */
export type Negotiating = InboundState & { readonly at: 'negotiating' | 'challenged' }

/** The standing of the peer's certificate for a domain, as it is logged. */
export function standingOf(
  channel: Channel,
  domain: Domain,
  context: Pick<InboundContext, 'judge'>,
): CertificateStanding {
  if (!channel.secure || channel.chain.length === 0) return 'none'
  return context.judge(channel.chain, domain).valid ? 'valid' : 'invalid'
}

/** Goes on, with a line in the log; with a code where that may be why nothing comes of the stream. */
export function ignore(state: InboundState, reason: string, code?: ReasonCode): InboundStep {
  return { state, actions: [{ do: 'note', ...(code === undefined ? {} : { code }), reason }] }
}

/** Ends the stream; `header` is sent first where the peer has not had one (RFC 6120 §4.9.1.2). */
export function fail(condition: StreamCondition, code: ReasonCode, reason: string, header = ''): InboundStep {
  const actions: InboundAction[] = header === '' ? [] : [{ do: 'send', text: header }]
  return { state: { at: 'closed' }, actions: [...actions, closing(condition, code, reason)] }
}

/** The action that ends the stream; without a condition it is closed in good order. */
export function closing(
  condition: StreamCondition | undefined,
  code: ReasonCode,
  reason: string,
): InboundAction {
  return { do: 'close', condition, code, reason }
}

/** Are these the same two domains? */
export function isSame(one: Pair, other: Pair): boolean {
  return one.local === other.local && one.remote === other.remote
}
