import type { Socket } from 'node:net'
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Domain } from '../xmpp/address.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import type { ReasonCode } from '../xmpp/reason.ts'
import { type AddressOutcome, type Families, RaceLost, raceToConnect } from './address-race.ts'
import { within } from './deadline.ts'
import type { DnsAnswer, RecordOf, RecordType, SrvRecord } from './dns-answer.ts'
import type { Resolver } from './resolver.ts'
import type { Target, Targets } from './service-records.ts'
import { targetsFor } from './service-records.ts'

const maxAddresses = 16 // of one family of one host

/** A partner cannot be reached. `message` is for the operator's log: it names hosts, which no far side may learn. */
export class DialError extends Error {
  override readonly name = 'DialError'
  readonly code: ReachingCode

  constructor(code: ReachingCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** What senders are told. */
  get condition(): 'remote-server-not-found' | 'remote-server-timeout' {
    return notFound.has(this.code) ? 'remote-server-not-found' : 'remote-server-timeout'
  }
}

/** Why a partner cannot be reached. */
export type ReachingCode = Extract<ReasonCode, `dns-${string}` | `connect-${string}` | `proxy-${string}`>

const notFound: ReadonlySet<string> = new Set<ReachingCode>([
  'dns-no-service',
  'dns-no-address',
  'proxy-no-address',
])

/** Hears of what was asked and tried. */
export type Tell = (step: AttemptStep) => void

type DialerOptions = {
  readonly resolver: Resolver
  readonly connectTimeoutMs: number
  readonly random?: () => number
}

/** Finds a partner's servers and connects to them. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #resolver: Resolver
  readonly #connectTimeoutMs: number
  readonly #random: () => number

  /**
   * @param options.connectTimeoutMs for one target: its addresses looked up and one of them connected
   * @param options.random draws among the records of one priority; at least 0 and less than 1
   */
  constructor(options: DialerOptions) {
    this.#options = options
    this.#resolver = options.resolver
    this.#connectTimeoutMs = options.connectTimeoutMs
    this.#random = options.random ?? Math.random
  }

  /**
   * Lists where a domain's server may be, in the order to try: `proxy` where it is given, else what DNS says.
   * @throws {DialError} not-found where the domain says it has no such service, timeout where DNS fails
   */
  async targets(
    domain: Domain,
    proxy: { readonly host: string; readonly port: number } | undefined,
    signal: AbortSignal,
    tell: Tell = () => {},
  ): Promise<readonly Target[]> {
    if (proxy !== undefined) return [{ ...proxy, directTls: false, source: 'proxy' }]
    const [xmpps, xmpp] = await Promise.allSettled([
      this.#lookup(`_xmpps-server._tcp.${domain}`, 'SRV', signal, tell),
      this.#lookup(`_xmpp-server._tcp.${domain}`, 'SRV', signal, tell),
    ])
    signal.throwIfAborted()
    const found = targetsFor(domain, answerOf(xmpps), answerOf(xmpp), this.#random)
    const failure = [xmpps, xmpp].find(outcome => outcome.status === 'rejected')
    // Half an answer is good for the records in it, never for concluding that there are none.
    if (failure !== undefined && !(found.kind === 'targets' && found.targets[0].source === 'srv')) {
      throw new DialError('dns-failed', messageOf(failure.reason), { cause: failure.reason })
    }
    if (found.kind === 'targets') return found.targets
    throw new DialError('dns-no-service', `${domain} ${whyNone(found)}`)
  }

  /**
   * Connects to a target, all its addresses raced. The socket may be half open, and has no listeners.
   * @throws {DialError} naming every address and its cause, or the signal's reason
   */
  async connect(target: Target, signal: AbortSignal, tell: Tell = () => {}): Promise<Socket> {
    const { host, port, directTls, source } = target
    tell({ step: 'server', host, port, directTls, source })
    const failures: unknown[] = []
    const find = (type: 'A' | 'AAAA', until: AbortSignal) =>
      this.#addressesOf(target.host, type, until, tell).catch((error: unknown) => {
        failures.push(error)
        return []
      })
    let families: Families | undefined
    try {
      return await within(this.#connectTimeoutMs, signal, until => {
        families = { ipv6: find('AAAA', until), ipv4: find('A', until) }
        return raceToConnect(families, target.port, until, outcome => tell(stepOf(outcome)))
      })
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof RaceLost)) throw error
      // A lookup whose time is over has its own way to say so.
      await Promise.all(Object.values(families ?? {}))
      const tried = error.failures.map(({ address, outcome }) => `${address} ${outcome}`)
      const causes = [...tried, ...failures.map(messageOf)].join('; ') || 'no address'
      const code = codeOf(error.failures, failures.length > 0, target)
      throw new DialError(code, `${target.host} port ${target.port}: ${causes}`, { cause: error })
    }
  }

  /** One that asks DNS anew whatever this one remembers. */
  afresh(): Dialer {
    return new Dialer({ ...this.#options, resolver: this.#resolver.afresh() })
  }

  /** Remembers what DNS has told such a one, in place of older answers. */
  learnFrom(other: Dialer): void {
    this.#resolver.learnFrom(other.#resolver)
  }

  async #addressesOf(
    host: string,
    type: 'A' | 'AAAA',
    signal: AbortSignal,
    tell: Tell,
  ): Promise<readonly string[]> {
    if (isIP(host) !== 0) return isIPv6(host) === (type === 'AAAA') ? [host] : []
    const answer = await this.#lookup(host, type, signal, tell)
    return answer.kind === 'records' ? answer.records.filter(isHost).slice(0, maxAddresses) : []
  }

  async #lookup<Type extends RecordType>(
    name: string,
    type: Type,
    signal: AbortSignal,
    tell: Tell,
  ): Promise<DnsAnswer<RecordOf[Type]>> {
    const isCached = this.#resolver.remembers(name, type)
    const asked = { step: 'dns', question: `${name} ${type}`, ...(isCached && { isCached }) } as const
    try {
      const answer = await this.#resolver.lookup(name, type, signal)
      const found = answer.kind === 'records' ? [...answer.records, ...answer.unusable] : []
      tell({ ...asked, outcome: answer.kind, records: found.map(inZoneForm), reason: null })
      return answer
    } catch (error) {
      const isUnwanted = signal.aborted && signal.reason?.name !== 'TimeoutError'
      if (!isUnwanted) tell({ ...asked, outcome: 'failed', records: [], reason: messageOf(error) })
      throw error
    }
  }
}

function whyNone(found: Exclude<Targets, { kind: 'targets' }>): string {
  if (found.kind === 'no-service') return 'publishes that it has no XMPP server'
  const [first, ...others] = found.records
  const rest = others.length === 0 ? '' : `, and ${others.length} more`
  return `publishes SRV records, but none that leads to a server: ${inZoneForm(first)}${rest}`
}

const noAddress = {
  fallback: 'dns-no-service',
  srv: 'dns-no-address',
  proxy: 'proxy-no-address',
} as const satisfies Record<Target['source'], ReachingCode>

function inZoneForm(record: SrvRecord | string): string {
  if (typeof record === 'string') return record
  return `${record.priority} ${record.weight} ${record.port} ${record.target}`
}

function stepOf({ address, outcome }: AddressOutcome): AttemptStep {
  if (outcome === 'connected' || outcome === 'abandoned')
    return { step: 'address', address, outcome, reason: null }
  return { step: 'address', address, outcome: 'failed', reason: outcome }
}

/** Of several causes, the one that tells most: who refuses is there. */
function codeOf(
  tried: readonly AddressOutcome[],
  hasFailedLookups: boolean,
  { source }: Target,
): ReachingCode {
  const isAny = (...outcomes: string[]) => tried.some(({ outcome }) => outcomes.includes(outcome))
  if (isAny('ECONNREFUSED', 'ECONNRESET')) return 'connect-refused'
  if (isAny('no answer', 'ETIMEDOUT')) return 'connect-timeout'
  if (tried.length > 0) return 'connect-unreachable'
  if (hasFailedLookups) return 'dns-failed'
  return noAddress[source]
}

// Published addresses that are no host's: 0.0.0.0 would be this machine, and the others are groups.
const nobody = new BlockList()
nobody.addSubnet('0.0.0.0', 8, 'ipv4')
nobody.addSubnet('224.0.0.0', 3, 'ipv4')
nobody.addAddress('::', 'ipv6')
nobody.addSubnet('ff00::', 8, 'ipv6')

/** Whether a published address can be a host's at all; others are not connected to. */
export function isHost(address: string): boolean {
  return !nobody.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function answerOf(outcome: PromiseSettledResult<DnsAnswer<SrvRecord>>): DnsAnswer<SrvRecord> {
  return outcome.status === 'fulfilled' ? outcome.value : { kind: 'no-data', aliases: [], ttl: 0 }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
