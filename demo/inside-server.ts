import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { componentHandshake } from '../src/negotiation/component.ts'
import { XmlStream } from '../src/transport/xml-stream.ts'
import { type Element, toElement } from '../src/xml/element.ts'
import type { Slice } from '../src/xml/reader.ts'
import { streamHeader, tag } from '../src/xml/writer.ts'
import { ns } from '../src/xmpp/namespaces.ts'

const limits = { elementBytes: 65_536, depth: 32 }

/** As much of an XMPP server as has one user: it takes components (XEP-0114), and its user's word goes out through them. */
export class InsideServer {
  readonly secret = randomBytes(16).toString('hex')
  readonly port: number
  readonly #server: Server
  readonly #streams = new Map<string, XmlStream>()
  readonly #waiting = new Map<string, (message: Element) => void>()

  static async start(): Promise<InsideServer> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new InsideServer(server)
  }

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', socket => this.#accept(socket))
  }

  /** Sends a stanza of the user to the partner's domain, and waits for the message that comes back with its id. */
  ask(domain: string, id: string, xml: string): Promise<Element> {
    const { promise, resolve } = Promise.withResolvers<Element>()
    this.#waiting.set(id, resolve)
    this.#streams.get(domain)?.send(xml)
    return promise
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const stream of this.#streams.values()) stream.close()
    await once(this.#server, 'close')
  }

  #accept(socket: Socket): void {
    const id = randomBytes(8).toString('hex')
    let domain = ''
    const stream: XmlStream = new XmlStream(
      socket,
      { content: ns.component, limits, stallMs: 5000, closeGraceMs: 1000 },
      {
        header: ({ attributes }) => {
          domain = attributes.get('to') ?? ''
          stream.send(streamHeader({ content: ns.component, from: domain, id }))
        },
        element: slice => {
          if (slice.name !== 'handshake') return this.#hear(slice, stream)
          const said = toElement(slice, stream.declarations).getText()
          if (said !== componentHandshake(id, this.secret)) return stream.close('not-authorized')
          this.#streams.set(domain, stream)
          stream.send(tag('handshake', {}))
        },
        fault: error => stream.close(error.condition, error.message),
        ended: () => stream.close(),
        pausedReading: () => undefined,
        drained: () => undefined,
        closed: () => this.#streams.delete(domain),
      },
    )
  }

  #hear(slice: Slice, stream: XmlStream): void {
    this.#waiting.get(slice.id ?? '')?.(toElement(slice, stream.declarations))
  }
}
