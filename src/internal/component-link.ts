import { connect } from 'node:net'
import {
  advance,
  type ComponentAction,
  type ComponentEvent,
  type ComponentState,
} from '../negotiation/component.ts'
import { readHeader } from '../negotiation/stream.ts'
import { Outbox, type OutboxLimits } from '../transport/outbox.ts'
import { closeGraceMs, XmlStream } from '../transport/xml-stream.ts'
import { toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import type { Destination, Run } from '../xml/run.ts'
import { type Domain, isDomainAlone } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import { isStanzaKind } from '../xmpp/stanza.ts'
import { StreamError } from '../xmpp/stream-error.ts'
import type { InsideEnvironment, InsideSink } from './connector.ts'

/** How one component stream is opened and kept. */
export type ComponentLinkOptions = {
  readonly domain: Domain
  readonly host: string
  readonly port: number
  readonly secret: string
  readonly connectMs: number
  readonly limits: { readonly stanzaBytes: number; readonly depth: number }
  readonly queue: () => OutboxLimits
  readonly connected: () => void
  /** `wasUp`: it had been accepted before. */
  readonly disconnected: (reason: string, wasUp: boolean) => void
}

const firstPauseMs = 500
const longestPauseMs = 15_000
/** The inside is trusted, and may wrap a stanza into more than a partner may send. */
const insideFactor = 4
/**
 * A roster comes whole (RFC 6121 §2.1.3), and any stranger can make the gateway ask for one: the stream must not end on a long one.
 * 150,000 contacts.
 */
const rosterBytes = 16 * 2 ** 20

/** One XEP-0114 stream: a partner's domain as a component of the internal server. Reconnects until it is stopped. */
export class ComponentLink implements Destination {
  readonly #options: ComponentLinkOptions
  readonly #environment: InsideEnvironment
  readonly #outbox: Outbox
  readonly #waitingForDrain: (() => void)[] = []
  #stream: XmlStream<Run> | undefined
  #state: ComponentState = { at: 'connecting' }
  #sink: InsideSink | undefined
  #retry: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #attempts = 0
  #upSinceMs: number | undefined
  #isStopping = false
  readonly #stopped = Promise.withResolvers<void>()
  /** Why this stream ends, where it was said; the first reason counts. */
  #reason: string | undefined
  /** Why there is no stream now; undefined while there is one. */
  fault: string | undefined = 'not connected yet'

  constructor(options: ComponentLinkOptions, environment: InsideEnvironment) {
    this.#options = options
    this.#environment = environment
    this.#outbox = new Outbox(ns.component, options.queue, overdue => environment.bounce(overdue, insideDown))
    this.#connect()
  }

  get isFull(): boolean {
    return (this.#stream?.unsentBytes ?? 0) > this.#options.queue().bytes
  }

  get isUp(): boolean {
    return this.#state.at === 'accepted' && this.#stream?.isClosing === false
  }

  get waiting(): number {
    return this.#outbox.size
  }

  send(run: Run): boolean {
    if (this.isUp) return this.#stream!.sendRun(run.bytes, run)
    if (this.#isStopping) {
      this.#environment.bounce(run, insideDown)
      return true
    }
    const tooMany = this.#outbox.hold(run)
    if (tooMany !== undefined) {
      this.#environment.bounce(tooMany, {
        condition: 'resource-constraint',
        text: 'the server of this domain is down, and too many stanzas wait for it',
      })
    }
    return true
  }

  whenDrained(resume: () => void): void {
    if (this.isUp) this.#waitingForDrain.push(resume)
    else resume()
  }

  /** Connects no more: what waits bounces. Resolves once what was sent is taken; what is not within `ms` bounces too. */
  async settle(ms: number): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#retry)
    this.#bounceWaiting()
    if (this.#stream === undefined) return this.#stopped.resolve()
    if (!this.isUp) return this.#stream.destroy(new Error('the gateway stops'))
    await this.#stream.settle(ms)
  }

  /** Sends what is queued and closes the stream, within `ms`; what waits bounces. */
  async stop(ms: number): Promise<void> {
    const stream = this.#stream
    const timer = setTimeout(
      () => stream?.destroy(new Error('the server inside does not end its stream')),
      ms,
    )
    void this.settle(ms)
    stream?.close()
    await this.#stopped.promise
    clearTimeout(timer)
  }

  #connect(): void {
    const { host, port, connectMs, limits } = this.#options
    this.#attempts++
    this.#state = { at: 'connecting' }
    this.#reason = undefined
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
    this.#deadline = setTimeout(
      () => stream.destroy(new Error(`no component stream within ${connectMs / 1000} s`)),
      connectMs,
    )
    const stream: XmlStream<Run> = new XmlStream<Run>(
      socket,
      {
        content: ns.component,
        limits: { elementBytes: this.#stanzaBytes, depth: limits.depth + 2 },
        stallMs: this.#options.queue().waitMs,
        closeGraceMs,
      },
      {
        header: header => this.#advance({ on: 'header', header: readHeader(header, ns.component) }),
        element: slice => this.#element(slice),
        pausedReading: () => this.#sink?.flush(),
        fault: error => this.#fault(error),
        ended: () => {
          this.#sink?.flush() // an error for what came last goes before our end
          this.#advance({ on: 'lost', reason: 'the internal server closed the stream' })
          stream.close()
        },
        drained: () => this.#drained(),
        taken: run => this.#environment.taken(run),
        closed: error => this.#closed(error),
      },
    )
    this.#stream = stream
    this.#sink = this.#environment.openSink(stream, this.#options.domain)
    socket.once('connect', () => this.#advance({ on: 'connected' }))
  }

  #element(slice: Slice): void {
    const isStanza = slice.namespace === ns.component && isStanzaKind(slice.name)
    if (isStanza && this.#state.at === 'accepted') {
      if (slice.end - slice.start > this.#stanzaBytes && !isOwnAnswer(slice)) return this.#fault(tooBig())
      return this.#sink?.stanza(slice)
    }
    if (isStanza) return this.#advance({ on: 'stanza' })
    this.#advance({ on: 'element', element: toElement(slice, this.#stream!.declarations) })
  }

  /** The longest stanza that may come and go on. */
  get #stanzaBytes(): number {
    return insideFactor * this.#options.limits.stanzaBytes
  }

  #advance(event: ComponentEvent): void {
    const { state, actions } = advance(this.#state, event, this.#options)
    this.#state = state
    for (const action of actions) this.#perform(action)
  }

  #perform(action: ComponentAction): void {
    switch (action.do) {
      case 'send':
        return this.#stream?.send(action.text)
      case 'accepted':
        return this.#accepted()
      case 'close':
        this.#reason ??= action.reason
        this.fault = this.#reason
        this.#stream?.close(action.condition, action.condition && action.reason)
        return this.#drained()
    }
  }

  #accepted(): void {
    clearTimeout(this.#deadline)
    this.#upSinceMs = performance.now()
    this.fault = undefined
    const { depth } = this.#options.limits
    this.#stream!.limits = { elementBytes: Math.max(rosterBytes, this.#stanzaBytes), depth: depth + 2 }
    this.#options.connected()
    const waiting = this.#outbox.takeAll()
    if (waiting !== undefined) this.send(waiting)
  }

  #fault(error: StreamError): void {
    this.#reason ??= `what the internal server sent cannot be read: ${error.condition} (${error.message})`
    this.fault = this.#reason
    this.#state = { at: 'closed' }
    this.#stream?.close(error.condition, error.message, error.detail)
    this.#drained()
  }

  #closed(error: Error | undefined): void {
    clearTimeout(this.#deadline)
    const wasUp = this.#upSinceMs !== undefined
    // Accepted and thrown out again, as a second gateway of the same name is: no reason to come back at once.
    if (performance.now() - (this.#upSinceMs ?? Infinity) > longestPauseMs) this.#attempts = 0
    this.#upSinceMs = undefined
    const { host, port } = this.#options
    const lost = error
      ? this.#state.at === 'connecting'
        ? `cannot connect to ${host} port ${port}: ${error.message}; does the internal server run, and take components there (docs/inside.md)?`
        : `${host} port ${port}: ${error.message}`
      : 'the internal server closed the connection'
    this.fault = this.#reason ?? lost
    const unsent = this.#stream?.takeUnsent() ?? []
    this.#stream = undefined
    this.#state = { at: 'closed' }
    this.#drained()
    for (const run of unsent) this.#environment.bounce(run, insideDown)
    this.#options.disconnected(this.fault, wasUp)
    if (this.#isStopping) {
      this.#bounceWaiting()
      return this.#stopped.resolve()
    }
    const pauseMs = Math.min(
      longestPauseMs,
      firstPauseMs * 2 ** Math.min(10, Math.max(0, this.#attempts - 1)),
    )
    this.#retry = setTimeout(() => this.#connect(), pauseMs * (0.75 + Math.random() / 2))
  }

  #bounceWaiting(): void {
    const waiting = this.#outbox.takeAll()
    if (waiting !== undefined) this.#environment.bounce(waiting, insideDown)
  }

  #drained(): void {
    for (const resume of this.#waitingForDrain.splice(0)) resume()
  }
}

/** What the server itself answers, in a user's name, to a component itself: it goes no further. ejabberd may choose another's stream. */
function isOwnAnswer({ name, type, from = '', to = '' }: Slice): boolean {
  return name === 'iq' && type === 'result' && !from.includes('/') && isDomainAlone(to)
}

function tooBig(): StreamError {
  const detail = { name: 'stanza-too-big', namespace: ns.errors }
  return new StreamError('policy-violation', 'an element over the size limit', {
    code: 'limit-stanza-bytes',
    detail,
  })
}

const insideDown = {
  condition: 'remote-server-timeout',
  text: 'the server of this domain cannot be reached at the moment',
} as const
