import { isIPv6 } from 'node:net'

/** How many may fail at once, and how soon one more is let off. */
type Allowance = { readonly most: number; readonly everyMs: number }

const ofOne: Allowance = { most: 10, everyMs: 6000 }
const ofAll: Allowance = { most: 60, everyMs: 1000 }
const mostAddresses = 1024

type Count = { used: number; atMs: number }

/**
 * Counts who tries tokens that are not good: 10 of one address, then one in 6 s; 60 of all, then one in a second. An IPv6
 * address stands for its network of 64 bits, for whoever has one of them has all.
 */
export class Attempts {
  readonly #now: () => number
  readonly #all: Count = { used: 0, atMs: 0 }
  readonly #byAddress = new Map<string, Count>()

  /** @param now a clock in ms that never goes back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#byAddress.size
  }

  /**
   * Takes note of an attempt before its outcome is known, so that many at once are counted as well.
   * @returns ms until the next may be made, where this one may not; 0 = it may
   */
  begin(address: string): number {
    const count = this.#of(networkOf(address))
    const waitMs = Math.max(this.#wait(count, ofOne), this.#wait(this.#all, ofAll))
    if (waitMs > 0) return waitMs
    count.used++
    this.#all.used++
    return 0
  }

  /** The attempt was a good one, and does not count. */
  succeeded(address: string): void {
    const network = networkOf(address)
    const count = this.#byAddress.get(network)
    if (count !== undefined && --count.used <= 0) this.#byAddress.delete(network)
    this.#all.used = Math.max(0, this.#all.used - 1)
  }

  #of(network: string): Count {
    const count = this.#byAddress.get(network) ?? { used: 0, atMs: this.#now() }
    // At the end: the first in the map is the one that was quiet the longest.
    this.#byAddress.delete(network)
    this.#byAddress.set(network, count)
    if (this.#byAddress.size > mostAddresses) this.#byAddress.delete(this.#byAddress.keys().next().value!)
    return count
  }

  #wait(count: Count, { most, everyMs }: Allowance): number {
    const passed = Math.floor((this.#now() - count.atMs) / everyMs)
    count.used = Math.max(0, count.used - passed)
    count.atMs = count.used === 0 ? this.#now() : count.atMs + passed * everyMs
    return count.used < most ? 0 : Math.max(1, count.atMs + everyMs - this.#now())
  }
}

/** What an address stands for: of IPv6, its network of 64 bits, for whoever has one of them has all. */
export function networkOf(address: string): string {
  const bare = address.replace(/%.*$/, '')
  if (!isIPv6(bare) || bare.includes('.')) return bare.replace(/^::ffff:/i, '')
  const [head = '', tail] = bare.split('::')
  const [front, back] = [head.split(':'), tail === undefined || tail === '' ? [] : tail.split(':')]
  const filled =
    tail === undefined
      ? front
      : [
          ...front.filter(Boolean),
          ...Array(8 - front.filter(Boolean).length - back.length).fill('0'),
          ...back,
        ]
  return filled.slice(0, 4).join(':')
}
