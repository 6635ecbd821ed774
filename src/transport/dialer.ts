import type { Socket } from 'node:net'
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Domain } from '../xmpp/address.ts'
import { RaceLost, raceToConnect } from './address-race.ts'
import { within } from './deadline.ts'
import type { DnsAnswer, SrvRecord } from './dns-answer.ts'
import type { Resolver } from './resolver.ts'
import type { Target } from './service-records.ts'
import { targetsFor } from './service-records.ts'

const maxAddresses = 16 // of one family of one host

/** A partner cannot be reached. `message` is for the operator's log: it names hosts, which no far side may learn. */
export class DialError extends Error {
  override readonly name = 'DialError'
  readonly condition: 'remote-server-not-found' | 'remote-server-timeout'

  constructor(condition: DialError['condition'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.condition = condition
  }
}

/** Finds a partner's servers and connects to them. */
export class Dialer {
  readonly #resolver: Resolver
  readonly #connectTimeoutMs: number
  readonly #random: () => number

  /**
   * @param options.connectTimeoutMs for one target: its addresses looked up and one of them connected
   * @param options.random draws among the records of one priority; at least 0 and less than 1
   */
  constructor(options: {
    readonly resolver: Resolver
    readonly connectTimeoutMs: number
    readonly random?: () => number
  }) {
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
  ): Promise<readonly Target[]> {
    if (proxy !== undefined) return [{ ...proxy, directTls: false, source: 'proxy' }]
    const [xmpps, xmpp] = await Promise.allSettled([
      this.#resolver.lookup(`_xmpps-server._tcp.${domain}`, 'SRV', signal),
      this.#resolver.lookup(`_xmpp-server._tcp.${domain}`, 'SRV', signal),
    ])
    signal.throwIfAborted()
    const found = targetsFor(domain, answerOf(xmpps), answerOf(xmpp), this.#random)
    const failure = [xmpps, xmpp].find(outcome => outcome.status === 'rejected')
    // Half an answer is good for the records in it, never for concluding that there are none.
    if (failure !== undefined && !(found.kind === 'targets' && found.targets[0].source === 'srv')) {
      throw new DialError('remote-server-timeout', messageOf(failure.reason), { cause: failure.reason })
    }
    if (found.kind === 'targets') return found.targets
    throw new DialError('remote-server-not-found', `${domain} publishes that it has no XMPP server`)
  }

  /**
   * Connects to a target, all its addresses raced. The socket may be half open, and has no listeners.
   * @throws {DialError} naming every address and its cause, or the signal's reason
   */
  async connect(target: Target, signal: AbortSignal): Promise<Socket> {
    const failures: unknown[] = []
    const find = (type: 'A' | 'AAAA', until: AbortSignal) =>
      this.#addressesOf(target.host, type, until).catch((error: unknown) => {
        failures.push(error)
        return []
      })
    try {
      return await within(this.#connectTimeoutMs, signal, until =>
        raceToConnect({ ipv6: find('AAAA', until), ipv4: find('A', until) }, target.port, until),
      )
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof RaceLost)) throw error
      const isAbsent = error.failures.length === 0 && failures.length === 0
      const causes = [...error.failures, ...failures.map(messageOf)].join('; ') || 'no address'
      const condition = isAbsent ? 'remote-server-not-found' : 'remote-server-timeout'
      throw new DialError(condition, `${target.host} port ${target.port}: ${causes}`, { cause: error })
    }
  }

  async #addressesOf(host: string, type: 'A' | 'AAAA', signal: AbortSignal): Promise<readonly string[]> {
    if (isIP(host) !== 0) return isIPv6(host) === (type === 'AAAA') ? [host] : []
    const answer = await this.#resolver.lookup(host, type, signal)
    return answer.kind === 'records' ? answer.records.filter(isHost).slice(0, maxAddresses) : []
  }
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
  return outcome.status === 'fulfilled' ? outcome.value : { kind: 'no-data' }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
