import type { Socket } from 'node:net'

/** What a connection tells its owner. Called from the event loop, never from within `write`. */
export type ConnectionEvents = {
  data(chunk: Buffer): void
  /** The peer sends nothing more; our side is still open (TCP half-close). */
  halfClosed(): void
  /** The buffer fell below its mark after `write` had returned false. */
  drained(): void
  /** The socket is gone. Called once, last. */
  closed(error: Error | undefined): void
}

type Batch<Token> = { readonly bytes: Buffer[]; readonly tokens: Token[] }

/**
 * One socket, in the clear or under TLS: gathers what is written in one turn of the event loop into one write, and knows
 * which of the tokens written with it the kernel has not taken yet.
 */
export class Connection<Token = never> {
  #socket: Socket
  readonly #events: ConnectionEvents
  #gathered: Batch<Token> = { bytes: [], tokens: [] }
  /** Batches handed to the socket whose callback is due, oldest first. */
  readonly #inFlight: Batch<Token>[] = []
  #gatheredBytes = 0
  #flushDue: NodeJS.Immediate | undefined
  #isBlocked = false
  #stall: NodeJS.Timeout | undefined
  readonly #stallMs: number
  #isClosed = false
  #error: Error | undefined
  #detach: () => void = () => {}

  /**
   * @param stallMs how long a peer may take over one write while more waits; then the connection is dropped. Node tells of a write
   * at its end alone, so that a peer which takes a long one slowly looks like one which takes nothing
   */
  constructor(socket: Socket, stallMs: number, events: ConnectionEvents) {
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
    return this.#gatheredBytes + this.#socket.writableLength
  }

  /**
   * Queues bytes for the peer; `token` comes back from `takeUnsent` if the socket dies before the kernel took them.
   * @returns false when the peer reads too slowly: `drained` follows
   */
  write(bytes: Buffer, token?: Token): boolean {
    this.#gathered.bytes.push(bytes)
    this.#gatheredBytes += bytes.length
    if (token !== undefined) this.#gathered.tokens.push(token)
    if (this.#flushDue === undefined && !this.#isClosed) this.#flushDue = setImmediate(() => this.flush())
    return !this.#isBlocked
  }

  /** Hands what was gathered to the socket now; `then` is called once the kernel has taken it. */
  flush(then?: () => void): void {
    clearImmediate(this.#flushDue)
    this.#flushDue = undefined
    const batch = this.#gathered
    if (this.#isClosed || (batch.bytes.length === 0 && then === undefined)) return
    this.#gathered = { bytes: [], tokens: [] }
    this.#gatheredBytes = 0
    this.#inFlight.push(batch)
    const bytes = batch.bytes.length === 1 ? batch.bytes[0]! : Buffer.concat(batch.bytes)
    const socket = this.#socket
    this.#isBlocked = !socket.write(bytes, error => {
      if (error) return // `closed` follows; the batch stays among the unsent
      if (this.#inFlight[0] === batch) this.#inFlight.shift()
      this.#watchStall()
      then?.()
    })
    if (this.#stall === undefined) this.#watchStall()
  }

  /** Without a deadline, a peer that reads nothing would hold what waits for it, and whoever has to wait with it. */
  #watchStall(): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
    if (!this.#isBlocked || this.#isClosed || this.#inFlight.length === 0) return
    const reason = `the peer has taken nothing for ${this.#stallMs / 1000} s`
    this.#stall = setTimeout(() => this.destroy(new Error(reason)), this.#stallMs)
  }

  /** Tokens that the kernel has not taken, oldest first; they are forgotten here. */
  takeUnsent(): Token[] {
    const unsent = [...this.#inFlight, this.#gathered].flatMap(batch => batch.tokens)
    this.#inFlight.length = 0
    this.#gathered = { bytes: [], tokens: [] }
    this.#gatheredBytes = 0
    return unsent
  }

  /** Stops reading; the peer feels it as back-pressure. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Sends what is queued, then lets `upgrade` put TLS on the socket; data flows again when it resolves. */
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
      this.#close(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  /** Sends what is queued and our FIN; the socket is gone at the latest after `graceMs`. */
  end(graceMs: number): void {
    if (this.#isClosed) return
    this.flush()
    const socket = this.#socket
    socket.end()
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
    const onDrain = () => {
      this.#isBlocked = false
      this.#watchStall()
      this.#events.drained()
    }
    const onError = (error: Error) => {
      this.#error ??= error
    }
    const onClose = () => this.#close(this.#error)
    socket.on('data', onData).on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose)
    this.#detach = () => {
      socket
        .off('data', onData)
        .off('end', onEnd)
        .off('drain', onDrain)
        .off('error', onError)
        .off('close', onClose)
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
