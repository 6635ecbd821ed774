import { type BareJid, canonicalBare, type Domain, domainOf } from '../xmpp/address.ts'

const mostAddresses = 20_000

type Known = { readonly domain: Domain; bare: BareJid | undefined; isPrepared: boolean }

/** Remembers the addresses lately seen: preparing one costs more than relaying its stanza. */
export class AddressCache {
  readonly #known = new Map<string, Known>()

  /** The domain of an address, or undefined where RFC 7622 forbids the address. */
  readonly domainOf = (address: string): Domain | undefined => this.#find(address)?.domain

  /** The bare address in the form in which it is compared, or undefined where RFC 7622 forbids the address. */
  bareOf(address: string): BareJid | undefined {
    const known = this.#find(address)
    // Not every stanza's way asks for it.
    if (known !== undefined && !known.isPrepared) {
      known.bare = canonicalBare(address)
      known.isPrepared = true
    }
    return known?.bare
  }

  #find(address: string): Known | undefined {
    const known = this.#known.get(address)
    if (known !== undefined) return known
    const domain = domainOf(address)
    // What is no address has no bound to its length: it is not kept.
    if (domain === undefined) return undefined
    if (this.#known.size >= mostAddresses) this.#known.clear()
    const found = { domain, bare: undefined, isPrepared: false }
    this.#known.set(address, found)
    return found
  }
}
