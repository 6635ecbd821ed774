import type { KeyAnswer } from '../negotiation/dialback.ts'
import type { Method, Pair } from '../negotiation/stream.ts'
import type { Direction } from '../telemetry/events.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Why } from '../xmpp/reason.ts'
import { policyChanged, stopping, tooManyStreams } from './endings.ts'
import type { FederationEnvironment, Undeliverable } from './environment.ts'
import type { InboundSession } from './inbound-session.ts'
import { OutboundLink } from './outbound-link.ts'
import type { OutboundSession } from './outbound-session.ts'

const longestSweepMs = 60_000

/** What there is to say of a partner; `since` in ISO 8601. */
export type PartnerState = {
  readonly streams: readonly (Pair & {
    readonly direction: Direction
    readonly method: Method
    readonly since: string
  })[]
  readonly negotiating: readonly {
    readonly direction: Direction
    readonly local: Domain | null
    readonly remote: Domain
    readonly address: string | null
    readonly since: string
    readonly soFar: Why | null
  }[]
  readonly waiting: number
  readonly nextAttemptMs: number | null
}

/** Anybody may begin a stream in the name of a partner: more of them tell no more. */
const mostNegotiating = 20

/** Which stream carries which pair of domains, both ways; knows every stream there is. */
export class Directory {
  readonly #environment: FederationEnvironment
  readonly #inbound = new Set<InboundSession>()
  readonly #links = new Map<string, OutboundLink>()
  /** Taken from the links, their streams not yet gone. */
  readonly #leaving = new Set<OutboundLink>()
  readonly #verifying = new Set<OutboundSession>()
  /** Streams for verification on their way. */
  #asking = 0
  readonly #sweep: NodeJS.Timeout
  #isStopping = false

  /** Set by key verification, which asks on established streams too. */
  onKeyAnswer: (
    session: OutboundSession | undefined,
    pair: Pair,
    streamId: string,
    answer: KeyAnswer,
  ) => void = () => {}
  onStreamClosed: (session: OutboundSession) => void = () => {}

  constructor(environment: FederationEnvironment) {
    this.#environment = environment
    this.#sweep = setInterval(() => this.#forgetIdle(), longestSweepMs)
    this.#sweep.unref()
  }

  get inbound(): ReadonlySet<InboundSession> {
    return this.#inbound
  }

  /** Every outbound stream, for stanzas and for verification. */
  get outbound(): readonly OutboundSession[] {
    const links = [...this.#links.values(), ...this.#leaving]
    return [...links.flatMap(link => [...link.sessions]), ...this.#verifying]
  }

  /** Streams of ours on their way, from the search for the partner's server on. */
  get opening(): number {
    return this.#asking + [...this.#links.values()].filter(link => link.tryingSince !== undefined).length
  }

  /** Stanzas that wait for a partner's stream. */
  get waiting(): number {
    return [...this.#links.values()].reduce((sum, link) => sum + link.waiting, 0)
  }

  /** How things stand with a partner. */
  stateOf(partner: Domain): PartnerState {
    const isOf = (domain: Domain) => this.#environment.peerFor(domain)?.primaryDomain === partner
    const inbound = [...this.#inbound].flatMap(({ proofs, facts }) =>
      proofs.map(proof => ({ ...proof, direction: 'in' as const, since: facts.since })),
    )
    const links = [...this.#links.values()].filter(link => isOf(link.pair.remote))
    const outbound = links.flatMap(({ session, pair }) =>
      session?.method === undefined
        ? []
        : [{ ...pair, method: session.method, direction: 'out' as const, since: session.facts.since }],
    )
    const retries = links.flatMap(({ retryInMs }) => retryInMs ?? [])
    const coming = [...this.#inbound].flatMap(({ isClosing, proofs, facts }) => {
      const { address, since, soFar, hasServed } = facts
      const { local, remote } = facts.names
      const isAsking = hasServed && soFar === null
      const isIt = !isClosing && !isAsking && proofs.length === 0 && remote !== null && isOf(remote)
      return isIt ? [{ direction: 'in' as const, local, remote, address, since, soFar }] : []
    })
    const going = links.flatMap(({ pair, tryingSince: since }) =>
      since === undefined ? [] : [{ direction: 'out' as const, ...pair, address: null, since, soFar: null }],
    )
    return {
      negotiating: [...going, ...coming].slice(0, mostNegotiating).map(tellSince),
      streams: [...inbound.filter(({ remote }) => isOf(remote)), ...outbound].map(tellSince),
      waiting: links.reduce((sum, link) => sum + link.waiting, 0),
      nextAttemptMs: retries.length === 0 ? null : Math.min(...retries),
    }
  }

  /** What waits for a stream, pair by pair; how long the oldest has waited, in milliseconds. */
  get queues(): readonly { readonly remote: Domain; readonly stanzas: number; readonly oldestMs: number }[] {
    return Array.from(this.#links.values(), ({ pair, waiting, oldestMs }) => ({
      remote: pair.remote,
      stanzas: waiting,
      oldestMs,
    }))
  }

  addInbound(session: InboundSession): void {
    this.#inbound.add(session)
  }

  removeInbound(session: InboundSession): void {
    this.#inbound.delete(session)
  }

  /** Counts a stream for verification that is on its way, as long as it is. */
  async countOpening<T>(opening: Promise<T>): Promise<T> {
    this.#asking++
    try {
      return await opening
    } finally {
      this.#asking--
    }
  }

  addVerifying(session: OutboundSession): void {
    this.#verifying.add(session)
  }

  removeVerifying(session: OutboundSession): void {
    this.#verifying.delete(session)
  }

  /** The way out for a pair; made when first asked for. */
  link({ local, remote }: Pair): OutboundLink {
    const name = `${local} ${remote}`
    const known = this.#links.get(name)
    if (known !== undefined) return known
    // A pair of its own: who asks may have more in its hand, a key for one, that is not to be kept, nor logged.
    const pair = { local, remote }
    const link = new OutboundLink(pair, this.#environment, () => this.#refusalForOneMore(remote))
    link.onKeyAnswer = (of, streamId, answer) => this.onKeyAnswer(link.session, of, streamId, answer)
    link.onClosed = session => {
      this.onStreamClosed(session)
      if (link.sessions.size === 0) this.#leaving.delete(link)
    }
    this.#links.set(name, link)
    if (this.#isStopping) link.stop(undeliverable)
    return link
  }

  /** Takes a partner's answer to a keep-alive ping; false when it is none. */
  pong(pair: Pair, id: string): boolean {
    return this.#links.get(`${pair.local} ${pair.remote}`)?.pong(id) ?? false
  }

  /** A partner's server is up: it has just authenticated. */
  heardFrom(remote: Domain): void {
    for (const link of this.#links.values()) if (link.pair.remote === remote) link.forgetFailures()
  }

  /** After a reload, every partner gets a new chance. */
  forgetFailures(): void {
    for (const link of this.#links.values()) link.forgetFailures()
  }

  /** Why a stream that has just authenticated must go all the same: its partner has too many (contract §1). */
  refusalFor(remote: Domain): Why | undefined {
    return this.#countOf(remote) > this.#limitOf(remote) ? tooManyStreams : undefined
  }

  /**
   * Ends the streams of partners whose policy, or whose place in the list, is gone (contract §1, reload). Resolves once ours are
   * gone, and what they did not deliver has bounced.
   */
  async closeForbidden(): Promise<void> {
    const { peerFor, isLocal } = this.#environment
    const isForbidden = (pair: Pair, method: Method | undefined) => {
      const terms = peerFor(pair.remote)?.terms
      return (
        terms === undefined ||
        !isLocal(pair.local) ||
        (method !== undefined && !terms.methods.includes(method))
      )
    }
    for (const session of this.#inbound) {
      if (session.proofs.some(proof => isForbidden(proof, proof.method)))
        session.close('policy-violation', policyChanged)
    }
    // On a stream for verification nobody is authenticated; it stands under the TLS rule it was opened with.
    const isOutdated = ({ task }: OutboundSession) =>
      task.purpose === 'verification' && peerFor(task.pair.remote)?.terms.tls !== task.peer.terms.tls
    const forbidden = this.outbound.filter(
      session => isForbidden(session.task.pair, session.method) || isOutdated(session),
    )
    for (const session of forbidden) session.close('policy-violation', policyChanged)
    for (const [name, link] of this.#links) {
      if (!isForbidden(link.pair, undefined)) continue
      this.#links.delete(name)
      if (link.sessions.size > 0) this.#leaving.add(link)
      link.stop({ condition: 'not-allowed', text: 'this domain is not a partner' })
    }
    await Promise.all(forbidden.map(session => session.gone))
  }

  /** First step of a stop: partners send nothing more. What they have sent is still taken. */
  closeInbound(): void {
    for (const session of this.#inbound) session.close('system-shutdown', stopping)
  }

  /**
   * Second step: what waits in vain bounces, and what partners do not take within `ms`; so does, from now on, what comes for a
   * partner without a stream.
   * @returns whether a partner was dropped
   */
  async settle(ms: number): Promise<boolean> {
    const sessions = this.outbound.filter(session => session.isEstablished)
    for (const link of this.#links.values()) if (link.session === undefined) link.stop(undeliverable)
    await Promise.all(sessions.map(session => session.settle(ms)))
    for (const link of this.#links.values()) if (link.session === undefined) link.stop(undeliverable)
    return sessions.some(session => !session.isEstablished)
  }

  /** Third step: no stream is opened any more. */
  openNothingMore(): void {
    this.#isStopping = true
    clearInterval(this.#sweep)
    for (const link of this.#links.values()) link.stop(undeliverable)
  }

  /** Last step: what was sent is flushed, and our streams end. */
  closeOutbound(): void {
    for (const session of this.outbound) session.close('system-shutdown', stopping)
  }

  /** Drops what is still open. */
  destroy(): void {
    for (const session of [...this.#inbound, ...this.outbound]) session.destroy()
  }

  #refusalForOneMore(remote: Domain): Why | undefined {
    return this.#countOf(remote) >= this.#limitOf(remote) ? tooManyStreams : undefined
  }

  #limitOf(remote: Domain): number {
    return this.#environment.peerFor(remote)?.connectionLimit ?? this.#environment.limits().partnerConnections
  }

  /** Authenticated streams of the partner that a domain belongs to, both directions. */
  #countOf(remote: Domain): number {
    const { peerFor } = this.#environment
    const partner = peerFor(remote)?.primaryDomain
    const isOfPartner = (domain: Domain) => peerFor(domain)?.primaryDomain === partner
    let count = 0
    for (const { proofs } of this.#inbound) if (proofs.some(proof => isOfPartner(proof.remote))) count++
    for (const { task } of this.outbound) {
      if (task.purpose === 'stanzas' && isOfPartner(task.pair.remote)) count++
    }
    return count
  }

  #forgetIdle(): void {
    for (const [name, link] of this.#links) if (link.isIdle) this.#links.delete(name)
  }
}

function tellSince<Stream extends { readonly since: Date }>(
  stream: Stream,
): Omit<Stream, 'since'> & { since: string } {
  return { ...stream, since: stream.since.toISOString() }
}

const undeliverable: Undeliverable = { condition: 'remote-server-timeout', text: stopping.reason }
