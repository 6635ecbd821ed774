import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { isIPv4, isIPv6 } from 'node:net'
import type { Resource, Writer } from 'dns2'
import { Packet, TCPServer, UDPServer } from 'dns2'

/** The record types the server answers. A CNAME answers for every type, and what it points at is added. */
export type ZoneType = 'A' | 'AAAA' | 'SRV' | 'CNAME'

/** One record: an address, the target of a CNAME, or an SRV; `ttl` in seconds. */
export type ZoneRecord =
  | string
  | { readonly value: string; readonly ttl: number }
  | {
      readonly priority?: number
      readonly weight?: number
      readonly port: number
      readonly target: string
      readonly ttl?: number
    }

/**
 * What a question gets. `drop` is silence; a function makes its own replies, sent in order, out of the honest one.
 * Records too many for one UDP reply come truncated, and whole over TCP.
 */
export type ZoneAnswer =
  | readonly ZoneRecord[]
  | 'NXDOMAIN'
  | 'SERVFAIL'
  | 'REFUSED'
  | 'drop'
  | ((honest: Packet, query: ZoneQuery) => readonly (Packet | Buffer)[])

/** A table of answers by `name TYPE`; a name without any entry does not exist. */
export type ZoneTable = { readonly [question: `${string} ${ZoneType}`]: ZoneAnswer }

/** A question as it arrived. `port` is the asker's. */
export type ZoneQuery = {
  readonly name: string
  readonly type: string
  readonly transport: 'udp' | 'tcp'
  readonly port: number
  readonly request: Packet
}

const defaultTtl = 60

/** Starts an authoritative DNS server on one loopback port, UDP and TCP. Whoever starts it calls `close()`. */
export async function startZone(
  table: ZoneTable = {},
  options: {
    readonly address?: string
    readonly negativeTtl?: number
    readonly followAliases?: boolean
  } = {},
): Promise<Zone> {
  const address = options.address ?? '127.0.0.1'
  for (let attempt = 1; ; attempt += 1) {
    const tcp = new TCPServer()
    tcp.listen(0, address)
    await once(tcp, 'listening')
    const udp = new UDPServer({ type: isIPv6(address) ? 'udp6' : 'udp4' })
    try {
      udp.bind((tcp.address() as AddressInfo).port, address)
      await once(udp, 'listening')
      return new Zone(udp, tcp, table, options)
    } catch (error) {
      // Somebody else has that UDP port: another one.
      tcp.close()
      udp.close()
      if (attempt === 20) throw error
    }
  }
}

/** A running test server: its table can be changed, and it remembers every question. */
export class Zone {
  readonly port: number
  /** `127.0.0.1:port`, or `[::1]:port`: an entry for `dns.servers`. */
  readonly address: string
  /** Every question in the order of arrival, also those that were dropped. */
  readonly queries: ZoneQuery[] = []
  readonly #answers = new Map<string, ZoneAnswer>()
  readonly #udp: UDPServer
  readonly #tcp: TCPServer
  readonly #clients = new Set<Socket>()
  readonly #negativeTtl: number
  readonly #followAliases: boolean

  constructor(
    udp: UDPServer,
    tcp: TCPServer,
    table: ZoneTable,
    options: { readonly negativeTtl?: number; readonly followAliases?: boolean },
  ) {
    const bound = udp.address()
    this.port = bound.port
    this.address = isIPv6(bound.address)
      ? `[${bound.address}]:${bound.port}`
      : `${bound.address}:${bound.port}`
    this.#udp = udp
    this.#tcp = tcp
    this.#negativeTtl = options.negativeTtl ?? defaultTtl
    this.#followAliases = options.followAliases ?? true
    for (const [question, answer] of Object.entries(table)) this.set(question, answer)
    udp.on('request', (request, send, client) => {
      this.#receive(request, 'udp', 'port' in client ? Number(client.port) : 0, send)
    })
    tcp.on('connection', (client: Socket) => {
      this.#clients.add(client)
      client.once('close', () => this.#clients.delete(client))
    })
    tcp.on('request', (request, send, client) => {
      this.#receive(request, 'tcp', 'remotePort' in client ? Number(client.remotePort) : 0, send)
    })
    // What is no DNS message gets no answer.
    for (const server of [udp, tcp]) server.on('requestError', () => undefined)
  }

  /** Puts an answer in place of another. @throws {Error} when a record cannot be written */
  set(question: string, answer: ZoneAnswer): void {
    const [name = '', type = ''] = question.split(' ')
    if (Array.isArray(answer)) {
      for (const record of answer) toResource(name, type, record).toBuffer()
    }
    this.#answers.set(`${name.toLowerCase()} ${type}`, answer)
  }

  /** Takes an answer away: the name has no such record any more, and does not exist once it has none at all. */
  delete(question: string): void {
    const [name = '', type = ''] = question.split(' ')
    this.#answers.delete(`${name.toLowerCase()} ${type}`)
  }

  /** Publishes a domain's XMPP service: SRV records to `xmpp.DOMAIN`, and its address. */
  federate(domain: string, at: { port: number; host?: string; directTlsPort?: number }): void {
    const host = at.host ?? '127.0.0.1'
    const target = `xmpp.${domain}`
    this.set(`_xmpp-server._tcp.${domain} SRV`, [{ port: at.port, target }])
    if (at.directTlsPort !== undefined) {
      this.set(`_xmpps-server._tcp.${domain} SRV`, [{ port: at.directTlsPort, target }])
    }
    this.set(`${target} ${isIPv6(host) ? 'AAAA' : 'A'}`, [host])
  }

  /** How often this was asked, over either transport. */
  countOf(question: string): number {
    return this.queries.filter(query => `${query.name} ${query.type}` === question).length
  }

  /** Ends both servers and every connection. */
  async close(): Promise<void> {
    const closed = [once(this.#udp, 'close'), once(this.#tcp, 'close')]
    this.#udp.close()
    this.#tcp.close()
    for (const client of this.#clients) client.destroy()
    await Promise.all(closed)
  }

  #receive(
    request: Packet,
    transport: 'udp' | 'tcp',
    port: number,
    send: (reply: Packet | Buffer) => unknown,
  ): void {
    const question = request.questions[0]
    if (question === undefined || request.header.qr === 1) return
    const type = Packet.typeName(question.type)
    const query = { name: question.name.toLowerCase(), type, transport, port, request }
    this.queries.push(query)
    const answer = this.#answers.get(`${query.name} ${type}`)
    if (answer === 'drop') return
    const honest = this.#reply(request, question.name, type)
    const replies = typeof answer === 'function' ? answer(honest, query) : [honest]
    for (const reply of replies) send(reply)
  }

  #reply(request: Packet, name: string, type: string): Packet {
    const reply = Packet.createResponseFromRequest(request)
    reply.header.qr = 1
    reply.header.aa = 1
    reply.header.ra = 1 // stub resolvers refuse a server that cannot recurse
    // RFC 2782 forbids compressed targets, and c-ares rejects them; the library would compress.
    const toBuffer: (writer: Writer) => Buffer = Packet.prototype.toBuffer
    reply.toBuffer = () => toBuffer.call(reply, uncompressed())
    if (request.additionals.some(record => record.type === Packet.TYPE.EDNS)) {
      reply.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: 1232 }))
    }
    const found = this.#find(name, type, reply)
    if (found in rcodes) reply.header.rcode = rcodes[found as keyof typeof rcodes]
    const last = reply.answers.at(-1)?.domain ?? name
    if (found === 'no-data' || found === 'NXDOMAIN') reply.authorities.push(soaFor(last, this.#negativeTtl))
    return reply
  }

  #find(name: string, type: string, reply: Packet): keyof typeof rcodes | 'records' | 'no-data' {
    let owner = name
    for (let links = 0; links < 16; links += 1) {
      const own = this.#answers.get(`${owner.toLowerCase()} ${type}`)
      if (own === 'NXDOMAIN' || own === 'SERVFAIL' || own === 'REFUSED') return own
      if (Array.isArray(own)) {
        reply.answers.push(...own.map(record => toResource(owner, type, record)))
        return 'records'
      }
      const alias = this.#answers.get(`${owner.toLowerCase()} CNAME`)
      if (!Array.isArray(alias)) return this.#exists(owner) ? 'no-data' : 'NXDOMAIN'
      const record = toResource(owner, 'CNAME', alias[0])
      reply.answers.push(record)
      if (!this.#followAliases) return 'records'
      owner = record.domain ?? ''
    }
    return 'records'
  }

  // A name above an existing one exists too (RFC 8020).
  #exists(name: string): boolean {
    const wanted = name.toLowerCase()
    return [...this.#answers.keys()].some(question => {
      const owner = question.slice(0, question.indexOf(' '))
      return owner === wanted || owner.endsWith(`.${wanted}`)
    })
  }
}

const rcodes = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const

function typeCode(type: string): number {
  const code = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 }[type]
  return code ?? Number(type.replace('TYPE', ''))
}

function toResource(name: string, type: string, record: ZoneRecord | undefined): Resource {
  const common = { name, type: typeCode(type), class: Packet.CLASS.IN, ttl: defaultTtl }
  if (typeof record === 'object' && 'target' in record) {
    return new Packet.Resource({ priority: 0, weight: 0, ...common, ...record })
  }
  const { value, ttl } =
    typeof record === 'object' && 'value' in record ? record : { value: record, ttl: defaultTtl }
  if (value === undefined) throw new Error(`no record for ${name} ${type}`)
  if (type === 'CNAME') return new Packet.Resource({ ...common, ttl, domain: value })
  if (type === 'A' ? !isIPv4(value) : !isIPv6(value)) throw new Error(`${value} is no ${type} record`)
  return new Packet.Resource({ ...common, ttl, address: value })
}

function soaFor(name: string, minimum: number): Resource {
  const apex = name.split('.').slice(-2).join('.')
  const timers = { serial: 1, refresh: 3600, retry: 600, expiration: 86400, minimum }
  const common = { name: apex, type: Packet.TYPE.SOA, class: Packet.CLASS.IN, ttl: minimum }
  return new Packet.Resource({ ...common, ...timers, primary: `ns.${apex}`, admin: `hostmaster.${apex}` })
}

// The writer compresses names only where it finds a Map here.
function uncompressed(): Writer {
  return Object.assign(new Packet.Writer(), { names: 'none' })
}
