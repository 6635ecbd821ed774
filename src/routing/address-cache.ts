import { type Domain, domainOf } from '../xmpp/address.ts'

const mostAddresses = 20_000

/** Remembers the domains of addresses lately seen: preparing one costs more than relaying its stanza. */
export class AddressCache {
  readonly #domains = new Map<string, Domain>()

  /** The domain of an address, or undefined where RFC 7622 forbids the address. */
  readonly domainOf = (address: string): Domain | undefined => {
    const known = this.#domains.get(address)
    if (known !== undefined) return known
    const domain = domainOf(address)
    // What is no address has no bound to its length: it is not kept.
    if (domain === undefined) return undefined
    if (this.#domains.size >= mostAddresses) this.#domains.clear()
    this.#domains.set(address, domain)
    return domain
  }
}
