import { once } from 'node:events'
import { Packet, type Resource, UDPServer } from 'dns2'

/** A DNS server on loopback that knows XMPP services and nothing else. */
export class NameServer {
  /** An entry for `dns.servers`. */
  readonly address: string
  readonly #udp: UDPServer
  readonly #ports = new Map<string, number>()

  static async start(): Promise<NameServer> {
    const udp = new UDPServer({ type: 'udp4' })
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    return new NameServer(udp)
  }

  private constructor(udp: UDPServer) {
    this.#udp = udp
    this.address = `127.0.0.1:${udp.address().port}`
    udp.on('request', (request, send) => send(this.#answer(request)))
  }

  /** Publishes where a domain's XMPP server is: SRV to `xmpp.DOMAIN`, and that name's address. */
  publish(domain: string, port: number): void {
    this.#ports.set(domain, port)
  }

  async close(): Promise<void> {
    this.#udp.close()
    await once(this.#udp, 'close')
  }

  #answer(request: Packet): Packet {
    const reply = Packet.createResponseFromRequest(request)
    reply.header.qr = 1
    reply.header.ra = 1
    const [question] = request.questions
    const found = question && this.#find(question.name.toLowerCase(), question.type)
    if (found !== undefined) reply.answers.push(found)
    return reply
  }

  #find(name: string, type: number): Resource | undefined {
    const common = { name, type, class: Packet.CLASS.IN, ttl: 60 }
    const domain = name.replace(/^(_xmpp-server\._tcp|xmpp)\./, '')
    const port = this.#ports.get(domain)
    if (port === undefined) return undefined
    if (type === Packet.TYPE.SRV && name.startsWith('_xmpp-server.'))
      return new Packet.Resource({ ...common, priority: 0, weight: 0, port, target: `xmpp.${domain}` })
    if (type === Packet.TYPE.A && name.startsWith('xmpp.'))
      return new Packet.Resource({ ...common, address: '127.0.0.1' })
    return undefined
  }
}
