import { isIPv6 } from 'node:net'

/** How many may fail at once, and how soon one more is let off. */
type Allowance = { readonly most: number; readonly everyMs: number }

const ofOne: Allowance = { most: 10, everyMs: 6000 }
const ofAll: Allowance = { most: 60, everyMs: 1000 }
const mostCounts = 1024

type Count = { used: number; atMs: number }

/**
 * Counts who tries what is not good, each thing by itself, so that whoever tries one holds up nobody who wants another: 10
 * of one address, then one in 6 s; 60 of all, then one in a second. An IPv6 address stands for its network of 64 bits, for
 * whoever has one of them has all.
 */
export class Attempts {
  readonly #now: () => number
  readonly #ofAll = new Map<string, Count>()
  readonly #ofOne = new Map<string, Count>()

  /** @param now a clock in ms that never goes back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Counts that are kept. */
  get size(): number {
    return this.#ofAll.size + this.#ofOne.size
  }

  /**
   * Takes note of an attempt before its outcome is known, so that many at once are counted as well.
   * @param at what is tried
   * @returns ms until the next may be made, where this one may not; 0 = it may
   */
  begin(address: string, at = ''): number {
    const one = this.#of(this.#ofOne, `${at} ${networkOf(address)}`)
    const all = this.#of(this.#ofAll, at)
    const waitMs = Math.max(this.#wait(one, ofOne), this.#wait(all, ofAll))
    if (waitMs > 0) return waitMs
    one.used++
    all.used++
    return 0
  }

  /** The attempt was a good one, and does not count. */
  succeeded(address: string, at = ''): void {
    for (const [counts, key] of [
      [this.#ofOne, `${at} ${networkOf(address)}`],
      [this.#ofAll, at],
    ] as const) {
      const count = counts.get(key)
      if (count !== undefined && --count.used <= 0) counts.delete(key)
    }
  }

  #of(counts: Map<string, Count>, key: string): Count {
    const count = counts.get(key) ?? { used: 0, atMs: this.#now() }
    // At the end: the first in the map is the one that was quiet the longest.
    counts.delete(key)
    counts.set(key, count)
    if (counts.size > mostCounts) counts.delete(counts.keys().next().value!)
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
