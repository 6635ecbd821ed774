import { randomBytes } from 'node:crypto'
import type { Pair } from '../negotiation/stream.ts'
import { Attempt } from '../telemetry/attempt.ts'
import { Outbox } from '../transport/outbox.ts'
import type { Destination, Run } from '../xml/run.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { Why } from '../xmpp/reason.ts'
import { backoffMs } from './backoff.ts'
import { policyChanged, unansweredPing } from './endings.ts'
import type { FederationEnvironment, Peer, Undeliverable } from './environment.ts'
import { EstablishError, establish } from './establish.ts'
import { KeepAlive } from './keep-alive.ts'
import type { OutboundSession } from './outbound-session.ts'

/**
 * The way to one partner domain from one of ours: the stream that carries the pair, the stanzas that wait for one, and the memory of
 * failures. A stanza given to it is delivered or bounced.
 */
export class OutboundLink implements Destination {
  readonly pair: Pair
  readonly #environment: FederationEnvironment
  readonly #outbox: Outbox
  readonly #abort = new AbortController()
  readonly #waitingForDrain: (() => void)[] = []
  /** Streams not yet gone, the one in use among them. */
  readonly #sessions = new Set<OutboundSession>()
  #current: OutboundSession | undefined
  #keepAlive: KeepAlive | undefined
  #tryingSince: Date | undefined
  #failures = 0
  #retryAtMs = 0
  #retry: NodeJS.Timeout | undefined
  #lastFailure: Undeliverable = cannotConnect('remote-server-timeout')
  #stopped: Undeliverable | undefined
  readonly #refusal: () => Why | undefined
  readonly #peer: () => Peer | undefined

  /** @param refusal why no more streams to this partner may be opened, if so */
  constructor(pair: Pair, environment: FederationEnvironment, refusal: () => Why | undefined) {
    this.pair = pair
    this.#environment = environment
    this.#refusal = refusal
    this.#peer = () => environment.peerFor(pair.remote)
    const limits = () => {
      const { queueStanzas, queueBytes } = environment.limits()
      return { stanzas: queueStanzas, bytes: queueBytes, waitMs: environment.timeouts().queueMs }
    }
    this.#outbox = new Outbox(ns.server, limits, overdue =>
      this.#bounce(overdue, cannotConnect('remote-server-timeout')),
    )
  }

  /** The established stream, if there is one. */
  get session(): OutboundSession | undefined {
    return this.#current
  }

  get sessions(): ReadonlySet<OutboundSession> {
    return this.#sessions
  }

  /** Stanzas waiting for a stream. */
  get waiting(): number {
    return this.#outbox.size
  }

  /** How long the oldest of them has waited, in milliseconds; 0 where none waits. */
  get oldestMs(): number {
    return this.#outbox.oldestMs
  }

  /** Milliseconds until the next attempt, where one is put off after a failure. */
  get retryInMs(): number | undefined {
    const ms = this.#retryAtMs - performance.now()
    return ms > 0 && this.#current === undefined ? Math.ceil(ms) : undefined
  }

  /** Neither streams nor waiting stanzas nor an attempt: nothing is lost by forgetting the link. */
  get isIdle(): boolean {
    return this.#sessions.size === 0 && this.#outbox.size === 0 && !this.#tryingSince && this.#failures === 0
  }

  /** Since when a stream is on its way, from the search for the partner's server on; undefined = none is. */
  get tryingSince(): Date | undefined {
    return this.#tryingSince
  }

  send(run: Run): boolean {
    if (this.#current !== undefined) return this.#current.send(run)
    if (this.#stopped !== undefined) {
      this.#bounce(run, this.#stopped)
      return true
    }
    const waitMs = this.#retryAtMs - performance.now()
    if (waitMs > this.#environment.timeouts().queueMs) {
      this.#bounce(run, this.#lastFailure)
      return true
    }
    const tooMany = this.#outbox.hold(run)
    if (tooMany !== undefined) {
      this.#bounce(tooMany, {
        condition: 'resource-constraint',
        text: 'too many stanzas wait for this domain',
      })
    }
    if (waitMs <= 0) void this.#try()
    else this.#retry ??= setTimeout(() => void this.#try(), waitMs)
    return true
  }

  get isFull(): boolean {
    if (this.#current === undefined) return this.#outbox.isFull
    return this.#current.unsentBytes > this.#environment.limits().queueBytes
  }

  whenDrained(resume: () => void): void {
    if (this.#current === undefined) resume()
    else this.#waitingForDrain.push(resume)
  }

  /** Forgets failures: the partner was heard from, or the configuration was reloaded. */
  forgetFailures(): void {
    this.#failures = 0
    this.#retryAtMs = 0
    if (this.#retry === undefined) return
    clearTimeout(this.#retry)
    this.#retry = undefined
    void this.#try()
  }

  /** Opens nothing any more; what waits bounces. A stream that is up stays so. */
  stop(why: Undeliverable): void {
    this.#abort.abort(new Error(why.text))
    this.#stopped = why
    clearTimeout(this.#retry)
    const waiting = this.#outbox.takeAll()
    if (waiting !== undefined) this.#bounce(waiting, why)
  }

  async #try(): Promise<void> {
    clearTimeout(this.#retry)
    this.#retry = undefined
    const peer = this.#peer()
    if (this.#tryingSince || this.#current !== undefined || this.#stopped !== undefined) return
    // A stream that still ends may still deliver: what comes behind must not overtake it. `closed` tries again.
    if (this.#sessions.size > 0) return
    if (peer === undefined)
      return this.#failed({ condition: 'not-allowed', text: 'this domain is not a partner' })
    const refusal = this.#refusal()
    if (refusal !== undefined) return this.#refused(refusal)
    this.#tryingSince = new Date()
    try {
      await this.#connect(peer)
    } catch (error) {
      if (this.#abort.signal.aborted) return
      const isExpected = error instanceof EstablishError
      if (!isExpected)
        this.#environment.log.error('an attempt failed on an unexpected error', { ...this.pair, err: error })
      this.#failed(isExpected ? cannotConnect(error.failure.condition) : unexpected)
    } finally {
      this.#tryingSince = undefined
    }
  }

  async #connect(peer: Peer): Promise<void> {
    let session: OutboundSession | undefined
    let isClosed = false
    const gone = () => {
      if (this.#current !== session || session === undefined) return
      this.#current = undefined
      this.#keepAlive?.stop()
      this.#drained()
    }
    session = await establish(
      { pair: this.pair, peer, purpose: 'stanzas' },
      this.#environment,
      {
        drained: () => this.#drained(),
        keyAnswer: (pair, streamId, answer) => this.onKeyAnswer(pair, streamId, answer),
        closing: gone,
        closed: unsent => {
          isClosed = true
          gone()
          for (const run of unsent) this.#bounce(run, lost)
          if (session === undefined) return
          this.#sessions.delete(session)
          this.onClosed(session)
          if (this.#outbox.size > 0) void this.#try()
        },
      },
      this.#abort.signal,
    )
    if (!isClosed) this.#sessions.add(session)
    if (!session.isEstablished) return this.#failed(lost) // it ended as soon as it was there
    this.#failures = 0
    this.#retryAtMs = 0
    const terms = this.#peer()?.terms
    if (terms === undefined || !terms.methods.includes(session.method!)) {
      // `closed` tries again, under the new one.
      session.close('policy-violation', policyChanged)
      return
    }
    this.#current = session
    this.#keep(session, peer)
    const { metrics, authenticated } = this.#environment
    authenticated(this.pair.remote, 'out')
    for (const ms of this.#outbox.waitsMs) metrics.observe('gatehouse_queue_wait_seconds', ms / 1000)
    const waiting = this.#outbox.takeAll()
    if (waiting !== undefined) session.send(waiting)
  }

  #keep(session: OutboundSession, peer: Peer): void {
    if (!peer.keepAlive) return
    const { keepAliveMs: idleMs, dialbackMs: answerMs } = this.#environment.timeouts()
    const silent = () => session.close('connection-timeout', unansweredPing)
    this.#keepAlive = new KeepAlive(session, this.pair, { idleMs, answerMs, newId: pingId }, silent)
  }

  /** Takes the answer to a keep-alive ping; false when it is none. */
  pong(id: string): boolean {
    return this.#keepAlive?.answered(id) ?? false
  }

  /** Set by the directory: answers about keys that were asked on this link's stream. */
  onKeyAnswer: NonNullable<Parameters<typeof establish>[2]['keyAnswer']> = () => {}
  onClosed: (session: OutboundSession) => void = () => {}

  #refused({ code, reason }: Why): void {
    const { log, metrics, record } = this.#environment
    const condition = 'resource-constraint'
    log.event({ event: 'stream.refused', direction: 'out', ...this.pair, condition, code, reason })
    metrics.failure('out', code)
    new Attempt({ direction: 'out', purpose: 'stanzas', ...this.pair }, { record }).failed({ code, reason })
    this.#failed({ condition, text: reason })
  }

  #failed(why: Undeliverable): void {
    this.#failures++
    this.#lastFailure = why
    this.#retryAtMs = performance.now() + backoffMs(this.#failures, Math.random())
    const waiting = this.#outbox.takeAll()
    if (waiting !== undefined) this.#bounce(waiting, why)
  }

  #drained(): void {
    for (const resume of this.#waitingForDrain.splice(0)) resume()
  }

  #bounce(run: Run, why: Undeliverable): void {
    if (!run.isOurs) this.#environment.bounce(this.pair, run, why)
  }
}

const lost: Undeliverable = {
  condition: 'remote-server-timeout',
  text: 'the connection to this domain was lost',
}

const unexpected: Undeliverable = {
  condition: 'internal-server-error',
  text: 'this domain cannot be reached',
}

/** What senders are told: the cause, never a host of the far side (contract §3). */
function cannotConnect(condition: Undeliverable['condition']): Undeliverable {
  const texts: Partial<Record<Undeliverable['condition'], string>> = {
    'remote-server-not-found': 'this domain has no XMPP service that could be found',
    'remote-server-timeout': 'no stream to this domain could be established',
    'internal-server-error': 'this domain did not accept our dialback key',
  }
  return { condition, text: texts[condition] ?? 'this domain cannot be reached' }
}

/** Unpredictable: only who got the ping can answer it. */
function pingId(): string {
  return `ping-${randomBytes(16).toString('hex')}`
}
