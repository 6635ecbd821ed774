import type { Socket } from 'node:net'
import { XmlFault } from '../xml/fault.ts'
import { type HeaderSlice, Reader, type Slice, type XmlLimits } from '../xml/reader.ts'
import { escapeText, streamFooter, tag } from '../xml/writer.ts'
import { type ContentNamespace, ns } from '../xmpp/namespaces.ts'
import { type StreamCondition, StreamError } from '../xmpp/stream-error.ts'
import { Connection } from './connection.ts'

/** What an XML stream tells its owner. */
export type XmlStreamEvents<Token = never> = {
  header(header: HeaderSlice): void
  element(slice: Slice): void
  /** Everything that came in one read has been passed on: a batch ends here. */
  pausedReading(): void
  /** What the peer sent breaks the stream, or our own code failed on it; nothing more is read. */
  fault(error: StreamError): void
  /**
   * The peer closed the stream, by its end tag or, without one, by the end of its side. An end tag comes within a read: what came
   * before it in the same one still waits for `pausedReading`.
   */
  ended(isProper: boolean): void
  drained(): void
  /** The kernel has taken every byte of the stanzas that were sent with this token. */
  taken?(token: Token): void
  /** The socket is gone. Called once, last. */
  closed(error: Error | undefined): void
}

export type XmlStreamOptions = {
  readonly content: ContentNamespace
  readonly limits: XmlLimits
  /** How long a peer may take over 64 KiB. */
  readonly stallMs: number
  /** How long the peer has to close its side after ours. */
  readonly closeGraceMs: number
}

/** Milliseconds a peer gets to answer our end of stream with its own, RFC 6120 §4.4. */
export const closeGraceMs = 5_000

/** One XML stream over one connection (RFC 6120 §4): elements up, text and stanza runs down. */
export class XmlStream<Token = never> {
  readonly #connection: Connection<Token>
  readonly #content: ContentNamespace
  #reader: Reader
  readonly #events: XmlStreamEvents<Token>
  readonly #graceMs: number
  #isFaulty = false
  /** Was anything sent on the stream that is on now? The first thing is its header. */
  #isOpened = false
  #sentFooter = false
  #peerEnded = false
  #closeTimer: NodeJS.Timeout | undefined
  readonly #gone = Promise.withResolvers<void>()
  /** Milliseconds of the monotonic clock when the peer was last heard. */
  lastReadMs = performance.now()

  constructor(socket: Socket, options: XmlStreamOptions, events: XmlStreamEvents<Token>) {
    this.#events = events
    this.#graceMs = options.closeGraceMs
    this.#content = options.content
    this.#reader = this.#newReader(options.limits)
    this.#connection = new Connection<Token>(socket, options.stallMs, {
      data: chunk => this.#read(chunk),
      halfClosed: () => this.#end(false),
      drained: () => events.drained(),
      taken: token => events.taken?.(token),
      closed: error => {
        clearTimeout(this.#closeTimer)
        this.#sentFooter = true // nothing can be sent any more, nor waited for
        events.closed(error)
        this.#gone.resolve()
      },
    })
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress
  }

  /** Namespace declarations of the peer's stream header, for elements that rely on them. */
  get declarations(): ReadonlyMap<string, string> {
    return this.#reader.declarations
  }

  set limits(limits: XmlLimits) {
    this.#reader.limits = limits
  }

  /** True once our end tag is out: nothing may be sent any more. */
  get isClosing(): boolean {
    return this.#sentFooter
  }

  /** Sends protocol text. */
  send(text: string): void {
    if (this.#sentFooter) return
    this.#isOpened = true
    this.#connection.write(Buffer.from(text))
  }

  /**
   * Sends stanzas.
   * @returns false when the peer reads too slowly: `drained` follows
   */
  sendRun(bytes: Buffer, token: Token): boolean {
    return this.#connection.write(bytes, token)
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#connection.unsentBytes
  }

  /** Resolves once the kernel has taken all that was sent until now; a peer that does not read it within `ms` is dropped. */
  async settle(ms: number): Promise<void> {
    const timer = setTimeout(() => this.destroy(new Error('the peer does not read')), ms)
    const flushed = new Promise<void>(resolve => this.#connection.flush(resolve))
    await Promise.race([flushed, this.#gone.promise])
    clearTimeout(timer)
  }

  /** Tokens of runs that the kernel has not taken, oldest first. */
  takeUnsent(): Token[] {
    return this.#connection.takeUnsent()
  }

  /** The next thing the peer sends is a new stream header (RFC 6120 §4.3.3). */
  restart(): void {
    this.#isOpened = false
    this.#reader.restart()
  }

  /**
   * Puts TLS under the stream; afterwards the peer's new header is due. Called while an element is read: what stands
   * behind that element was sent in the clear and is never read (RFC 6120 §5.4.3.3).
   * @throws {StreamError} when the peer had already sent more
   */
  async secure<T extends { readonly socket: Socket }>(upgrade: (socket: Socket) => Promise<T>): Promise<T> {
    this.#reader.stop()
    const secured = await this.#connection.secure(async socket => {
      if (this.#reader.unread > 0)
        throw new StreamError('policy-violation', 'data in the clear followed the change to TLS')
      return upgrade(socket)
    })
    // A new one: nothing that was said in the clear lives on.
    this.#reader = this.#newReader(this.#reader.limits)
    this.#isOpened = false
    return secured
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  /**
   * Closes the stream: the error, if there is one, the end tag (where there is a stream to end), then the socket once the peer
   * has closed its side too.
   */
  close(condition?: StreamCondition, message = '', detail?: StreamError['detail']): void {
    if (this.#sentFooter) return
    if (condition !== undefined) {
      // RFC 6120 §4.4: until its own end, a peer may go on sending. A stop of ours is no reason not to take that.
      this.#isFaulty ||= condition !== 'system-shutdown'
      this.send(writeStreamError(condition, message, detail))
    }
    if (this.#isOpened) this.#connection.write(Buffer.from(streamFooter))
    this.#sentFooter = true
    this.#connection.flush()
    // Where what comes is still taken, whoever has paused the stream says when to go on: memory stays bounded.
    if (this.#isFaulty) this.#connection.resume()
    if (this.#peerEnded) this.#connection.end(this.#graceMs)
    else this.#closeTimer = setTimeout(() => this.#connection.end(0), this.#graceMs)
  }

  /** Drops the connection without a word. */
  destroy(reason: Error): void {
    this.#connection.destroy(reason)
  }

  #newReader(limits: XmlLimits): Reader {
    const events = this.#events
    const handler = {
      header: (header: HeaderSlice) => events.header(header),
      element: (slice: Slice) => events.element(slice),
      end: () => this.#end(true),
    }
    return new Reader(this.#content, handler, limits)
  }

  #read(chunk: Buffer): void {
    if (this.#isFaulty) return
    this.lastReadMs = performance.now()
    try {
      this.#reader.write(chunk)
      this.#events.pausedReading()
    } catch (error) {
      this.#isFaulty = true
      this.#events.pausedReading()
      this.#events.fault(asStreamError(error))
    }
  }

  #end(isProper: boolean): void {
    if (this.#peerEnded) return
    this.#peerEnded = true
    try {
      this.#events.ended(isProper)
    } catch (error) {
      this.#events.fault(asStreamError(error))
    }
    if (this.#sentFooter) {
      clearTimeout(this.#closeTimer)
      this.#connection.end(this.#graceMs)
    }
  }
}

/** A `<stream:error/>` (RFC 6120 §4.9.2). */
export function writeStreamError(
  condition: StreamCondition,
  message: string,
  detail?: StreamError['detail'],
): string {
  return tag(
    'stream:error',
    {},
    tag(condition, { xmlns: ns.streams }),
    ...(message === '' ? [] : [tag('text', { xmlns: ns.streams, 'xml:lang': 'en' }, escapeText(message))]),
    ...(detail === undefined ? [] : [tag(detail.name, { xmlns: detail.namespace })]),
  )
}

function asStreamError(error: unknown): StreamError {
  if (error instanceof StreamError) return error
  if (!(error instanceof XmlFault)) {
    return new StreamError('internal-server-error', '', { cause: error, code: 'internal-error' })
  }
  const detail = error.tooBig ? { detail: { name: 'stanza-too-big', namespace: ns.errors } } : {}
  const isLimit = error.condition === 'policy-violation'
  const code = error.tooBig ? 'limit-stanza-bytes' : isLimit ? 'limit-xml' : 'malformed-xml'
  return new StreamError(error.condition, error.message, { cause: error, code, ...detail })
}
