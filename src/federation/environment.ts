import type { Certificate } from '../identity/certificate.ts'
import type { Proof } from '../identity/proof.ts'
import type { CertificateVerdict } from '../identity/verdict.ts'
import type { Pair, Terms } from '../negotiation/stream.ts'
import type { Direction } from '../telemetry/events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Dialer } from '../transport/dialer.ts'
import type { Admission } from '../transport/listener.ts'
import type { TlsContexts } from '../transport/tls.ts'
import type { Slice } from '../xml/reader.ts'
import type { Pausable, Run } from '../xml/run.ts'
import type { Domain } from '../xmpp/address.ts'
import type { AttemptRecord } from '../xmpp/attempt.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'

/** What streams need to know of a partner. */
export type Peer = {
  readonly primaryDomain: Domain
  readonly terms: Terms
  readonly keepAlive: boolean
  readonly connectionLimit: number | undefined
  readonly proxy: { readonly host: string; readonly port: number } | undefined
}

/** A stream that stanzas are read from. */
export type StanzaSource = Pausable & {
  /** Namespace declarations of its header. */
  readonly declarations: ReadonlyMap<string, string>
}

/** Where the stanzas of one source go. */
export type StanzaSink = {
  /** @throws {StreamError} when the stanza's addresses lie outside what was proven (RFC 6120 §8.1) */
  stanza(slice: Slice, proofs: readonly Proof[]): void
  /** One read is over: what was gathered may go. */
  flush(): void
}

export type StreamLimits = {
  readonly stanzaBytes: number
  readonly depth: number
  readonly partnerConnections: number
  readonly unauthenticatedBytes: number
  readonly unauthenticatedElements: number
  readonly queueStanzas: number
  readonly queueBytes: number
}

export type StreamTimeouts = {
  readonly streamEstablishmentMs: number
  readonly dialbackMs: number
  readonly queueMs: number
  readonly inactivityMs: number
  readonly keepAliveMs: number
}

/** Why stanzas come back, as their sender is told it. */
export type Undeliverable = { readonly condition: StanzaCondition; readonly text: string }

/** The gateway around the streams with partners; what may change with a reload is a function. */
export type FederationEnvironment = {
  readonly log: Log
  readonly metrics: Metrics
  readonly tls: TlsContexts
  readonly dialer: Dialer
  readonly admission: Pick<Admission, 'countOutbound'>
  /** Hears of every attempt to have a stream, at its outcome and at the end of its stream. */
  readonly record: (record: AttemptRecord) => void
  readonly limits: () => StreamLimits
  readonly timeouts: () => StreamTimeouts
  readonly mainDomain: () => Domain
  readonly isLocal: (domain: Domain) => boolean
  readonly peerFor: (domain: Domain) => Peer | undefined
  /** Undefined where there are no partners. */
  readonly anyTerms: () => Terms | undefined
  /** Judges a peer's certificate; `direction` is that of its stream. */
  readonly judge: (chain: readonly Certificate[], domain: Domain, direction: Direction) => CertificateVerdict
  readonly dialbackSecret: () => string
  readonly replyToInvalidKey: () => boolean
  readonly openSink: (source: StanzaSource) => StanzaSink
  /** A stream with one of a partner's domains is up. */
  readonly authenticated: (remote: Domain, direction: Direction) => void
  /** Takes back stanzas that a stream to `pair.remote` could not deliver. */
  readonly bounce: (pair: Pair, run: Run, why: Undeliverable) => void
}
