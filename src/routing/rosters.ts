import { randomBytes } from 'node:crypto'
import { isForbidden, type RosterItem, rosterItemsIn } from '../policy/roster.ts'
import { toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import type { Destination } from '../xml/run.ts'
import { tag } from '../xml/writer.ts'
import { type BareJid, type Domain, isDomainItself, toUnicode, writtenBare } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { AddressCache } from './address-cache.ts'
import type { Pair, Source } from './ways.ts'

/** How long a roster holds: neither Prosody nor ejabberd tells when one changes. */
const freshMs = 60_000
/** How long the server inside may take to answer. */
const patienceMs = 5000
/** Rosters known at a time, and contacts in all of them. */
const mostKnown = { users: 10_000, contacts: 500_000 }

/** The contacts whom a local user's roster authorises; undefined = it could not be had, and what was learned decides. */
export type KnownRoster = { readonly contacts: Set<BareJid> | undefined; readonly untilMs: number }

type Query = {
  readonly id: string
  readonly local: BareJid
  /** Whose component asks. */
  readonly remote: Domain
  readonly resumes: (() => void)[]
  readonly timer: NodeJS.Timeout
  /** The roster has changed since: the answer may be older. */
  isOutdated: boolean
}

/** Local users' rosters, asked for by partner domains' components where the server inside grants it (XEP-0356 §4). */
export class Rosters {
  readonly #inward: (remote: Domain) => Destination
  readonly #addresses: AddressCache
  readonly #most: { readonly users: number; readonly contacts: number }
  /** Nobody else can make an id that begins so. */
  readonly #idPrefix = `roster-${randomBytes(16).toString('hex')}-`
  #queries = 0
  #contacts = 0
  #isStopped = false
  /** The oldest first. */
  readonly #known = new Map<BareJid, KnownRoster>()
  readonly #asked = new Map<BareJid, Query>()

  constructor(inward: (remote: Domain) => Destination, addresses: AddressCache, most = mostKnown) {
    this.#most = most
    this.#inward = inward
    this.#addresses = addresses
  }

  /** What is known of a user's roster; undefined = it has to be asked for. */
  find(local: BareJid): KnownRoster | undefined {
    const known = this.#known.get(local)
    if (known === undefined || known.untilMs > performance.now()) return known
    this.#forget(local)
    return undefined
  }

  /**
   * Asks for a roster, once for all who want it. `resume` is called when there is something to find, or to ask again; later, not
   * before this returns.
   * @returns false where nothing is to be waited for: it cannot be asked for, or the question is over already
   */
  ask(remote: Domain, local: BareJid, resume: () => void): boolean {
    if (this.#isStopped) return false
    const asked = this.#asked.get(local)
    if (asked !== undefined) {
      asked.resumes.push(resume)
      return true
    }
    const inward = this.#inward(remote)
    if (inward.isFull) return false
    const id = `${this.#idPrefix}${++this.#queries}`
    const timer = setTimeout(() => this.#answered(query, undefined), patienceMs)
    const query: Query = { id, local, remote, resumes: [], timer, isOutdated: false }
    this.#asked.set(local, query)
    const addresses = { from: toUnicode(remote), to: writtenBare(local) }
    const iq = tag('iq', { type: 'get', id, ...addresses }, tag('query', { xmlns: ns.roster }))
    inward.send({ bytes: Buffer.from(iq), stanzas: 1, isOurs: true })
    // It may have come back at once.
    if (this.#asked.get(local) !== query) return false
    query.resumes.push(resume)
    return true
  }

  /**
   * Takes the answer to a query, and a push, from the server inside to a component that may read rosters.
   * @returns false for anything else
   */
  hears(slice: Slice, pair: Pair, source: Source, isGranted: boolean): boolean {
    const { type, from = '' } = slice
    if (type === 'set') return isGranted && !from.includes('/') && this.#hearsPush(slice, pair, source)
    if (!this.#isOurs(slice)) return false
    const local = this.#addresses.find(from)?.bare
    const query = local === undefined ? undefined : this.#asked.get(local)
    if (query === undefined || query.id !== slice.id) return true // too late
    const iq = toElement(slice, source.declarations)
    if (type === 'result') this.#answered(query, authorisedIn(rosterItemsIn(iq) ?? []))
    // Who does not exist has no contacts. But the server may have taken the grant back, and not said so.
    else this.#answered(query, isForbidden(iq) ? undefined : new Set())
    return true
  }

  /** Takes back a query that the server inside did not get. @returns false for any other stanza */
  comesBack(slice: Slice): boolean {
    if (slice.name !== 'iq' || !this.#isOurs(slice)) return false
    const local = this.#addresses.find(slice.to ?? '')?.bare
    const query = local === undefined ? undefined : this.#asked.get(local)
    if (query !== undefined && query.id === slice.id) this.#answered(query, undefined)
    return true
  }

  /** The user has just changed his roster. */
  changed(local: BareJid): void {
    this.#forget(local)
    const query = this.#asked.get(local)
    if (query !== undefined) query.isOutdated = true
  }

  /** The stream of a partner domain's component is lost, and with it the answers. */
  lost(remote: Domain): void {
    for (const query of this.#asked.values()) if (query.remote === remote) this.#end(query)
  }

  /** Nothing is asked any more; nobody waits. */
  stop(): void {
    this.#isStopped = true
    for (const query of this.#asked.values()) this.#end(query)
  }

  #isOurs({ id }: Slice): boolean {
    return id?.startsWith(this.#idPrefix) === true
  }

  #answered(query: Query, contacts: Set<BareJid> | undefined): void {
    if (contacts === undefined || !query.isOutdated) this.#remember(query.local, contacts)
    this.#end(query)
  }

  #end(query: Query): void {
    clearTimeout(query.timer)
    this.#asked.delete(query.local)
    for (const resume of query.resumes) resume()
  }

  #hearsPush(slice: Slice, { remote }: Pair, source: Source): boolean {
    const from = slice.from ?? ''
    const local = this.#addresses.find(from)?.bare
    const items: RosterItem[] | undefined = rosterItemsIn(toElement(slice, source.declarations))
    if (local === undefined || isDomainItself(local) || items === undefined) return false
    const query = this.#asked.get(local)
    if (query !== undefined) query.isOutdated = true
    const known = this.find(local)
    const { contacts } = known ?? {}
    if (contacts === undefined) this.#forget(local)
    else {
      const before = contacts.size
      for (const { contact, isAuthorised } of items) {
        if (isAuthorised) contacts.add(contact)
        else contacts.delete(contact)
      }
      this.#contacts += contacts.size - before
    }
    const addresses = { from: toUnicode(remote), to: from }
    const answer = tag('iq', { type: 'result', id: slice.id, ...addresses })
    const inward = this.#inward(remote)
    if (!inward.isFull) inward.send({ bytes: Buffer.from(answer), stanzas: 1, isOurs: true })
    return true
  }

  #remember(local: BareJid, contacts: Set<BareJid> | undefined): void {
    this.#forget(local)
    this.#known.set(local, { contacts, untilMs: performance.now() + freshMs })
    this.#contacts += contacts?.size ?? 0
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#most.users && this.#contacts <= this.#most.contacts) return
      this.#forget(oldest)
    }
  }

  #forget(local: BareJid): void {
    this.#contacts -= this.#known.get(local)?.contacts?.size ?? 0
    this.#known.delete(local)
  }
}

function authorisedIn(items: readonly RosterItem[]): Set<BareJid> {
  return new Set(items.filter(({ isAuthorised }) => isAuthorised).map(({ contact }) => contact))
}
