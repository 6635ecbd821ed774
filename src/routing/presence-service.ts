import { isApproval } from '../policy/contacts.ts'
import { needsNoWord, type Privileges, privilegesIn } from '../policy/privileges.ts'
import type { Log } from '../telemetry/log.ts'
import { toElement } from '../xml/element.ts'
import { elementsOf, type Slice } from '../xml/reader.ts'
import { tag } from '../xml/writer.ts'
import {
  type BareJid,
  bareAddress,
  canonicalAddress,
  type Domain,
  domainOfBare,
  isDomainAlone,
  isDomainItself,
  writtenBare,
} from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { AddressCache } from './address-cache.ts'
import { Announcements } from './announcements.ts'
import { ChangeRate } from './change-rate.ts'
import type { Contacts } from './gate.ts'
import { KnownPresences } from './known-presences.ts'
import { portable } from './portable.ts'
import { PresenceTeller } from './presence-teller.ts'
import type { GrantedPrivileges } from './privileges.ts'
import type { Pair, Source, Ways } from './ways.ts'

/** What the gateway does about a presence of a partner's user in the place of the local user's server. */
export type Taken = {
  /** Something has to be on disk before. */
  readonly isDue: boolean
  /** Answers. @param isKept what was due is on disk @returns false where the presence goes inside all the same */
  readonly answer: (isKept: boolean) => boolean
}

/** A partner whose requests are too many sends more of them. */
const toldEveryMs = 60_000

/**
 * What holds "without the local user's word" (contract §3): where the server inside lets the component of a partner's domain hear
 * its users' presence (XEP-0356), the gateway approves subscriptions of that partner's users, tells them the presence and answers
 * their probes. The server knows nothing of these subscriptions.
 */
export class PresenceService {
  readonly #ways: Ways
  readonly #contacts: Contacts
  readonly #addresses: AddressCache
  readonly #log: Log
  readonly #privileges: GrantedPrivileges
  readonly #known = new KnownPresences()
  readonly #announcements: Announcements
  readonly #rate = new ChangeRate()
  /** When it was last told that a partner domain's subscriptions are not kept. */
  readonly #toldMs = new Map<Domain, number>()
  readonly teller: PresenceTeller

  constructor(
    parts: { ways: Ways; contacts: Contacts; addresses: AddressCache; privileges: GrantedPrivileges },
    log: Log,
    later: (work: () => void) => void,
  ) {
    this.#ways = parts.ways
    this.#contacts = parts.contacts
    this.#addresses = parts.addresses
    this.#privileges = parts.privileges
    this.#log = log
    this.teller = new PresenceTeller(parts.ways, this.#known, later)
    this.#announcements = new Announcements(
      parts.contacts.subscriptions,
      pair => !parts.ways.outward(pair).isFull,
      (pair, local, remote) => {
        if (this.#serves(pair)) this.#tellState(pair, local, writtenBare(remote))
      },
    )
  }

  /** Takes what the server inside tells the component itself, which is not for the partner. @returns false for anything else */
  hears(slice: Slice, pair: Pair, source: Source): boolean {
    switch (slice.name) {
      case 'message':
        return this.#hearsAdvertisement(slice, pair, source)
      case 'presence':
        return this.#hearsPresence(slice, pair, source)
      default:
        return false
    }
  }

  /** Takes note of a presence of a partner's user; undefined where it is none of the gateway's own. */
  take(slice: Slice, pair: Pair): Taken | undefined {
    const { type } = slice
    if (type !== 'subscribe' && type !== 'unsubscribe' && type !== 'probe') return undefined
    // What was approved while the partner was trusted more ends all the same.
    if (type !== 'unsubscribe' && !this.#serves(pair)) return undefined
    const local = this.#addresses.find(slice.to ?? '')?.bare
    const remote = this.#addresses.find(slice.from ?? '')?.bare
    if (local === undefined || remote === undefined) return undefined
    if (isDomainItself(local) || isDomainItself(remote)) return undefined
    switch (type) {
      case 'subscribe':
        return this.#subscribes(slice, pair, local, remote)
      case 'unsubscribe':
        return this.#unsubscribes(slice, pair, local, remote)
      case 'probe':
        return this.#probes(slice, pair, local, remote)
    }
  }

  /** Has the gateway approved that the receiver of this stanza of a local user sees him? */
  isSeenBy(slice: Slice): boolean {
    const local = this.#addresses.find(slice.from ?? '')?.bare
    const remote = this.#addresses.find(slice.to ?? '')?.bare
    return local !== undefined && remote !== undefined && this.#contacts.subscriptions.has(local, remote)
  }

  /** The user has taken it back: his server, which knows nothing of it, does not tell that he is gone (RFC 6121 §3.2.2). */
  declined({ from = '', to = '' }: Slice, pair: Pair): void {
    const local = this.#addresses.find(from)?.bare
    if (local !== undefined && this.#serves(pair)) this.teller.tellGone(pair, local, bareAddress(to))
  }

  /** An operator has ended what the gateway had approved. */
  revoked(local: BareJid, remote: BareJid): void {
    const pair = { local: domainOfBare(local), remote: domainOfBare(remote) }
    if (!this.#serves(pair)) return
    const to = writtenBare(remote)
    this.teller.tellGone(pair, local, to)
    this.teller.send(pair, tag('presence', { type: 'unsubscribed', from: writtenBare(local), to }))
  }

  /** The stream of a partner domain's component is lost: what becomes of anybody inside is not heard any more. */
  lost(remote: Domain): void {
    const granters = this.#privileges.grantersOf(remote)
    for (const local of granters) this.#tellAllGone({ local, remote })
    this.#privileges.forget(remote)
    for (const local of granters) this.#unheard({ local, remote })
  }

  /** The partner of this domain is about to be trusted less: his users see nobody any more. */
  distrusted(remote: Domain): void {
    for (const local of this.#privileges.grantersOf(remote)) this.#tellAllGone({ local, remote })
  }

  stop(): void {
    this.#announcements.stop()
  }

  #serves({ remote }: Pair): boolean {
    return needsNoWord(this.#ways.partnerType(remote))
  }

  #hearsAdvertisement(slice: Slice, pair: Pair, { declarations }: Source): boolean {
    if (slice.type === 'error' || !isDomainAlone(slice.from ?? '')) return false
    const privileges = privilegesIn(toElement(slice, declarations))
    if (privileges === undefined) return false
    const before = this.#privileges.of(pair)
    if (privileges.presence !== before.presence || privileges.roster !== before.roster)
      this.#log.info('what the server inside grants has changed', {
        local: pair.local,
        remote: pair.remote,
        ...privileges,
      })
    this.#put(pair, privileges)
    return true
  }

  #put(pair: Pair, privileges: Privileges): void {
    // Said while it still holds: what was told of these users is true no longer.
    if (!privileges.presence) this.#tellAllGone(pair)
    this.#privileges.put(pair, privileges)
    if (privileges.presence) this.#announcements.begin(pair)
    else this.#unheard(pair)
  }

  #unheard(pair: Pair): void {
    this.#announcements.end(pair)
    if (!this.#privileges.isHeard(pair.local)) this.#known.forget(pair.local)
  }

  #hearsPresence(slice: Slice, pair: Pair, source: Source): boolean {
    const { type, from = '' } = slice
    if (type !== undefined && type !== 'unavailable') return false
    if (!from.includes('/')) return false
    // COMPAT(ejabberd): it may tell on before it grants anew what it has not forgotten. That is not for the partner either.
    if (!this.#privileges.of(pair).presence) return this.#privileges.isForgotten(pair)
    const local = this.#addresses.find(from)?.bare
    const address = canonicalAddress(from)
    if (local === undefined || address === undefined || isDomainItself(local)) return false
    const { bytes, start, end } = portable(slice, source, ns.component, ns.server)
    const own = Buffer.allocUnsafeSlow(end - start) // of a pool it would keep more alive than itself
    bytes.copy(own, 0, start, end)
    const [heard] = elementsOf(own, ns.server)
    if (heard === undefined) return false
    if (type === undefined) this.#known.put({ local, domain: pair.local, address, slice: heard })
    else this.#known.delete(address)
    if (this.#serves(pair))
      this.teller.relay(pair, heard, this.#contacts.subscriptions.subscribersOf(local, pair.remote))
    return true
  }

  #subscribes(slice: Slice, pair: Pair, local: BareJid, remote: BareJid): Taken | undefined {
    const { subscriptions } = this.#contacts
    if (!this.#privileges.of(pair).presence) return undefined
    const isKnown = subscriptions.has(local, remote)
    // What the user has approved himself, his server knows.
    if (!isKnown && isApproval(this.#contacts.words(local, remote))) return undefined
    if (!isKnown && !this.#keep(pair, local, remote)) return undefined
    const answer = (isKept: boolean) => {
      if (!isKept && !subscriptions.has(local, remote)) return false
      const { from = '', to = '', id } = slice
      const addresses = { from: bareAddress(to), to: bareAddress(from) }
      this.teller.send(pair, tag('presence', { type: 'subscribed', ...addresses, id }))
      this.teller.tellKnown(pair, local, addresses.to)
      return true
    }
    return { isDue: !isKnown, answer }
  }

  #keep({ remote: domain }: Pair, local: BareJid, remote: BareJid): boolean {
    const reason = !this.#rate.has(domain)
      ? 'too many a second'
      : !this.#contacts.subscriptions.keep(local, remote)
        ? 'there are too many of them'
        : undefined
    if (reason === undefined) this.#rate.take(domain)
    else this.#tellUnkept(domain, reason)
    return reason === undefined
  }

  #tellUnkept(remote: Domain, reason: string): void {
    const nowMs = performance.now()
    if (nowMs - (this.#toldMs.get(remote) ?? Number.NEGATIVE_INFINITY) < toldEveryMs) return
    this.#toldMs.set(remote, nowMs)
    this.#log.warn('contact requests of a partner go to the users: the gateway approves no more of them', {
      remote,
      reason,
    })
  }

  #unsubscribes(slice: Slice, pair: Pair, local: BareJid, remote: BareJid): Taken | undefined {
    if (!this.#contacts.subscriptions.end(local, remote)) return undefined
    this.#rate.take(pair.remote)
    const answer = () => {
      if (!this.#privileges.of(pair).presence || !this.#serves(pair)) return false
      this.teller.tellGone(pair, local, bareAddress(slice.from ?? ''))
      return !isApproval(this.#contacts.words(local, remote))
    }
    return { isDue: true, answer }
  }

  #probes({ from = '' }: Slice, pair: Pair, local: BareJid, remote: BareJid): Taken | undefined {
    const isKept = () => this.#contacts.subscriptions.has(local, remote)
    if (!isKept()) return undefined
    const answer = () => {
      if (!isKept()) return false
      this.#tellState(pair, local, from)
      return true
    }
    return { isDue: false, answer }
  }

  #tellState(pair: Pair, local: BareJid, to: string): void {
    const isHeard = this.#privileges.of(pair).presence
    if (!isHeard || !this.teller.tellKnown(pair, local, to)) this.teller.tellOffline(pair, local, to)
  }

  #tellAllGone(pair: Pair): void {
    if (!this.#serves(pair) || !this.#privileges.of(pair).presence) return
    const { subscriptions } = this.#contacts
    const users = [...subscriptions.usersSeenBy(pair.remote)].filter(
      user => domainOfBare(user) === pair.local,
    )
    this.teller.tellAllGone(pair, users, user => subscriptions.subscribersOf(user, pair.remote))
  }
}
