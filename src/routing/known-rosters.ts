import type { RosterItem } from '../policy/roster.ts'
import { type BareJid, type Domain, domainOfBare } from '../xmpp/address.ts'

/**
 * What is known of a user's roster, as far as one partner domain stands in it: the contacts whom it authorises, as they were told
 * last; that the server does not tell them; or that there was no answer when it was last asked for, and what was told before, if
 * anything was. It is not asked for again before `untilMs` (of `performance.now`).
 */
export type KnownRoster =
  | { readonly is: 'told'; readonly contacts: Set<BareJid>; readonly untilMs: number }
  | { readonly is: 'refused'; readonly contacts?: never; readonly untilMs: number }
  | { readonly is: 'unanswered'; readonly contacts: Set<BareJid> | undefined; readonly untilMs: number }

/** Rosters known at a time, and contacts in all of them. */
const mostKnown = { rosters: 10_000, contacts: 500_000 }

/**
 * The rosters that are known, each for one partner domain: where one has been asked for already, another partner must not see it by
 * how fast it is refused, which tells who is written to, and so who exists. Bounded; the user goes who was asked about longest ago.
 */
export class KnownRosters {
  readonly #most: { readonly rosters: number; readonly contacts: number }
  readonly #known = new Map<BareJid, Map<Domain, KnownRoster>>()
  #rosters = 0
  #contacts = 0

  constructor(most = mostKnown) {
    this.#most = most
  }

  find(remote: Domain, local: BareJid): KnownRoster | undefined {
    return this.#known.get(local)?.get(remote)
  }

  put(remote: Domain, local: BareJid, roster: KnownRoster): void {
    const rosters = this.#known.get(local) ?? new Map<Domain, KnownRoster>()
    this.#discount(rosters.get(remote))
    rosters.set(remote, roster)
    this.#rosters++
    this.#contacts += roster.contacts?.size ?? 0
    this.#known.delete(local)
    this.#known.set(local, rosters)
    for (const [oldest, forgotten] of this.#known) {
      if (this.#rosters <= this.#most.rosters && this.#contacts <= this.#most.contacts) return
      for (const roster of forgotten.values()) this.#discount(roster)
      this.#known.delete(oldest)
    }
  }

  /** The user has changed his roster: what was told is so no longer. */
  changed(local: BareJid): void {
    for (const [remote, { is, untilMs }] of this.#known.get(local) ?? []) {
      if (is === 'refused') continue
      // Where there was no answer, that holds: another one may be too much for the stream.
      this.put(remote, local, { is: 'unanswered', contacts: undefined, untilMs: is === 'told' ? 0 : untilMs })
    }
  }

  /** The server inside has told what is new in a roster. */
  pushed(local: BareJid, items: readonly RosterItem[]): void {
    for (const { contact, isAuthorised } of items) {
      const contacts = this.find(domainOfBare(contact), local)?.contacts
      if (contacts === undefined) continue
      const before = contacts.size
      if (isAuthorised) contacts.add(contact)
      else contacts.delete(contact)
      this.#contacts += contacts.size - before
    }
  }

  #discount(roster: KnownRoster | undefined): void {
    if (roster === undefined) return
    this.#rosters--
    this.#contacts -= roster.contacts?.size ?? 0
  }
}
