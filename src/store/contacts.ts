import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterNews, type ContactNews, type Learned, type Words, withoutGrants } from '../policy/contacts.ts'
import type { BareJid } from '../xmpp/address.ts'
import {
  type Contact,
  type ContactFilter,
  type ContactPage,
  findContact,
  listContacts,
  type Order,
} from './contact-list.ts'
import { openDatabase, type StoreError, storeError } from './database.ts'
import { loadContacts } from './load.ts'
import { rollBack, stamp } from './schema.ts'
import { SubscriptionTable } from './subscriptions.ts'
import { UserContacts } from './user-contacts.ts'

/** A change that is not on disk yet; `words` undefined = the authorisation ends. */
type Change = {
  readonly local: BareJid
  readonly remote: BareJid
  readonly words: Words | undefined
  /** The operator's command; undefined = learned from what the local user has sent. */
  readonly order: Order | undefined
}

/**
 * The authorised contacts: in SQLite, and all in memory, where every stanza looks. What a local user's presence changes is
 * gathered, and written in one transaction before any of those stanzas goes on.
 */
export class ContactStore {
  readonly path: string
  /** What the gateway has approved itself; written by `settle`, too. */
  readonly subscriptions: SubscriptionTable
  readonly #database: DatabaseSync
  readonly #now: () => number
  readonly #mostOfUser: () => number
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #byOperator: StatementSync
  /** From local user to contact to words that stand. */
  readonly #contacts: Map<BareJid, Map<BareJid, Words>>
  /** Of the users who were asked for. */
  readonly #current = new Map<BareJid, UserContacts>()
  /** Changes since the last `settle`, by pair. */
  readonly #pending = new Map<string, Change>()
  /** What has ended and could not be written: it holds in memory, and is written with the next change that can be. */
  readonly #owed = new Map<string, Change>()
  #size = 0
  #writes = 0

  /**
   * Opens the database, made where it is missing (mode 0600), and reads it whole. One process has it at a time.
   * @param now the clock, in ms since the epoch
   * @param mostOfUser how many contacts of one local user are learned; an operator may allow more
   * @throws {StoreError} when it cannot be used
   */
  static open(
    path: string,
    now: () => number = Date.now,
    mostOfUser: () => number = () => Number.POSITIVE_INFINITY,
  ): ContactStore {
    return openDatabase(path, database => new ContactStore(path, database, now, mostOfUser))
  }

  private constructor(path: string, database: DatabaseSync, now: () => number, mostOfUser: () => number) {
    this.path = path
    this.#database = database
    this.#now = now
    this.#mostOfUser = mostOfUser
    this.#put = database.prepare(
      `INSERT INTO contact (local, remote, subscribe, subscribed, granted_ms, granted_by, operator, reason)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (local, remote) DO UPDATE SET subscribe = excluded.subscribe, subscribed = excluded.subscribed,
       granted_by = iif(excluded.granted_by = 'command', 'command', granted_by),
       operator = coalesce(excluded.operator, operator), reason = coalesce(excluded.reason, reason)`,
    )
    this.#delete = database.prepare('DELETE FROM contact WHERE local = ? AND remote = ?')
    this.#byOperator = database.prepare(
      "SELECT 1 FROM contact WHERE local = ? AND remote = ? AND granted_by = 'command'",
    )
    this.#contacts = loadContacts(database)
    for (const contacts of this.#contacts.values()) this.#size += contacts.size
    this.subscriptions = new SubscriptionTable(database, now)
  }

  get isOpen(): boolean {
    return this.#database.isOpen
  }

  /** How many contacts are authorised. */
  get size(): number {
    return this.#size
  }

  /** How often the disk has taken something. */
  get writes(): number {
    return this.#writes
  }

  /** Changes that hold in memory, and that the disk has not taken. */
  get owed(): number {
    return this.#owed.size + this.subscriptions.owed
  }

  /** The contacts of a local user, while they are current; undefined where he has none. */
  of(local: BareJid): UserContacts | undefined {
    const known = this.#current.get(local)
    const contacts = this.#contacts.get(local)
    if (known !== undefined || contacts === undefined) return known
    const made = new UserContacts(contacts)
    this.#current.set(local, made)
    return made
  }

  /** Is this partner's user an authorised contact of this local user's? */
  has(local: BareJid, remote: BareJid): boolean {
    return this.#contacts.get(local)?.has(remote) === true
  }

  /** What the local user, or an operator, has given to this one, as noted last; undefined = he is not authorised. */
  words(local: BareJid, remote: BareJid): Words | undefined {
    const noted = this.#pending.size === 0 ? undefined : this.#pending.get(keyOf(local, remote))
    return noted === undefined ? this.#words(local, remote) : noted.words
  }

  /** Has an operator made this one a contact? */
  isByOperator(local: BareJid, remote: BareJid): boolean {
    return this.#byOperator.get(local, remote) !== undefined
  }

  /**
   * Takes note of what a stanza says.
   * @returns `nothing` where nothing has to be written for it; `due` = `settle` is, before the stanza goes on; `full` = it would be
   * one contact too many, and is not learned
   */
  learn(local: BareJid, remote: BareJid, news: ContactNews): Learned {
    const key = keyOf(local, remote)
    const words = this.words(local, remote)
    const after = afterNews(words, news)
    if (after === words) return this.#pending.has(key) ? 'due' : 'nothing'
    if (words === undefined && this.#isFull(local)) return 'full'
    this.#pending.set(key, { local, remote, words: after, order: undefined })
    return 'due'
  }

  /**
   * Writes what was learned, all of it or nothing. Where that fails, nobody is authorised who was not; what was to end, ends in
   * memory all the same, and is written later.
   * @returns what is wrong; undefined = all is on disk
   */
  settle(): StoreError | undefined {
    // What was taken back within the same read changes nothing.
    const changes = [...this.#pending].filter(
      ([, { local, remote, words }]) => words !== this.#words(local, remote),
    )
    this.#pending.clear()
    if (changes.length === 0 && this.#owed.size === 0 && !this.subscriptions.isDue) return undefined
    const error = this.#write([...this.#owed.values(), ...changes.map(([, change]) => change)])
    if (error === undefined) this.#owed.clear()
    else this.subscriptions.ended(false)
    for (const [key, change] of changes) {
      const before = this.#words(change.local, change.remote)
      const words = error === undefined ? change.words : withoutGrants(before, change.words)
      if (error !== undefined && words !== before) this.#owed.set(key, { ...change, words })
      this.#remember({ ...change, words })
    }
    return error
  }

  /**
   * Writes what is owed; where nothing is, what changes nothing, to see whether the disk takes it.
   * @returns what is wrong
   */
  retry(): StoreError | undefined {
    const error = this.#write(this.#owed.values(), stamp)
    if (error === undefined) this.#owed.clear()
    return error
  }

  /**
   * Authorises by an operator's command, also whom the user has added himself: that holds beside what a roster says.
   * @returns false where an operator had done so before
   * @throws {StoreError} when it cannot be written; nothing has changed then
   */
  allow(local: BareJid, remote: BareJid, order: Order): boolean {
    const words = this.#words(local, remote)
    if (words !== undefined && this.isByOperator(local, remote)) return false
    this.#writeNow({ local, remote, words: words ?? 0, order })
    return true
  }

  /**
   * Ends an authorisation by an operator's command, and the subscription that the gateway has approved.
   * @returns false where there was none
   * @throws {StoreError} when it cannot be written; nothing has changed then
   */
  revoke(local: BareJid, remote: BareJid): boolean {
    const isSubscriber = this.subscriptions.end(local, remote)
    if (!isSubscriber && !this.has(local, remote)) return false
    try {
      this.#writeNow({ local, remote, words: undefined, order: undefined })
    } catch (error) {
      this.subscriptions.takeBack(local, remote)
      throw error
    }
    return true
  }

  /** The contacts that the filter lets by, as they are on disk, a page at a time. */
  list(filter: ContactFilter, most: number, after?: Pick<Contact, 'local' | 'remote'>): ContactPage {
    return listContacts(this.#database, filter, most, after)
  }

  /** What is on disk of a contact. */
  find(local: BareJid, remote: BareJid): Contact | undefined {
    return findContact(this.#database, local, remote)
  }

  /** Writes what is owed, if that can be done now, and closes the file. */
  close(): StoreError | undefined {
    const error = this.settle()
    this.#database.close()
    return error
  }

  #writeNow(change: Change): void {
    const error = this.#write([...this.#owed.values(), change])
    if (error !== undefined) throw error
    this.#owed.clear()
    this.#remember(change)
  }

  /** What was noted of subscriptions is written with it; where that fails, it waits for `settle` as before. */
  #write(changes: Iterable<Change>, more = ''): StoreError | undefined {
    const database = this.#database
    try {
      database.exec(`BEGIN IMMEDIATE; ${more}`)
      for (const { local, remote, words, order } of changes) {
        if (words === undefined) this.#delete.run(local, remote)
        else {
          const by = order === undefined ? 'learned' : 'command'
          const { operator = null, reason = null } = order ?? {}
          this.#put.run(local, remote, words & 1, words >> 1, this.#now(), by, operator, reason)
        }
      }
      this.subscriptions.write()
      database.exec('COMMIT')
      this.subscriptions.ended(true)
      this.#writes++
      return undefined
    } catch (error) {
      rollBack(database)
      return storeError(this.path, error)
    }
  }

  /** Those of the same read are not counted yet: there are at most as many as fit into one. */
  #isFull(local: BareJid): boolean {
    return (this.#contacts.get(local)?.size ?? 0) >= this.#mostOfUser()
  }

  #words(local: BareJid, remote: BareJid): Words | undefined {
    return this.#contacts.get(local)?.get(remote)
  }

  #remember({ local, remote, words }: Change): void {
    const known = this.#contacts.get(local)
    const contacts = known ?? new Map<BareJid, Words>()
    this.#size -= contacts.size
    if (words !== undefined) contacts.set(remote, words)
    else if (contacts.delete(remote)) this.#forget(local)
    this.#size += contacts.size
    if (contacts.size === 0) this.#contacts.delete(local)
    else if (known === undefined) this.#contacts.set(local, contacts)
  }

  /** One of a user's contacts has ceased to be one: whoever remembers them has to ask again. */
  #forget(local: BareJid): void {
    const known = this.#current.get(local)
    if (known !== undefined) known.isCurrent = false
    this.#current.delete(local)
  }
}

function keyOf(local: BareJid, remote: BareJid): string {
  return `${local} ${remote}`
}
