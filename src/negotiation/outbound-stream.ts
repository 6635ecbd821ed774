import type { Certificate } from '../identity/certificate.ts'
import type { CertificateStanding } from '../identity/proof.ts'
import type { CertificateVerdict } from '../identity/verdict.ts'
import type { Element } from '../xml/element.ts'
import type { Domain } from '../xmpp/address.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import type { StreamCondition } from '../xmpp/stream-error.ts'
import type { KeyAnswer, KeyRequest } from './dialback.ts'
import type { Channel, Method, Pair, StreamHeader, Terms } from './stream.ts'

/** What is known once the peer has answered our header. */
export type Outbound = {
  readonly channel: Channel
  /** Given by the peer; our dialback key is bound to it (XEP-0185). */
  readonly streamId: string
  /** In its header. It is tried then; but whoever does not offer it as well may not permit it, and stay silent (contract §2). */
  readonly declaresDialback: boolean
}

/** Where an outbound stream stands. Each state holds what is known in it, and nothing else. */
export type OutboundState =
  | { readonly at: 'connecting' }
  | { readonly at: 'awaiting-header'; readonly channel: Channel; readonly isProven: boolean }
  | ({ readonly at: 'awaiting-features'; readonly isProven: boolean } & Outbound)
  | ({ readonly at: 'awaiting-pause'; readonly isProven: boolean } & Outbound) // before XMPP 1.0; an error may stand behind the header
  | { readonly at: 'awaiting-proceed' }
  | { readonly at: 'securing' }
  | ({ readonly at: 'awaiting-sasl'; readonly offersDialback: boolean } & Outbound)
  | ({
      readonly at: 'awaiting-dialback'
      readonly offersDialback: boolean
      /** Why EXTERNAL, which is permitted, has not been taken: refused, not offered, or under a bad certificate. */
      readonly noExternal: Why | undefined
    } & Outbound)
  | { readonly at: 'ready' } // a stream for verification alone: nobody authenticates on it
  | { readonly at: 'authenticated' }
  | { readonly at: 'closed' }

export type OutboundEvent =
  | { readonly on: 'connected'; readonly channel: Channel }
  | { readonly on: 'header'; readonly header: StreamHeader }
  | { readonly on: 'element'; readonly element: Element }
  | { readonly on: 'paused' } // in `awaiting-pause`: all that has come was told
  | { readonly on: 'stanza' } // s2s streams go one way (RFC 6120 §4.3): none is due on ours
  | { readonly on: 'secured'; readonly chain: readonly Certificate[] }
  | { readonly on: 'verify'; readonly request: KeyRequest }
  | ({ readonly on: 'lost' } & Why)

/** Why an attempt failed, and what its waiting stanzas come back with. */
export type OutboundFailure = Why & {
  readonly condition: StanzaCondition
  /** The peer dropped the stream because of EXTERNAL: a new connection may do without (contract §9). */
  readonly retryWithoutExternal: boolean
  /** The method that was tried, where one was. */
  readonly method: Method | undefined
  /** The peer does not serve the domain we asked for: `<host-unknown/>` or `<host-gone/>`. */
  readonly isUnknownHost: boolean
  /** How its stream ended, or what we ended it for; undefined = there was none. */
  readonly end: Why | undefined
}

export type OutboundAction =
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'secure' }
  | { readonly do: 'restart' }
  | { readonly do: 'ready' }
  | { readonly do: 'authenticated'; readonly method: Method; readonly certificate: CertificateStanding }
  | ({ readonly do: 'report'; readonly method: Method } & Why) // one method failed, another follows
  | { readonly do: 'key-answer'; readonly pair: Pair; readonly streamId: string; readonly answer: KeyAnswer }
  | { readonly do: 'note'; readonly reason: string }
  | { readonly do: 'tell'; readonly step: AttemptStep } // for the journal
  | { readonly do: 'fail'; readonly failure: OutboundFailure }
  | (Why & {
      readonly do: 'close'
      readonly condition: StreamCondition | undefined
      /** What the peer is told beside the condition. */
      readonly text: string
    })

export type OutboundStep = { readonly state: OutboundState; readonly actions: readonly OutboundAction[] }

/** What the machine is told of its task; all of it pure. */
export type OutboundContext = {
  readonly local: Domain
  readonly remote: Domain
  readonly terms: Terms
  /** `verification`: only asks the authoritative server about keys (XEP-0220 §2.1.2). */
  readonly purpose: 'stanzas' | 'verification'
  /** False on the connection that follows one dropped because of EXTERNAL. */
  readonly tryExternal: boolean
  judge(chain: readonly Certificate[]): CertificateVerdict
  /** Our dialback key for a stream id of the peer's. */
  keyFor(streamId: string): string
}

/**
 * Ends an attempt: the stream is closed, the stanzas that wait for it come back.
 * @param options.streamError what the peer is told, with the reason as its text, or with `options.text`; default: nothing
 */
export function giveUp(
  code: ReasonCode,
  reason: string,
  options: Partial<Omit<OutboundFailure, 'code' | 'reason'>> & {
    streamError?: StreamCondition
    text?: string
  } = {},
): OutboundStep {
  const end = options.end ?? { code, reason }
  const failure: OutboundFailure = {
    condition: options.condition ?? 'remote-server-timeout',
    code,
    reason,
    retryWithoutExternal: options.retryWithoutExternal ?? false,
    method: options.method,
    isUnknownHost: options.isUnknownHost ?? false,
    end,
  }
  return {
    state: { at: 'closed' },
    actions: [
      { do: 'fail', failure },
      { do: 'close', condition: options.streamError, ...end, text: options.text ?? reason },
    ],
  }
}
