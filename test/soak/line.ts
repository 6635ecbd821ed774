import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import tls from 'node:tls'

/** A stream header (`stream:stream`), the end of a stream (`/stream:stream`) or a whole first-level element. */
export type Piece = { readonly name: string; readonly text: string }

const patienceMs = 10_000

/**
 * One end of an XML stream that trusts what it reads, so that it can read much of it: the gateway's own tests read with a
 * strict parser.
 */
export class Line {
  readonly #raw: Socket
  #socket: Socket
  #text = ''
  readonly #pieces: Piece[] = []
  #wake: (() => void) | undefined
  #isClosing = false
  /** Takes pieces as they come, once it is set; `next` does until then. */
  #onPiece: ((piece: Piece) => void) | undefined
  readonly #ended = Promise.withResolvers<void>()
  isClosed = false

  constructor(socket: Socket) {
    this.#raw = socket
    this.#socket = socket
    socket.on('error', () => {})
    socket.once('close', () => {
      this.isClosed = true
      this.#ended.resolve()
      this.#wake?.()
    })
    this.#attach(socket)
  }

  /** Connects from an address of this machine. */
  static async connect(host: string, port: number, localAddress: string): Promise<Line> {
    const socket = connect({ host, port, localAddress, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new Line(socket)
  }

  /** Resolves once the connection is gone. */
  get gone(): Promise<void> {
    return this.#ended.promise
  }

  /** Our end is still open for sending. */
  get isOpen(): boolean {
    return !this.isClosed && !this.#isClosing
  }

  send(text: string): void {
    if (!this.isClosed) this.#socket.write(text)
  }

  /** Waits for a piece of that name; others before it are dropped. */
  async next(name: string): Promise<Piece> {
    const deadline = setTimeout(() => this.kill(), patienceMs)
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece?.name === name) return piece
        if (piece !== undefined) continue
        if (this.isClosed) throw new Error(`the connection ended before <${name}>`)
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(deadline)
    }
  }

  /** From now on each piece goes there. */
  hears(onPiece: (piece: Piece) => void): void {
    this.#onPiece = onPiece
    for (const piece of this.#pieces.splice(0)) onPiece(piece)
  }

  async secureAsClient(options: tls.ConnectionOptions): Promise<void> {
    this.#raw.removeAllListeners('data').removeAllListeners('end')
    await this.#secured(tls.connect({ ...options, socket: this.#raw }), 'secureConnect')
  }

  async secureAsServer(options: tls.TLSSocketOptions): Promise<void> {
    this.#raw.removeAllListeners('data').removeAllListeners('end')
    const asked = { requestCert: true, rejectUnauthorized: false, isServer: true }
    await this.#secured(new tls.TLSSocket(this.#raw, { ...options, ...asked }), 'secure')
  }

  /** Ends the stream as RFC 6120 §4.4 wants it: what the far end still sends is read, up to its own end. */
  async close(): Promise<void> {
    this.send('</stream:stream>')
    this.#isClosing = true
    const deadline = setTimeout(() => this.#raw.destroy(), patienceMs)
    await this.gone
    clearTimeout(deadline)
  }

  /** Resets the connection. */
  kill(): void {
    this.#raw.resetAndDestroy()
  }

  async #secured(socket: tls.TLSSocket, done: string): Promise<void> {
    const closed = once(this.#raw, 'close').then(() => Promise.reject(new Error('the handshake failed')))
    closed.catch(() => {})
    socket.on('error', () => this.#raw.destroy())
    this.#text = ''
    await Promise.race([once(socket, done), closed])
    this.#socket = socket
    this.#attach(socket)
  }

  #attach(socket: Socket): void {
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      this.#text += text
      this.#read()
    })
    socket.on('end', () => this.#farEnd())
  }

  #read(): void {
    let at = 0
    for (;;) {
      const start = this.#text.indexOf('<', at)
      const close = start < 0 ? -1 : this.#text.indexOf('>', start)
      if (close < 0) break
      const name = /^<\??([^\s/>]*|\/[^\s>]*)/.exec(this.#text.slice(start, close + 1))![1]!
      const isWhole = name === 'xml' || name === 'stream:stream' || name.startsWith('/')
      let end = close + 1
      if (!isWhole && this.#text[close - 1] !== '/') {
        const endTag = `</${name}>`
        const found = this.#text.indexOf(endTag, end)
        if (found < 0) break
        end = found + endTag.length
      }
      const piece = { name, text: this.#text.slice(start, end) }
      at = end
      if (name === '/stream:stream') this.#farEnd()
      else if (name !== 'xml') this.#take(piece)
    }
    this.#text = this.#text.slice(at)
  }

  #take(piece: Piece): void {
    if (this.#onPiece !== undefined) return this.#onPiece(piece)
    this.#pieces.push(piece)
    this.#wake?.()
  }

  #farEnd(): void {
    if (!this.#isClosing) this.send('</stream:stream>')
    this.#isClosing = true
    this.#socket.end()
  }
}

/** The value of an attribute of the first tag. */
export function attributeOf({ text }: Piece, name: string): string | undefined {
  const tag = text.slice(0, text.indexOf('>'))
  return new RegExp(` ${name}=['"]([^'"]*)['"]`).exec(tag)?.[1]
}

/** Why a message came back; undefined where it did not. */
export function causeOf(piece: Piece): string | undefined {
  if (attributeOf(piece, 'type') !== 'error') return undefined
  return /<error[^>]*><([a-z-]+)/.exec(piece.text)?.[1] ?? 'unknown'
}
