import { BlockList, isIPv6 } from 'node:net'
import { networkOf } from './attempts.ts'

/** The most connections that all others than this machine may have, and each of them. */
const mostStrangers = 64
const mostOfOne = 16
/** The most that this machine may have; they are beside those of the others, so that these never keep it out. */
const mostOwn = 64

/** The most connections there can be. */
export const mostConnections = mostStrangers + mostOwn

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/**
 * Counts connections by address: 16 of one, 64 of all; of this machine, and by a socket without addresses, 64 more. An IPv6
 * address stands for its network of 64 bits.
 */
export class Crowd {
  readonly #byNetwork = new Map<string, number>()
  #own = 0
  #strangers = 0

  /**
   * Lets a connection in.
   * @returns what is to be called once, when it ends; undefined = there are too many
   */
  admit(address: string | undefined): (() => void) | undefined {
    if (address === undefined || isOwn(address)) {
      if (this.#own >= mostOwn) return undefined
      this.#own++
      return () => {
        this.#own--
      }
    }
    const network = networkOf(address)
    const count = this.#byNetwork.get(network) ?? 0
    if (this.#strangers >= mostStrangers || count >= mostOfOne) return undefined
    this.#strangers++
    this.#byNetwork.set(network, count + 1)
    return () => {
      this.#strangers--
      const left = this.#byNetwork.get(network)! - 1
      if (left > 0) this.#byNetwork.set(network, left)
      else this.#byNetwork.delete(network)
    }
  }
}

function isOwn(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  return loopback.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4')
}
