import { type BareJid, canonicalBare, type Domain, domainOf } from '../xmpp/address.ts'

const mostAddresses = 20_000

/** What is known of an address as it is written. */
export class KnownAddress {
  readonly domain: Domain
  /** Those to whom this one was found to be a contact, as of `asOf`: the gate's memory. */
  readonly contactOf: KnownAddress[] = []
  asOf = -1
  readonly #text: string
  #bare: BareJid | undefined

  constructor(text: string, domain: Domain) {
    this.#text = text
    this.domain = domain
  }

  /** The bare address in the form in which it is compared; undefined where RFC 7622 forbids the address after all. */
  get bare(): BareJid | undefined {
    // Not every stanza's way asks for it.
    return (this.#bare ??= canonicalBare(this.#text))
  }
}

/** Remembers the addresses lately seen: preparing one costs more than relaying its stanza. */
export class AddressCache {
  readonly #known = new Map<string, KnownAddress>()

  /** The domain of an address, or undefined where RFC 7622 forbids the address. */
  readonly domainOf = (address: string): Domain | undefined => this.find(address)?.domain

  /** What is known of an address, or undefined where RFC 7622 forbids it. */
  find(address: string): KnownAddress | undefined {
    const known = this.#known.get(address)
    if (known !== undefined) return known
    const domain = domainOf(address)
    // What is no address has no bound to its length: it is not kept.
    if (domain === undefined) return undefined
    if (this.#known.size >= mostAddresses) this.#known.clear()
    const found = new KnownAddress(address, domain)
    this.#known.set(address, found)
    return found
  }
}
