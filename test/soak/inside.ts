import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { streamHeader, tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { attributeOf, causeOf, Line } from './line.ts'

/** Nobody connects from there, so that its ports are free again after a restart. */
export const insideHost = '127.0.5.1'

/** The server inside, which restarts: every partner's domain is a component of it (XEP-0114). */
export class Inside {
  readonly #arrives: (id: string, cause?: string) => void
  readonly #components = new Map<string, Line>()
  #server: Server
  port = 0
  restarts = 0

  constructor(arrives: (id: string, cause?: string) => void) {
    this.#arrives = arrives
    this.#server = this.#newServer()
  }

  async start(): Promise<void> {
    this.#server.listen(this.port, insideHost)
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** The component stream of a partner's domain, where it is up. */
  component(domain: string): Line | undefined {
    const line = this.#components.get(domain)
    return line?.isOpen ? line : undefined
  }

  get up(): number {
    return [...this.#components.values()].filter(line => line.isOpen).length
  }

  /** Ends every stream in good order, is down for a time, and comes back. */
  async restart(downMs: number): Promise<void> {
    this.restarts++
    const lines = await this.#leave()
    await Promise.all(lines.map(line => line.close()))
    await new Promise(resolve => setTimeout(resolve, downMs))
    this.#server = this.#newServer()
    await this.start()
  }

  /** Dies: every connection is reset. */
  async dies(): Promise<void> {
    this.restarts++
    for (const line of await this.#leave()) line.kill()
    this.#server = this.#newServer()
    await this.start()
  }

  async stop(): Promise<void> {
    await Promise.all((await this.#leave()).map(line => line.close()))
  }

  async #leave(): Promise<Line[]> {
    this.#server.close()
    const lines = [...this.#components.values()]
    this.#components.clear()
    return lines
  }

  #newServer(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      void this.#accept(new Line(socket)).catch(() => {})
    })
  }

  async #accept(line: Line): Promise<void> {
    const domain = attributeOf(await line.next('stream:stream'), 'to') ?? ''
    line.send(streamHeader({ content: ns.component, from: domain, id: `inside-${domain}` }))
    await line.next('handshake')
    line.send(tag('handshake', {}))
    line.hears(piece => {
      if (piece.name === 'message') this.#arrives(attributeOf(piece, 'id') ?? '', causeOf(piece))
    })
    this.#components.set(domain, line)
  }
}
