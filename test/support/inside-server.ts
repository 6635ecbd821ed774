import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { streamHeader, tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import type { Seen } from './client.ts'
import { listen, patienceMs, Wire } from './wire.ts'

const secret = 'between gateway and server inside'

/** One component stream as the internal server has it (XEP-0114): `send` is from inside, `find` what partners sent. */
export class InsideStream extends Wire {
  /** The partner domain that this component is for. */
  domain = ''

  constructor(socket: Socket) {
    super(socket, 'the server inside')
  }

  /** Takes the gateway from its header to the handshake; a wrong secret, or an unknown domain, is refused as servers do. */
  async takesHandshake(unknown: ReadonlySet<string>): Promise<void> {
    const { attributes } = await this.header()
    this.domain = attributes['to'] ?? ''
    const id = `inside-${this.domain}`
    this.send(streamHeader({ content: ns.component, from: this.domain, id }))
    if (unknown.has(this.domain)) return this.#refuses('host-unknown')
    const handshake = await this.next('handshake', ns.component)
    const expected = createHash('sha1').update(id).update(secret).digest('hex')
    if (handshake.text === expected) return this.send(tag('handshake', {}))
    this.#refuses('not-authorized')
  }

  #refuses(condition: string): void {
    this.end(`${tag('stream:error', {}, tag(condition, { xmlns: ns.streams }))}</stream:stream>`)
  }
}

/** The internal server: accepts the gateway's component streams on a real socket until the test ends. */
export class InsideServer {
  readonly secret = secret
  readonly port: number
  /** Domains of partners that it was not told of. */
  readonly unknown: Set<string>
  readonly #streams: Map<string, InsideStream>
  readonly #watchers: Set<() => void>

  /** Listens; on a port that was in use before, where one is given. */
  static async start(port = 0): Promise<InsideServer> {
    const streams = new Map<string, InsideStream>()
    const watchers = new Set<() => void>()
    const unknown = new Set<string>()
    const accept = async (socket: Socket) => {
      const stream = new InsideStream(socket)
      await stream.takesHandshake(unknown)
      streams.set(stream.domain, stream)
      for (const watch of watchers) watch()
    }
    const bound = await listen(socket => void accept(socket).catch(() => socket.destroy()), port)
    return new InsideServer(bound, streams, watchers, unknown)
  }

  private constructor(
    port: number,
    streams: Map<string, InsideStream>,
    watchers: Set<() => void>,
    unknown: Set<string>,
  ) {
    this.port = port
    this.unknown = unknown
    this.#streams = streams
    this.#watchers = watchers
  }

  /** The newest stream that is up for a partner's domain; waits for one. */
  async component(domain: string, deadlineMs = patienceMs): Promise<InsideStream> {
    const deadline = AbortSignal.timeout(deadlineMs)
    for (;;) {
      const stream = this.#streams.get(domain)
      if (stream !== undefined && !stream.isClosed) return stream
      if (deadline.aborted) throw new Error(`no component stream for ${domain} within ${deadlineMs} ms`)
      await new Promise<void>(resolve => {
        const watch = () => {
          this.#watchers.delete(watch)
          deadline.removeEventListener('abort', watch)
          resolve()
        }
        this.#watchers.add(watch)
        deadline.addEventListener('abort', watch)
      })
    }
  }

  /** Takes the next stanza for the inside that came from a partner's domain and has this id. */
  async stanza(domain: string, id: string): Promise<Seen> {
    const stream = await this.component(domain)
    return stream.find(`stanza ${id}`, ({ attributes }) => attributes['id'] === id)
  }
}
