import { once } from 'node:events'
import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net'
import tls from 'node:tls'
import { onTestFinished } from 'vitest'
import { describeStanza, type Seen } from './client.ts'
import { StreamParser } from './stream-parser.ts'

/** A certificate with its chain, and the key: an `Issued` of certificates.ts, for one. */
export type Shown = { readonly chainPem: string; readonly keyPem: string }

/** How long anything that a test waits for may take, in milliseconds. */
export const patienceMs = 5_000

/**
 * One scripted end of an XML stream on a real socket: sends what it is told to, keeps what comes. Whatever it waits for has
 * a deadline, and an error that tells what did come. It is gone when the test ends.
 */
export class Wire {
  /** For messages of failing tests. */
  readonly who: string
  readonly #raw: Socket
  #socket: Socket
  #parser!: StreamParser
  #header: Seen | undefined
  #elements: Seen[] = []
  #streamEnded = false
  #isAnew = false // by `<success/>`
  #halfClosed = false
  #isClosed = false
  #fault: Error | undefined
  readonly #waiting = new Set<() => void>()

  constructor(socket: Socket, who: string) {
    this.who = who
    this.#raw = socket
    this.#socket = socket
    // A reset is no failure of a test.
    socket.on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
    this.#begin()
    this.#attach(socket)
  }

  /** Everything received since the stream began, or began anew. */
  get text(): string {
    return this.#parser.text
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Everything that was received and not yet taken. */
  get untaken(): readonly Seen[] {
    return this.#elements
  }

  /** The TLS socket once TLS is up: certificate, ALPN, version. */
  get tls(): tls.TLSSocket {
    if (this.#socket instanceof tls.TLSSocket) return this.#socket
    throw new Error(`${this.who} has no TLS`)
  }

  send(data: string | Buffer): void {
    this.#socket.write(data)
  }

  /** Sends data cut into chunks, each in a write of its own that the kernel has taken before the next. */
  async sendInChunks(data: string | Buffer, chunkBytes: number): Promise<void> {
    const bytes = Buffer.from(data)
    for (let at = 0; at < bytes.length && !this.#isClosed; at += chunkBytes) {
      await this.#write(bytes.subarray(at, at + chunkBytes))
    }
  }

  /**
   * Sends the same bytes again and again, as fast as they are taken, until there were `totalBytes`, the connection is gone or
   * the far end takes nothing for `stallMs`.
   * @returns the bytes that were taken
   */
  async pour(bytes: Buffer, totalBytes: number, stallMs = patienceMs): Promise<number> {
    let poured = 0
    while (poured < totalBytes) {
      const stalled = Promise.withResolvers<false>()
      const timer = setTimeout(() => stalled.resolve(false), stallMs)
      const wasTaken = await Promise.race([this.#write(bytes), stalled.promise])
      clearTimeout(timer)
      if (!wasTaken) break
      poured += bytes.length
    }
    return poured
  }

  /** From here on a new stream comes from the far end. What was received is forgotten, but not what followed `<success/>`. */
  restart(): void {
    const isDone = this.#isAnew
    this.#isAnew = false
    if (!isDone) this.#begin()
  }

  #begin(): void {
    this.#header = undefined
    this.#elements = []
    this.#streamEnded = false
    const parser: StreamParser = new StreamParser({
      header: header => {
        this.#header = header
      },
      element: element => void this.#elements.push(element),
      end: () => {
        this.#streamEnded = true
      },
      anew: () => {
        this.#isAnew = true
        this.#header = undefined
      },
      fault: error => {
        this.#fault ??= new Error(`${this.who} cannot read what came: ${error.message}\n${parser.text}`)
      },
    })
    this.#parser = parser
  }

  /** The far end's stream header. */
  header(): Promise<Seen> {
    return this.#until('stream header', () => this.#header)
  }

  /** Takes the next element, which must be this one. `name` is local, `xmlns` its namespace where it matters. */
  async next(name: string, xmlns?: string): Promise<Seen> {
    const element = await this.#until(`<${name}/>`, () => this.#elements.shift())
    if (element.name === name && (xmlns === undefined || element.xmlns === xmlns)) return element
    throw new Error(`${this.who} waited for <${name}/> and got ${describeStanza(element)}`)
  }

  /** Takes the first element that fits, out of those that came and those that come; others stay. */
  find(what: string, fits: (element: Seen) => boolean, deadlineMs = patienceMs): Promise<Seen> {
    return this.#until(
      what,
      () => {
        const index = this.#elements.findIndex(fits)
        return index < 0 ? undefined : this.#elements.splice(index, 1)[0]
      },
      deadlineMs,
    )
  }

  /** Waits for the next element, and leaves it to be taken; undefined where the stream or the connection ends instead. */
  async coming(): Promise<Seen | undefined> {
    await this.#until(
      'element or end',
      () => this.#elements[0] ?? (this.#streamEnded || this.#isClosed || undefined),
    )
    return this.#elements[0]
  }

  /** The far end has closed its stream by its end tag. */
  streamEnd(deadlineMs = patienceMs): Promise<true> {
    return this.#until('end of the stream', () => this.#streamEnded || undefined, deadlineMs)
  }

  /** The far end has sent its FIN. */
  halfClose(): Promise<true> {
    return this.#until('FIN', () => this.#halfClosed || this.#isClosed || undefined)
  }

  /** The socket is gone: both sides have closed, or it was reset. */
  closed(deadlineMs = patienceMs): Promise<true> {
    return this.#until('end of the connection', () => this.#isClosed || undefined, deadlineMs)
  }

  /** Sends our FIN; the far end may go on. */
  end(data = ''): void {
    this.#socket.end(data)
  }

  /** Resets the connection (RST): the far end learns nothing else. */
  reset(): void {
    this.#raw.resetAndDestroy()
  }

  /** Reads nothing any more, so that the far end's buffers fill. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** TLS, as the side that connects. @throws {Error} when the handshake fails */
  secureAsClient(options: tls.ConnectionOptions): Promise<void> {
    return this.#secure(socket => tls.connect({ ...options, socket }), 'secureConnect')
  }

  /** TLS, as the side that was connected to; asks for a certificate. @throws {Error} when the handshake fails */
  secureAsServer(options: tls.TLSSocketOptions): Promise<void> {
    const start = (socket: Socket) =>
      new tls.TLSSocket(socket, { requestCert: true, rejectUnauthorized: false, ...options, isServer: true })
    return this.#secure(start, 'secure')
  }

  async #secure(start: (socket: Socket) => tls.TLSSocket, done: string): Promise<void> {
    this.#raw.removeAllListeners('data').removeAllListeners('end')
    const secured = start(this.#raw)
    secured.on('error', () => undefined) // also one that follows the one which ended the handshake
    const failed = once(secured, 'close').then(() =>
      Promise.reject(new Error('the handshake was broken off')),
    )
    const raced = Promise.race([once(secured, done), failed])
    failed.catch(() => undefined)
    await raced
    this.#socket = secured
    this.#begin()
    this.#attach(secured)
  }

  #attach(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      try {
        this.#parser.write(bytes)
      } catch (error) {
        this.#fault ??= error as Error
      }
      this.#wake()
    })
    socket.on('end', () => {
      this.#halfClosed = true
      this.#wake()
    })
  }

  /** Resolves once the kernel has taken the bytes: true, or false when the socket is gone. */
  #write(bytes: Buffer): Promise<boolean> {
    if (this.#isClosed || !this.#socket.writable) return Promise.resolve(false)
    return new Promise(resolve => {
      const onClose = () => resolve(false)
      this.#raw.once('close', onClose)
      this.#socket.write(bytes, error => {
        this.#raw.off('close', onClose)
        resolve(!error)
      })
    })
  }

  async #until<T>(what: string, look: () => T | undefined, deadlineMs = patienceMs): Promise<T> {
    const deadline = AbortSignal.timeout(deadlineMs)
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (this.#fault !== undefined) throw this.#fault
      const isOver = this.#isClosed ? 'before the connection closed' : `within ${deadlineMs} ms`
      if (this.#isClosed || deadline.aborted) {
        throw new Error(`${this.who} got no ${what} ${isOver}, but: ${this.text.slice(-2000) || 'nothing'}`)
      }
      await new Promise<void>(resolve => {
        const wake = () => {
          this.#waiting.delete(wake)
          deadline.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiting.add(wake)
        deadline.addEventListener('abort', wake)
      })
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

/** Opens a connection to a port of this machine. */
export async function dial(port: number, options: { localAddress?: string } = {}): Promise<Socket> {
  const socket = openSocket({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true, ...options })
  await once(socket, 'connect')
  return socket
}

/** Listens on a free port of this machine until the test ends; each connection goes to `accept`. */
export async function listen(accept: (socket: Socket) => void, port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    accept(socket)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}
