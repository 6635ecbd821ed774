import { type BareJid, canonicalBare, type Domain, domainOf } from '../xmpp/address.ts'
import type { UserContacts } from './gate.ts'

/** Two generations of so many are remembered. */
const mostOfGeneration = 15_000
/** Longer ones are prepared every time: a peer may write 3 KB for each. */
const longestRemembered = 256

/** What is known of an address as it is written. */
export class KnownAddress {
  readonly domain: Domain
  /** The gate's memory: of a local user, his contacts; of any, those contacts among whom this one was found. */
  contacts: UserContacts | undefined
  readonly contactOf: UserContacts[] = []
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
  #young = new Map<string, KnownAddress>()
  #old = new Map<string, KnownAddress>()

  /** The domain of an address, or undefined where RFC 7622 forbids the address. */
  readonly domainOf = (address: string): Domain | undefined => this.find(address)?.domain

  /** What is known of an address, or undefined where RFC 7622 forbids it. */
  find(address: string): KnownAddress | undefined {
    const young = this.#young.get(address)
    if (young !== undefined) return young
    const known = this.#old.get(address) ?? prepare(address)
    if (known === undefined || address.length > longestRemembered) return known
    if (this.#young.size >= mostOfGeneration) {
      // Who is not seen again while the next generation grows is forgotten with it.
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(address, known)
    return known
  }
}

function prepare(address: string): KnownAddress | undefined {
  const domain = domainOf(address)
  return domain === undefined ? undefined : new KnownAddress(address, domain)
}
