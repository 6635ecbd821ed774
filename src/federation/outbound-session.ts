import type { Socket } from 'node:net'
import type { KeyRequest } from '../negotiation/dialback.ts'
import { advance } from '../negotiation/outbound.ts'
import type {
  OutboundAction,
  OutboundContext,
  OutboundEvent,
  OutboundFailure,
  OutboundState,
} from '../negotiation/outbound-stream.ts'
import { type Method, readHeader } from '../negotiation/stream.ts'
import type { SecuredSocket } from '../transport/tls.ts'
import { closeGraceMs, XmlStream } from '../transport/xml-stream.ts'
import { toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import type { Run } from '../xml/run.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import { isStanzaKind } from '../xmpp/stanza.ts'
import type { StreamCondition, StreamError } from '../xmpp/stream-error.ts'
import { type OutboundTask, outboundContext } from './context.ts'
import { idle, stopped, withoutTls } from './endings.ts'
import type { FederationEnvironment } from './environment.ts'
import { IdleWatch } from './idle-watch.ts'
import type { OutboundHooks } from './outbound-hooks.ts'
import type { StreamFacts } from './stream-facts.ts'
import { StreamReport } from './stream-report.ts'

/** A stream that we opened to a partner, from the socket on. */
export class OutboundSession {
  readonly #environment: FederationEnvironment
  readonly #task: OutboundTask
  readonly #hooks: OutboundHooks
  readonly #context: OutboundContext
  readonly #stream: XmlStream<Run>
  readonly #abort = new AbortController()
  readonly #report: StreamReport
  readonly #gone = Promise.withResolvers<void>()
  #deadline: NodeJS.Timeout | undefined
  #idle: IdleWatch | undefined
  #state: OutboundState = { at: 'connecting' }
  #lastSentMs = performance.now()
  #isOver = false
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
    this.#context = outboundContext(task, environment)
    this.#report = new StreamReport('out', environment, task.attempt, socket.remoteAddress)
    this.#report.names = task.pair
    if (secured) this.#secured(secured)
    const { unauthenticatedBytes, depth, stanzaBytes } = environment.limits()
    const { streamEstablishmentMs, queueMs: stallMs } = environment.timeouts()
    const elementBytes = Math.min(stanzaBytes, 2 * unauthenticatedBytes) // features may be longer than what we are asked
    this.#stream = new XmlStream<Run>(
      socket,
      { content: ns.server, limits: { elementBytes, depth }, stallMs, closeGraceMs },
      {
        header: header => {
          const read = readHeader(header, ns.server)
          this.#report.streamId = read.id ?? ''
          this.#advance({ on: 'header', header: read })
        },
        element: slice => this.#element(slice),
        pausedReading: () => {
          if (this.#state.at === 'awaiting-pause') this.#advance({ on: 'paused' })
        },
        fault: error => this.#fault(error),
        ended: () => this.#ended(),
        drained: () => hooks.drained(),
        taken: ({ kinds }) => environment.metrics.relayed('out', kinds),
        closed: error => this.#closed(error),
      },
    )
    this.#expireAfter(streamEstablishmentMs, 'establishment-timeout', 'not established')
    this.#advance({
      on: 'connected',
      channel: secured ? { secure: true, chain: secured.chain } : { secure: false },
    })
  }

  get task(): OutboundTask {
    return this.#task
  }

  get facts(): StreamFacts {
    return this.#report.facts
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
    this.#report.stanzas += run.stanzas
    this.#lastSentMs = performance.now()
    return this.#stream.sendRun(run.bytes, run)
  }

  /** Asks the peer, as authoritative server, about a key (XEP-0220 §2.1.2). */
  verify(request: KeyRequest): void {
    this.#lastSentMs = performance.now()
    this.#advance({ on: 'verify', request })
  }

  close(condition: StreamCondition | undefined, why: Why): void {
    this.#report.ends(why)
    const { reason } = why
    this.#over()
    if (this.#state.at === 'securing') this.#drop(reason)
    else this.#stream.close(condition, condition && reason)
  }

  /** Drops the connection: the time for closing in good order is over. */
  destroy(): void {
    this.#report.ends(stopped)
    this.#over() // what fails by that is no failure
    this.#drop(stopped.reason)
  }

  #drop(reason: string): void {
    this.#abort.abort(new Error(reason))
    this.#stream.destroy(new Error(reason))
  }

  #element(slice: Slice): void {
    if (slice.namespace === ns.server && isStanzaKind(slice.name)) return this.#advance({ on: 'stanza' })
    this.#advance({ on: 'element', element: toElement(slice, this.#stream.declarations) })
  }

  #advance(event: OutboundEvent): void {
    const { state, actions } = advance(this.#state, event, this.#context)
    const before = this.#state.at
    this.#state = state
    if (state.at === 'awaiting-dialback' && before !== state.at) this.#watchDialback()
    for (const action of actions) this.#perform(action)
  }

  /** An answer to our dialback key has a time limit of its own (contract §1, timeouts.dialback). */
  #watchDialback(): void {
    const { dialbackMs } = this.#environment.timeouts()
    this.#expireAfter(dialbackMs, 'dialback-unanswered', 'no answer to our dialback key')
  }

  #perform(action: OutboundAction): void {
    switch (action.do) {
      case 'send':
        return this.#stream.send(action.text)
      case 'restart':
        return this.#stream.restart()
      case 'secure':
        void this.#secure()
        return
      case 'ready':
        this.#report.ready()
        return this.#established()
      case 'authenticated':
        this.#method = action.method
        this.#report.authenticated(this.#task.pair, action.method, action.certificate)
        return this.#established()
      case 'report':
        this.#report.failed(action.method)
        return this.#report.refused('not-authorized', action)
      case 'key-answer':
        return this.#hooks.keyAnswer(action.pair, action.streamId, action.answer)
      case 'note':
        return this.#report.note(action.reason)
      case 'tell':
        return this.#report.tell(action.step)
      case 'fail':
        return this.#fail(action.failure)
      case 'close':
        this.#report.ends(action)
        return this.#stream.close(action.condition, action.text)
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
      () => this.close(undefined, idle),
    )
    if (this.#task.purpose === 'stanzas') this.#report.established()
    this.#hooks.established(this)
  }

  async #secure(): Promise<void> {
    try {
      const { tls } = this.#environment
      const { pair } = this.#task
      const options = { ...pair, directTls: false, signal: this.#abort.signal }
      const secured = await this.#stream.secure(socket => tls.connect(socket, options))
      this.#secured(secured)
      this.#advance({ on: 'secured', chain: secured.chain })
    } catch (error) {
      this.#advance({ on: 'lost', ...withoutTls(error) }) // where it was we who gave up, this is news to nobody
    }
  }

  #secured(secured: SecuredSocket): void {
    this.#report.secured(secured)
    this.#report.certificate(chain => this.#context.judge(chain))
  }

  #fail(failure: OutboundFailure): void {
    if (this.#idle !== undefined || this.#isOver) return this.#over() // it was up: it ends, it does not fail
    this.#over()
    if (failure.method !== undefined) this.#report.failed(failure.method)
    this.#report.refused(failure.condition, failure)
    this.#hooks.failed(failure)
  }

  #fault(error: StreamError): void {
    if (error.condition === 'internal-server-error') this.#report.broken(error.cause)
    this.#stream.close(error.condition, error.message, error.detail)
    this.#advance({
      on: 'lost',
      code: error.code,
      reason: `what the partner sent cannot be read: ${error.condition} (${error.message})`,
    })
  }

  #ended(): void {
    this.#advance({ on: 'lost', ...this.#report.left('the partner closed the stream') })
    this.#stream.close()
  }

  #expireAfter(ms: number, code: ReasonCode, what: string): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#expire(code, `${what} within ${ms / 1000} s`), ms)
  }

  #expire(code: ReasonCode, reason: string): void {
    if (this.#state.at === 'securing') this.#drop('the time for the TLS handshake is over')
    else this.#stream.close('connection-timeout')
    this.#advance({ on: 'lost', code, reason })
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
    const lost = this.#report.lost(error, 'the partner closed the connection')
    this.#advance({ on: 'lost', ...lost })
    this.#over()
    this.#report.closed(lost)
    this.#hooks.closed(this.#stream.takeUnsent())
    this.#gone.resolve()
  }
}
