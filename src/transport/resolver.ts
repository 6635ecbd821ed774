import { randomInt } from 'node:crypto'
import { getServers } from 'node:dns'
import type { Resource } from 'dns2'
import { Packet } from 'dns2'
import { unlessAborted, within } from './deadline.ts'
import type { DnsAnswer, RecordOf, RecordType } from './dns-answer.ts'
import { DnsError, escapeName, isHostName, isUsable } from './dns-answer.ts'
import type { AnyAnswer } from './dns-cache.ts'
import { DnsCache } from './dns-cache.ts'
import type { Accept, NameServer } from './dns-exchange.ts'
import { askOverTcp, askOverUdp, parseNameServer } from './dns-exchange.ts'

const leastTries = 3
const aliasLimit = 8
const ednsBytes = 1232 // what passes every path unfragmented (DNS flag day 2020)

/** One lookup under way, shared by all who ask the same; it ends when the last of them leaves. */
type Flight = { readonly answer: Promise<AnyAnswer>; readonly controller: AbortController; waiting: number }

/** What one reply says: the answer, or where the alias leads about which to ask on. `ttl` in seconds. */
type Reading = {
  readonly aliases: readonly string[]
  readonly ttl: number | undefined
  readonly isAuthentic: boolean
  readonly answer: AnyAnswer | undefined
}

type ResolverOptions = {
  readonly servers: readonly string[] | undefined
  readonly timeoutMs: number
  readonly now?: () => number
}

/** Looks names up in DNS and remembers the answers. It holds sockets and timers only while a lookup runs. */
export class Resolver {
  /** Whom it asks, in this order. */
  readonly servers: readonly NameServer[]
  readonly #options: ResolverOptions
  readonly #flights = new Map<string, Flight>()
  readonly #cache: DnsCache

  /**
   * @param options.servers `address` or `address:port`, asked in order; undefined takes those of the system
   * @param options.timeoutMs for one whole lookup, tries and aliases included
   * @param options.now a clock in milliseconds
   * @throws {RangeError} when a server's address cannot be read
   */
  constructor(options: ResolverOptions) {
    this.#options = options
    this.servers = (options.servers ?? getServers()).map(parseNameServer)
    this.#cache = new DnsCache(options.now ?? (() => performance.now()))
  }

  /**
   * Asks for a name's records of one type, following up to 8 aliases.
   * @throws {DnsError} when no server gives an answer, or the signal's reason
   */
  async lookup<Type extends RecordType>(
    name: string,
    type: Type,
    signal?: AbortSignal,
  ): Promise<DnsAnswer<RecordOf[Type]>> {
    signal?.throwIfAborted()
    if (!isHostName(name)) return { kind: 'no-domain', aliases: [], ttl: 0 }
    const key = keyOf(name, type)
    const answer = this.#cache.get(key) ?? (await this.#share(key, name.toLowerCase(), type, signal))
    return answer as DnsAnswer<RecordOf[Type]>
  }

  /** Whether `lookup` would answer from memory now. */
  remembers(name: string, type: RecordType): boolean {
    return this.#cache.get(keyOf(name, type)) !== undefined
  }

  /** One that asks the same servers, and remembers nothing yet. */
  afresh(): Resolver {
    return new Resolver(this.#options)
  }

  /** Remembers what such a one has learnt, in place of older answers. */
  learnFrom(other: Resolver): void {
    this.#cache.take(other.#cache)
  }

  async #share(
    key: string,
    name: string,
    type: RecordType,
    signal: AbortSignal | undefined,
  ): Promise<AnyAnswer> {
    const flight = this.#flights.get(key) ?? this.#start(key, name, type)
    flight.waiting += 1
    try {
      return await unlessAborted(flight.answer, signal)
    } finally {
      flight.waiting -= 1
      if (flight.waiting === 0) {
        flight.controller.abort()
        if (this.#flights.get(key) === flight) this.#flights.delete(key)
      }
    }
  }

  #start(key: string, name: string, type: RecordType): Flight {
    const controller = new AbortController()
    const found = within(this.#options.timeoutMs, controller.signal, signal =>
      this.#follow(name, type, signal),
    )
    const answer = found.then(({ answer, ttl }) => {
      this.#cache.put(key, answer, ttl)
      return answer
    })
    answer.catch(() => undefined) // everybody who waited may have left
    const flight = { answer, controller, waiting: 0 }
    this.#flights.set(key, flight)
    return flight
  }

  async #follow(
    name: string,
    type: RecordType,
    signal: AbortSignal,
  ): Promise<{ answer: AnyAnswer; ttl: number | undefined }> {
    const aliases: string[] = []
    let ttl: number | undefined
    let isAuthentic = true
    for (;;) {
      const reading = await this.#ask(aliases.at(-1) ?? name, type, signal)
      aliases.push(...reading.aliases)
      ttl = earlier(ttl, reading.ttl)
      isAuthentic &&= reading.isAuthentic
      if (aliases.length > aliasLimit) {
        throw new DnsError(
          'bad-response',
          `${name} ${type}: more than ${aliasLimit} aliases, one after another`,
        )
      }
      if (reading.answer === undefined) continue
      const answer = { ...reading.answer, aliases, ttl: ttl ?? 0 }
      return { answer: answer.kind === 'records' ? { ...answer, authenticated: isAuthentic } : answer, ttl }
    }
  }

  // A silent server may have lost the packet and is asked again; one that refused is not.
  async #ask(name: string, type: RecordType, signal: AbortSignal): Promise<Reading> {
    const tries = Math.max(leastTries, this.servers.length)
    const waiting = [...this.servers]
    const failures: DnsError[] = []
    for (let silences = 0; silences < tries && !signal.aborted; ) {
      const server = waiting.shift()
      if (server === undefined) break
      try {
        return await within(Math.floor(this.#options.timeoutMs / tries), signal, trySignal =>
          exchange(server, name, type, trySignal),
        )
      } catch (error) {
        const failure = failureOf(server, error)
        failures.push(failure)
        if (failure.code !== 'timeout') continue
        silences += 1
        waiting.push(server)
      }
    }
    const causes = failures.map(failure => failure.message).join('; ')
    throw new DnsError(failures.at(-1)?.code ?? 'timeout', `${name} ${type}: ${causes || 'no name server'}`)
  }
}

function keyOf(name: string, type: RecordType): string {
  return `${name.toLowerCase()} ${type}`
}

async function exchange(
  server: NameServer,
  name: string,
  type: RecordType,
  signal: AbortSignal,
): Promise<Reading> {
  const query = queryFor(name, type)
  const bytes = query.toBuffer()
  const overUdp = await askOverUdp(server, bytes, replyTo(query), signal)
  const reply = overUdp.header.tc === 1 ? await askOverTcp(server, bytes, replyTo(query), signal) : overUdp
  // The AD bit is worth what the way to the server is worth (RFC 4035 §4.9.3).
  const isAuthentic = isLoopback(server) && (reply.header as { ad?: number }).ad === 1
  return read(reply, name, type, isAuthentic)
}

function queryFor(name: string, type: RecordType): Packet {
  const query = new Packet(new Packet.Question(name, Packet.TYPE[type], Packet.CLASS.IN))
  const bits = { rd: 1, ad: 1 } as const // AD in a query asks for AD in the reply (RFC 6840 §5.7)
  query.header = new Packet.Header({ id: randomInt(0x1_0000), ...bits })
  query.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: ednsBytes }))
  return query
}

// RFC 5452 §9.1: what does not repeat our id and question is not for us.
function replyTo(query: Packet): Accept<Packet> {
  return message => {
    const isReply = message.length >= Packet.HEADER_SIZE && (message.readUInt8(2) & 0x80) !== 0
    if (!isReply || message.readUInt16BE(0) !== query.header.id) return undefined
    const reply = Packet.parse(message)
    const [asked, repeated] = [query.questions[0], reply.questions[0]]
    if (asked === undefined || repeated === undefined || reply.questions.length > 1) return undefined
    const isSame = asked.type === repeated.type && asked.class === repeated.class
    return isSame && asked.name === repeated.name.toLowerCase() ? reply : undefined
  }
}

function read(reply: Packet, name: string, type: RecordType, isAuthentic: boolean): Reading {
  const soa = reply.authorities.find(record => record.type === Packet.TYPE.SOA)
  const negativeTtl = soa && Math.min(soa.ttl, soa.minimum ?? soa.ttl) // RFC 2308 §5
  refuseUnusable(reply, soa !== undefined)
  const chain = followAliases(reply.answers, name)
  const aliases = chain.map(({ domain = '' }) => domain.toLowerCase())
  const owner = aliases.at(-1) ?? name
  const found = reply.answers.filter(record => isOf(record, owner, Packet.TYPE[type]))
  const ttl = [...chain, ...found].reduce<number | undefined>(
    (least, record) => earlier(least, record.ttl),
    undefined,
  )
  const common = { aliases, isAuthentic }
  const none = (kind: 'no-data' | 'no-domain'): Reading => {
    return { ...common, ttl: earlier(ttl, negativeTtl), answer: { kind, aliases, ttl: ttl ?? 0 } }
  }
  if (reply.header.rcode === Packet.RCODE.NXDOMAIN) return none('no-domain')
  if (found.length > 0) {
    const contents = found.map(contentOf).filter(value => value !== undefined)
    const records = contents.filter(isUsable)
    const unusable = contents.filter(content => !isUsable(content))
    return {
      ...common,
      ttl,
      answer: { kind: 'records', records, unusable, authenticated: isAuthentic, aliases, ttl: ttl ?? 0 },
    }
  }
  if (chain.length > 0 && soa === undefined) return { ...common, ttl, answer: undefined }
  return none('no-data')
}

function refuseUnusable({ header, answers, authorities, errors }: Packet, hasSoa: boolean): void {
  if (header.rcode === Packet.RCODE.SERVFAIL) throw new DnsError('servfail', 'SERVFAIL')
  if (header.rcode !== Packet.RCODE.NOERROR && header.rcode !== Packet.RCODE.NXDOMAIN) {
    throw new DnsError(
      'refused',
      header.rcode === Packet.RCODE.REFUSED ? 'REFUSED' : `response code ${header.rcode}`,
    )
  }
  const isBroken = header.tc === 1 || errors.some(error => error.section === 'answers')
  if (isBroken) throw new DnsError('bad-response', 'a broken answer')
  // A server that does not recurse points at others, which must not pass for "no such record".
  const isReferral =
    answers.length === 0 && !hasSoa && authorities.some(record => record.type === Packet.TYPE.NS)
  if (isReferral) throw new DnsError('refused', 'a referral: this server answers for its own zones only')
}

// One link more than may be is enough to see that it is too many.
function followAliases(answers: readonly Resource[], name: string): Resource[] {
  const chain: Resource[] = []
  for (let owner = name; chain.length <= aliasLimit; ) {
    const alias = answers.find(record => isOf(record, owner, Packet.TYPE.CNAME))
    if (alias?.domain === undefined) break
    if (!isHostName(alias.domain)) throw new DnsError('bad-response', 'an alias for what is no host name')
    chain.push(alias)
    owner = alias.domain.toLowerCase()
  }
  return chain
}

function isOf(record: Resource, owner: string, type: number): boolean {
  return record.type === type && record.class === Packet.CLASS.IN && record.name.toLowerCase() === owner
}

function contentOf(record: Resource): RecordOf[RecordType] | undefined {
  if (record.type !== Packet.TYPE.SRV) return record.address
  const { priority = 0, weight = 0, port = 0, target } = record
  if (target === undefined) return undefined
  return { priority, weight, port, target: target === '' ? '.' : escapeName(target).toLowerCase() }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}

function failureOf(server: NameServer, error: unknown): DnsError {
  const where = `${server.address} port ${server.port}`
  if (error instanceof DnsError) return new DnsError(error.code, `${where}: ${error.message}`)
  const { name, message, code } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError' || name === 'AbortError') return new DnsError('timeout', `${where}: ${message}`)
  return new DnsError(code === undefined ? 'bad-response' : 'unreachable', `${where}: ${message}`, {
    cause: error,
  })
}

function isLoopback({ address }: NameServer): boolean {
  return address === '::1' || address.startsWith('127.')
}
