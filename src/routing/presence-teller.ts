import { notesIn } from '../policy/privacy.ts'
import { outwardVerdict } from '../policy/verdict.ts'
import { elementsOf, type Slice } from '../xml/reader.ts'
import { rewrite } from '../xml/rewrite.ts'
import { tag } from '../xml/writer.ts'
import { type BareJid, writtenBare } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { KnownPresence, KnownPresences } from './known-presences.ts'
import { Portions } from './portions.ts'
import type { Pair, Ways } from './ways.ts'

/** Tells partners' users the presence of ours, each what the type of his partner lets him see. */
export class PresenceTeller {
  readonly #ways: Pick<Ways, 'outward' | 'partnerType'>
  readonly #known: KnownPresences
  readonly #portions: Portions
  #dropped = 0

  /** @param later runs it at the end of this turn */
  constructor(
    ways: Pick<Ways, 'outward' | 'partnerType'>,
    known: KnownPresences,
    later: (work: () => void) => void,
  ) {
    this.#portions = new Portions(pair => !ways.outward(pair).isFull, later)
    this.#ways = ways
    this.#known = known
  }

  /** Presences for partners that do not read what they are sent. */
  get dropped(): number {
    return this.#dropped + this.#portions.dropped
  }

  /** Every presence known of a local user. @returns false where none is */
  tellKnown(pair: Pair, local: BareJid, to: string): boolean {
    let isAny = false
    for (const { slice } of this.#known.of(local)) {
      this.send(pair, this.#seenBy(pair, slice).withTo(to))
      isAny = true
    }
    return isAny
  }

  /** That every resource known of a local user is gone. */
  tellGone(pair: Pair, local: BareJid, to: string): void {
    for (const known of this.#known.of(local)) this.#sendGone(pair, known, to)
  }

  /** That everybody known is gone, to all who see him. What is known may be forgotten meanwhile. */
  tellAllGone(
    pair: Pair,
    users: Iterable<BareJid>,
    subscribersOf: (user: BareJid) => Iterable<BareJid>,
  ): void {
    const known = Array.from(users).flatMap(user => [...this.#known.of(user)])
    this.#portions.add(pair, this.#allGone(pair, known, subscribersOf))
  }

  /** That a local user is nowhere (RFC 6121 §4.3.2). */
  tellOffline(pair: Pair, local: BareJid, to: string): void {
    this.send(pair, tag('presence', { type: 'unavailable', from: writtenBare(local), to }))
  }

  /** One presence of a local user, as it has just been heard, to all who see it, in portions. */
  relay(pair: Pair, slice: Slice, subscribers: Iterable<BareJid>): void {
    this.#portions.add(pair, this.#toAll(pair, slice, subscribers))
  }

  /** One presence. It is dropped for a partner that takes nothing: memory is bounded. */
  send(pair: Pair, presence: string | Buffer): void {
    const destination = this.#ways.outward(pair)
    if (destination.isFull) {
      this.#dropped++
      return
    }
    destination.send({ bytes: Buffer.from(presence), stanzas: 1, kinds: onePresence, isOurs: true })
  }

  *#toAll(pair: Pair, slice: Slice, subscribers: Iterable<BareJid>): Generator<() => void, void> {
    let seen: Slice | undefined
    for (const subscriber of subscribers)
      yield () => {
        seen ??= this.#seenBy(pair, slice)
        this.send(pair, seen.withTo(writtenBare(subscriber)))
      }
  }

  *#allGone(
    pair: Pair,
    all: readonly KnownPresence[],
    subscribersOf: (user: BareJid) => Iterable<BareJid>,
  ): Generator<() => void, void> {
    for (const known of all)
      for (const subscriber of subscribersOf(known.local))
        yield () => this.#sendGone(pair, known, writtenBare(subscriber))
  }

  #sendGone(pair: Pair, { slice }: KnownPresence, to: string): void {
    this.send(pair, tag('presence', { type: 'unavailable', from: slice.from, to }))
  }

  #seenBy({ remote }: Pair, slice: Slice): Slice {
    const partnerType = this.#ways.partnerType(remote) ?? 'publicUnverified'
    if (outwardVerdict(partnerType, slice).do !== 'pass-without-notes') return slice
    const cut = notesIn(slice, declarations)
    if (cut === undefined || cut === 'whole') return slice
    const bytes = rewrite(slice, { from: ns.server, to: ns.server, declarations, cut })
    return elementsOf(bytes, ns.server)[0]!
  }
}

const onePresence = { message: 0, presence: 1, iq: 0 }

/** Of a header that declares nothing but the content namespace: what is kept is portable. */
const declarations: ReadonlyMap<string, string> = new Map([['', ns.server]])
