import type { Socket } from 'node:net'
import { SendQueue } from './send-queue.ts'

/** What a connection tells its owner. Called from the event loop, never from within `write`. */
export type ConnectionEvents<Token = never> = {
  data(chunk: Buffer): void
  /** The peer sends nothing more; our side is still open (TCP half-close). */
  halfClosed(): void
  /** The buffer fell below its mark after `write` had returned false. */
  drained(): void
  /** The kernel has taken every byte that was written with this token. */
  taken?(token: Token): void
  /** The socket is gone. Called once, last. */
  closed(error: Error | undefined): void
}

/** Bytes that may wait, beside those the kernel has, before the source is told to pause. */
const highWaterMark = 65_536

/**
 * One socket, in the clear or under TLS: gathers what is written in one turn of the event loop into one write, and knows
 * which of the tokens written with it the kernel has not taken yet.
 */
export class Connection<Token = never> {
  #socket: Socket
  readonly #events: ConnectionEvents<Token>
  readonly #queue = new SendQueue<Token>()
  #flushDue: NodeJS.Immediate | undefined
  /** A piece is with the socket, its callback due. */
  #isWriting = false
  #isBlocked = false
  #stall: NodeJS.Timeout | undefined
  readonly #stallMs: number
  #isClosed = false
  readonly #onTaken = (token: Token) => this.#events.taken?.(token)
  #error: Error | undefined
  #detach: () => void = () => {}

  /**
   * @param stallMs how long a peer may take over 64 KiB, or less where less is left; then the connection is dropped. Without a
   * deadline, a peer that reads nothing would hold what waits for it, and whoever has to wait with it
   */
  constructor(socket: Socket, stallMs: number, events: ConnectionEvents<Token>) {
    this.#socket = socket
    this.#stallMs = stallMs
    this.#events = events
    this.#attach(socket)
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#queue.bytes
  }

  /**
   * Queues bytes for the peer; `token` comes back from `takeUnsent` if the socket dies before the kernel took them all.
   * @returns false when the peer reads too slowly: `drained` follows
   */
  write(bytes: Buffer, token?: Token): boolean {
    this.#queue.add(bytes, token)
    if (this.#isWriting) this.#isBlocked ||= this.#queue.bytes >= highWaterMark
    else if (!this.#isClosed) this.#flushDue ??= setImmediate(() => this.flush())
    return !this.#isBlocked
  }

  /** Hands what was gathered to the socket now; `then` is called once the kernel has taken it. */
  flush(then?: () => void): void {
    clearImmediate(this.#flushDue)
    this.#flushDue = undefined
    if (this.#isClosed) return
    if (then !== undefined) this.#queue.whenTaken(then)
    if (!this.#isWriting) this.#writeNext()
  }

  /** One piece after the other: Node tells of a write at its end alone, and a peer that takes a long one slowly does read. */
  #writeNext(): void {
    const piece = this.#queue.next()
    this.#isWriting = piece !== undefined
    if (piece === undefined) return this.#drained()
    const reason = `the peer has taken nothing for ${this.#stallMs / 1000} s`
    this.#stall = setTimeout(() => this.destroy(new Error(reason)), this.#stallMs)
    this.#socket.write(piece, error => {
      clearTimeout(this.#stall)
      if (error) return // `closed` follows; the piece stays among the unsent
      this.#queue.taken(this.#onTaken)
      this.#writeNext()
    })
  }

  #drained(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#events.drained()
  }

  /** Tokens of which the kernel has not taken every byte, oldest first; they are forgotten here. */
  takeUnsent(): Token[] {
    return this.#queue.takeUnsent()
  }

  /** Stops reading; the peer feels it as back-pressure. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /**
   * Sends what is queued, then lets `upgrade` put TLS on the socket; data flows again when it resolves. Where it fails, the caller
   * learns it before `closed` does: it knows what has failed.
   */
  async secure<T extends { readonly socket: Socket }>(upgrade: (socket: Socket) => Promise<T>): Promise<T> {
    this.#socket.pause()
    await new Promise<void>(resolve => this.flush(resolve))
    this.#detach()
    const raw = this.#socket
    const onError = (error: Error) => {
      this.#error ??= error
    }
    raw.on('error', onError)
    try {
      const secured = await upgrade(raw)
      this.#attach(secured.socket)
      return secured
    } catch (error) {
      raw.destroy()
      setImmediate(() => this.#close(error instanceof Error ? error : new Error(String(error))))
      throw error
    }
  }

  /** Sends what is queued and our FIN; the socket is gone at the latest after `graceMs`. */
  end(graceMs: number): void {
    if (this.#isClosed) return
    const socket = this.#socket
    this.flush(() => socket.end())
    socket.resume() // whatever the peer still sends is not read any more, but its FIN is
    const timer = setTimeout(() => socket.destroy(), graceMs)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
  }

  destroy(error?: Error): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  #attach(socket: Socket): void {
    this.#socket = socket
    const onData = (chunk: Buffer) => this.#events.data(chunk)
    const onEnd = () => this.#events.halfClosed()
    const onError = (error: Error) => {
      this.#error ??= error
      // TLS leaves open what it has given up, an alert of the peer for one: nothing more comes or goes, and an end that follows is no
      // end in good order. `closed` tells of the error.
      socket.destroy()
    }
    const onClose = () => this.#close(this.#error)
    socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
    this.#detach = () => {
      socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
    }
    socket.resume()
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearImmediate(this.#flushDue)
    clearTimeout(this.#stall)
    this.#events.closed(error)
  }
}
