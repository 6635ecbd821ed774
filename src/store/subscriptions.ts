import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type BareJid, domainOfBare } from '../xmpp/address.ts'
import { loadPairs } from './load.ts'

/** A subscription begins or ends, and that is not on disk yet. */
type Change = { readonly local: BareJid; readonly remote: BareJid; readonly isKept: boolean }

/** What there is, or may be: pairs, and the bytes of their addresses. */
type Room = { readonly pairs: number; readonly bytes: number }

/** Contact pairs, as they are written for one partner domain: contacts by local user, and how many users each of them sees. */
type OfDomain = {
  readonly byUser: Map<BareJid, Set<BareJid>>
  readonly seen: Map<BareJid, number>
  size: number
  bytes: number
}

/** A partner may make up addresses, of his own and of ours, as many and as long as he likes. */
const roomFor = {
  /** Users whom one of a partner's sees: he must not fill the room of all users of a public provider. */
  user: 1_000,
  domain: { pairs: 100_000, bytes: 16 * 2 ** 20 },
  all: { pairs: 1_000_000, bytes: 128 * 2 ** 20 },
}

/**
 * The subscriptions that the gateway has approved in the name of local users: who of a partner's is told whose presence. In the
 * database of contacts, and all in memory; what changes is written with what changes there.
 */
export class SubscriptionTable {
  readonly #now: () => number
  readonly #room: { readonly user: number; readonly domain: Room; readonly all: Room }
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #ofDomain = new Map<string, OfDomain>()
  #size = 0
  #bytes = 0
  /** Changes since the last write, by pair. */
  #pending = new Map<string, Change>()
  #pendingBytes = 0
  /** What has ended and could not be written. */
  readonly #owed = new Map<string, Change>()

  /** Reads the table whole. @param now the clock, in ms since the epoch */
  constructor(database: DatabaseSync, now: () => number, room = roomFor) {
    this.#now = now
    this.#room = room
    this.#put = database.prepare('INSERT OR REPLACE INTO subscription VALUES (?, ?, ?)')
    this.#delete = database.prepare('DELETE FROM subscription WHERE local = ? AND remote = ?')
    loadPairs(database, 'subscription', '0', (local, remote) =>
      this.#remember({ local, remote, isKept: true }),
    )
  }

  get size(): number {
    return this.#size
  }

  /** Ended subscriptions that the disk has not taken. */
  get owed(): number {
    return this.#owed.size
  }

  has(local: BareJid, remote: BareJid): boolean {
    const noted = this.#pending.size === 0 ? undefined : this.#pending.get(keyOf(local, remote))
    if (noted !== undefined) return noted.isKept
    return this.#ofDomain.get(domainOfBare(remote))?.byUser.get(local)?.has(remote) === true
  }

  /** Begins one; it holds from the next write on. @returns false where there is no room */
  keep(local: BareJid, remote: BareJid): boolean {
    const { user, domain, all } = this.#room
    const of = this.#ofDomain.get(domainOfBare(remote))
    // What was noted since the last write may be anybody's.
    const pairs = this.#pending.size
    const bytes = this.#pendingBytes + bytesOf(local, remote)
    if ((of?.seen.get(remote) ?? 0) + pairs >= user) return false
    if ((of?.size ?? 0) + pairs >= domain.pairs || (of?.bytes ?? 0) + bytes > domain.bytes) return false
    if (this.#size + pairs >= all.pairs || this.#bytes + bytes > all.bytes) return false
    this.#pending.set(keyOf(local, remote), { local, remote, isKept: true })
    this.#pendingBytes = bytes
    return true
  }

  /** Ends one, if there is one. @returns whether there was */
  end(local: BareJid, remote: BareJid): boolean {
    if (!this.has(local, remote)) return false
    this.#pending.set(keyOf(local, remote), { local, remote, isKept: false })
    return true
  }

  /** What was noted of it since the last write does not hold. */
  takeBack(local: BareJid, remote: BareJid): void {
    this.#pending.delete(keyOf(local, remote))
  }

  /** Who of a partner domain's is told the presence of a local user. */
  subscribersOf(local: BareJid, remote: string): Iterable<BareJid> {
    return this.#ofDomain.get(remote)?.byUser.get(local) ?? []
  }

  /** The local users whose presence anybody of a partner domain's is told. */
  usersSeenBy(remote: string): Iterable<BareJid> {
    return this.#ofDomain.get(remote)?.byUser.keys() ?? []
  }

  get isDue(): boolean {
    return this.#pending.size > 0 || this.#owed.size > 0
  }

  /** Writes what is due, within a transaction of the caller's, who says next how that has `ended`. */
  write(): void {
    for (const { local, remote, isKept } of [...this.#owed.values(), ...this.#pending.values()]) {
      if (isKept) this.#put.run(local, remote, this.#now())
      else this.#delete.run(local, remote)
    }
  }

  /** Where the disk has taken nothing, nothing begins; what was to end, ends in memory all the same. */
  ended(isOnDisk: boolean): void {
    const changes = this.#pending
    this.#pending = new Map()
    this.#pendingBytes = 0
    if (isOnDisk) this.#owed.clear()
    for (const [key, change] of changes) {
      if (isOnDisk || !change.isKept) this.#remember(change)
      if (!isOnDisk && !change.isKept) this.#owed.set(key, change)
    }
  }

  #remember({ local, remote, isKept }: Change): void {
    const domain = domainOfBare(remote)
    const of = this.#ofDomain.get(domain) ?? noneOfDomain()
    const contacts = of.byUser.get(local) ?? new Set<BareJid>()
    if (contacts.has(remote) === isKept) return
    const more = isKept ? 1 : -1
    if (isKept) contacts.add(remote)
    else contacts.delete(remote)
    const seen = (of.seen.get(remote) ?? 0) + more
    const bytes = more * bytesOf(local, remote)
    of.size += more
    of.bytes += bytes
    this.#size += more
    this.#bytes += bytes
    if (contacts.size === 0) of.byUser.delete(local)
    else of.byUser.set(local, contacts)
    if (seen === 0) of.seen.delete(remote)
    else of.seen.set(remote, seen)
    if (of.size === 0) this.#ofDomain.delete(domain)
    else this.#ofDomain.set(domain, of)
  }
}

function noneOfDomain(): OfDomain {
  return { byUser: new Map(), seen: new Map(), size: 0, bytes: 0 }
}

function bytesOf(local: BareJid, remote: BareJid): number {
  return Buffer.byteLength(local) + Buffer.byteLength(remote)
}

function keyOf(local: BareJid, remote: BareJid): string {
  return `${local} ${remote}`
}
