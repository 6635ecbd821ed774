import type { Socket } from 'node:net'
import { dialbackKey } from '../identity/dialback-key.ts'
import type { KeyAnswer, KeyRequest } from '../negotiation/dialback.ts'
import { advance } from '../negotiation/outbound.ts'
import type {
  OutboundAction,
  OutboundContext,
  OutboundEvent,
  OutboundFailure,
  OutboundState,
} from '../negotiation/outbound-stream.ts'
import { type Method, type Pair, readHeader } from '../negotiation/stream.ts'
import type { SecuredSocket } from '../transport/tls.ts'
import { closeGraceMs, XmlStream } from '../transport/xml-stream.ts'
import { toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import type { Run } from '../xml/run.ts'
import { toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import { isStanzaKind } from '../xmpp/stanza.ts'
import type { StreamCondition, StreamError } from '../xmpp/stream-error.ts'
import type { FederationEnvironment, Peer } from './environment.ts'
import { IdleWatch } from './idle-watch.ts'

/** What one stream of ours is for. */
export type OutboundTask = {
  readonly pair: Pair
  readonly peer: Peer
  readonly purpose: 'stanzas' | 'verification'
  readonly tryExternal: boolean
}

/** What a stream tells the link that opened it. */
export type OutboundHooks = {
  /** Stanzas, or questions about keys, may go now. */
  established(session: OutboundSession): void
  /** The attempt failed; `closed` follows. */
  failed(failure: OutboundFailure): void
  drained(): void
  keyAnswer(pair: Pair, streamId: string, answer: KeyAnswer): void
  /** Nothing more may be sent: the peer or we are closing. */
  closing(): void
  /** The stream is gone; the kernel never took these runs. Called once, last. */
  closed(unsent: readonly Run[]): void
}

/** A stream that we opened to a partner, from the socket on. */
export class OutboundSession {
  readonly #environment: FederationEnvironment
  readonly #task: OutboundTask
  readonly #hooks: OutboundHooks
  readonly #context: OutboundContext
  readonly #stream: XmlStream<Run>
  readonly #abort = new AbortController()
  readonly #openedMs = performance.now()
  readonly #gone = Promise.withResolvers<void>()
  #deadline: NodeJS.Timeout | undefined
  #idle: IdleWatch | undefined
  #state: OutboundState = { at: 'connecting' }
  #tls: Pick<SecuredSocket, 'version' | 'cipher'> | null
  #streamId = ''
  #stanzas = 0
  #lastSentMs = performance.now()
  #isOver = false
  #reason: string | undefined
  #method: Method | undefined

  constructor(
    socket: Socket,
    secured: SecuredSocket | undefined,
    task: OutboundTask,
    environment: FederationEnvironment,
    hooks: OutboundHooks,
  ) {
    this.#environment = environment
    this.#task = task
    this.#hooks = hooks
    this.#context = contextOf(task, environment)
    this.#tls = secured ? { version: secured.version, cipher: secured.cipher } : null
    const { unauthenticatedBytes, depth, stanzaBytes } = environment.limits()
    const elementBytes = Math.min(stanzaBytes, 2 * unauthenticatedBytes) // features may be longer than what we are asked
    this.#stream = new XmlStream<Run>(
      socket,
      { content: ns.server, limits: { elementBytes, depth }, closeGraceMs },
      {
        header: header => {
          const read = readHeader(header, ns.server)
          this.#streamId = read.id ?? ''
          this.#advance({ on: 'header', header: read })
        },
        element: slice => this.#element(slice),
        pausedReading: () => {},
        fault: error => this.#fault(error),
        ended: () => this.#ended(),
        drained: () => hooks.drained(),
        closed: error => this.#closed(error),
      },
    )
    const { streamEstablishmentMs } = environment.timeouts()
    this.#deadline = setTimeout(
      () => this.#expire('not established', streamEstablishmentMs),
      streamEstablishmentMs,
    )
    this.#advance({
      on: 'connected',
      channel: secured ? { secure: true, chain: secured.chain } : { secure: false },
    })
  }

  get task(): OutboundTask {
    return this.#task
  }

  /** How it was authenticated, if it was. */
  get method(): Method | undefined {
    return this.#method
  }

  get isEstablished(): boolean {
    return !this.#isOver && (this.#state.at === 'authenticated' || this.#state.at === 'ready')
  }

  /** Milliseconds of `performance.now()` when the stream was last used, either way. */
  get lastUsedMs(): number {
    return Math.max(this.#lastSentMs, this.#stream.lastReadMs)
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#stream.unsentBytes
  }

  /** Resolves once the stream is gone, and what it could not send was given back. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Resolves once the kernel has taken all that was sent until now; a peer that does not read it within `ms` is dropped. */
  settle(ms: number): Promise<void> {
    return this.#stream.settle(ms)
  }

  /**
   * Sends stanzas of the pair.
   * @returns false when the peer reads too slowly: `drained` follows
   */
  send(run: Run): boolean {
    this.#stanzas += run.stanzas
    this.#lastSentMs = performance.now()
    return this.#stream.sendRun(run.bytes, run)
  }

  /** Asks the peer, as authoritative server, about a key (XEP-0220 §2.1.2). */
  verify(request: KeyRequest): void {
    this.#lastSentMs = performance.now()
    this.#advance({ on: 'verify', request })
  }

  close(condition: StreamCondition | undefined, reason: string): void {
    this.#reason ??= reason
    this.#over()
    if (this.#state.at === 'securing') this.#abort.abort(new Error(reason))
    else this.#stream.close(condition, condition && reason)
  }

  /** Drops the connection: the time for closing in good order is over. */
  destroy(): void {
    this.#stream.destroy(new Error('the gateway stops'))
  }

  #element(slice: Slice): void {
    if (slice.namespace === ns.server && isStanzaKind(slice.name)) return this.#advance({ on: 'stanza' })
    this.#advance({ on: 'element', element: toElement(slice, this.#stream.declarations) })
  }

  #advance(event: OutboundEvent): void {
    const { state, actions } = advance(this.#state, event, this.#context)
    this.#state = state
    this.#watchDialback()
    for (const action of actions) this.#perform(action)
  }

  /** An answer to our dialback key has a time limit of its own (contract §1, timeouts.dialback). */
  #watchDialback(): void {
    if (this.#state.at !== 'awaiting-dialback') return
    const { dialbackMs } = this.#environment.timeouts()
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#expire('no answer to our dialback key', dialbackMs), dialbackMs)
  }

  #perform(action: OutboundAction): void {
    const { metrics, log } = this.#environment
    switch (action.do) {
      case 'send':
        return this.#stream.send(action.text)
      case 'restart':
        return this.#stream.restart()
      case 'secure':
        void this.#secure()
        return
      case 'ready':
        return this.#established()
      case 'authenticated': {
        const { method, certificate } = action
        const { local, remote } = this.#task.pair
        const id = this.#streamId
        this.#method = method
        metrics.authentication('out', method, 'success')
        log.event({
          event: 'stream.authenticated',
          direction: 'out',
          local,
          remote,
          method,
          tls: this.#tls,
          certificate,
          id,
        })
        return this.#established()
      }
      case 'report':
        metrics.authentication('out', action.method, 'failure')
        return this.#logRefusal('not-authorized', action.reason)
      case 'key-answer':
        return this.#hooks.keyAnswer(action.pair, action.streamId, action.answer)
      case 'note':
        return log.info('partner noted', { direction: 'out', ...this.#task.pair, reason: action.reason })
      case 'fail':
        return this.#fail(action.failure)
      case 'close':
        this.#reason ??= action.reason
        return this.#stream.close(action.condition, action.condition && action.reason)
    }
  }

  #established(): void {
    clearTimeout(this.#deadline)
    const { stanzaBytes, depth } = this.#environment.limits()
    this.#stream.limits = { elementBytes: stanzaBytes, depth }
    const { inactivityMs } = this.#environment.timeouts()
    this.#idle = new IdleWatch(
      inactivityMs,
      () => this.lastUsedMs,
      () => this.close(undefined, 'idle'),
    )
    this.#environment.metrics.observe(
      'gatehouse_stream_establishment_seconds',
      (performance.now() - this.#openedMs) / 1000,
    )
    this.#hooks.established(this)
  }

  async #secure(): Promise<void> {
    try {
      const { tls } = this.#environment
      const { pair } = this.#task
      const options = { ...pair, directTls: false, signal: this.#abort.signal }
      const secured = await this.#stream.secure(socket => tls.connect(socket, options))
      this.#tls = { version: secured.version, cipher: secured.cipher }
      this.#advance({ on: 'secured', chain: secured.chain })
    } catch (error) {
      this.#advance({
        on: 'lost',
        reason: `the TLS handshake failed: ${error instanceof Error ? error.message : error}`,
      })
    }
  }

  #fail(failure: OutboundFailure): void {
    if (this.#idle !== undefined || this.#isOver) return this.#over() // it was up: it ends, it does not fail
    this.#over()
    if (failure.method !== undefined)
      this.#environment.metrics.authentication('out', failure.method, 'failure')
    this.#logRefusal(failure.condition, failure.reason)
    this.#hooks.failed(failure)
  }

  #fault(error: StreamError): void {
    if (error.condition === 'internal-server-error') {
      this.#environment.log.error('a stream failed on an unexpected error', {
        ...this.#task.pair,
        err: error.cause,
      })
    }
    this.#stream.close(error.condition, error.message, error.detail)
    this.#advance({
      on: 'lost',
      reason: `what the partner sent cannot be read: ${error.condition} (${error.message})`,
    })
  }

  #ended(): void {
    this.#advance({ on: 'lost', reason: 'the partner closed the stream' })
    this.#stream.close()
  }

  #expire(what: string, ms: number): void {
    if (this.#state.at === 'securing') this.#abort.abort(new Error('the time for the TLS handshake is over'))
    else this.#stream.close('connection-timeout')
    this.#advance({ on: 'lost', reason: `${what} within ${ms / 1000} s` })
  }

  /** Nothing more is sent on this stream. */
  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#hooks.closing()
  }

  #closed(error: Error | undefined): void {
    clearTimeout(this.#deadline)
    this.#idle?.stop()
    this.#abort.abort(new Error('the connection was lost'))
    const lost = error ? `connection lost: ${error.message}` : 'the partner closed the connection'
    this.#advance({ on: 'lost', reason: lost })
    this.#over()
    this.#environment.log.event({
      event: 'stream.closed',
      direction: 'out',
      ...this.#task.pair,
      reason: this.#reason ?? lost,
      stanzasIn: 0,
      stanzasOut: this.#stanzas,
    })
    this.#hooks.closed(this.#stream.takeUnsent())
    this.#gone.resolve()
  }

  #logRefusal(condition: string, reason: string): void {
    this.#environment.log.event({
      event: 'stream.refused',
      direction: 'out',
      ...this.#task.pair,
      condition,
      reason,
    })
  }
}

function contextOf(task: OutboundTask, environment: FederationEnvironment): OutboundContext {
  const { local, remote } = task.pair
  return {
    local,
    remote,
    terms: task.peer.terms,
    purpose: task.purpose,
    tryExternal: task.tryExternal,
    judge: chain => environment.judge(chain, remote, 'out'),
    keyFor: streamId => {
      const binding = { receiving: toUnicode(remote), originating: toUnicode(local), streamId }
      return dialbackKey(environment.dialbackSecret(), binding)
    },
  }
}
