import type { Slice } from '../xml/reader.ts'
import type { BareJid, Domain } from '../xmpp/address.ts'

/** Online resources of users inside, with all they say of themselves. */
const mostPresences = 100_000
const mostBytes = 64 * 2 ** 20

/** The last presence of one resource of a local user; its `to` is some component's, its content namespace jabber:server. */
export type KnownPresence = {
  readonly local: BareJid
  readonly domain: Domain
  /** The full address, prepared for comparison. */
  readonly address: string
  /** Holds its own bytes and no others. */
  readonly slice: Slice
}

/** Who is online inside, as the server there tells every component that may hear it. Where there is no room, the oldest go. */
export class KnownPresences {
  readonly #limits: { readonly presences: number; readonly bytes: number }
  /** By full address, the oldest first. */
  readonly #known = new Map<string, KnownPresence>()
  readonly #ofUser = new Map<BareJid, Map<string, KnownPresence>>()
  #bytes = 0

  constructor(limits = { presences: mostPresences, bytes: mostBytes }) {
    this.#limits = limits
  }

  get size(): number {
    return this.#known.size
  }

  of(local: BareJid): Iterable<KnownPresence> {
    return this.#ofUser.get(local)?.values() ?? []
  }

  put(presence: KnownPresence): void {
    this.delete(presence.address)
    this.#known.set(presence.address, presence)
    const others = this.#ofUser.get(presence.local)
    if (others === undefined) this.#ofUser.set(presence.local, new Map([[presence.address, presence]]))
    else others.set(presence.address, presence)
    this.#bytes += bytesOf(presence)
    for (const address of this.#known.keys()) {
      if (this.#known.size <= this.#limits.presences && this.#bytes <= this.#limits.bytes) return
      this.delete(address)
    }
  }

  delete(address: string): void {
    const known = this.#known.get(address)
    if (known === undefined) return
    this.#known.delete(address)
    this.#bytes -= bytesOf(known)
    const others = this.#ofUser.get(known.local)
    others?.delete(address)
    if (others?.size === 0) this.#ofUser.delete(known.local)
  }

  /** Nobody hears any more what becomes of this domain's users. */
  forget(domain: Domain): void {
    for (const [address, known] of this.#known) if (known.domain === domain) this.delete(address)
  }
}

function bytesOf({ slice }: KnownPresence): number {
  return slice.end - slice.start
}
