import { randomBytes } from 'node:crypto'
import { isWithoutRoster, type RosterItem, rosterItemsIn } from '../policy/roster.ts'
import { toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import type { Destination } from '../xml/run.ts'
import { tag } from '../xml/writer.ts'
import {
  type BareJid,
  type Domain,
  domainOfBare,
  isDomainItself,
  toUnicode,
  writtenBare,
} from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { AddressCache } from './address-cache.ts'
import { type KnownRoster, KnownRosters } from './known-rosters.ts'
import type { Pair, Source } from './ways.ts'

/** How long a roster holds: neither Prosody nor ejabberd tells when one changes. */
const freshMs = 60_000
/** How long the server inside may take to answer. */
const patienceMs = 5000
/** How long a roster is not asked for again that could not be had; and none at all of a server that has let a question lie. */
const failedMs = 5000
/**
 * And where the component's stream ended before there was an answer. It may have been the answer that was too much for the stream, and
 * any stranger can make the gateway ask.
 */
const lostMs = 300_000

type Query = {
  readonly id: string
  readonly local: BareJid
  /** Whose component asks. */
  readonly remote: Domain
  readonly resumes: Set<() => void>
  readonly timer: NodeJS.Timeout
  /** The roster has changed since: the answer may be older. */
  isOutdated: boolean
}

/** Local users' rosters, asked for by partner domains' components where the server inside grants it (XEP-0356 §4). */
export class Rosters {
  readonly #inward: (remote: Domain) => Destination
  readonly #addresses: AddressCache
  readonly #known: KnownRosters
  /** Nobody else can make an id that begins so. */
  readonly #idPrefix = `roster-${randomBytes(16).toString('hex')}-`
  #queries = 0
  #isStopped = false
  readonly #asked = new Map<string, Query>()
  /** Until when nothing is asked by these components: the server inside does not answer them. */
  readonly #quietUntilMs = new Map<Domain, number>()

  constructor(inward: (remote: Domain) => Destination, addresses: AddressCache, known = new KnownRosters()) {
    this.#inward = inward
    this.#addresses = addresses
    this.#known = known
  }

  /** What is known of a user's roster, however old it is. */
  find(remote: Domain, local: BareJid): KnownRoster | undefined {
    return this.#known.find(remote, local)
  }

  /**
   * Asks for a roster if that is due, once for all who want it. `resume` is called when there is something to find, or to ask again;
   * later, not before this returns.
   * @returns false where nothing is to be waited for: it is known, it cannot be asked for, or the question is over already
   */
  ask(remote: Domain, local: BareJid, resume: () => void): boolean {
    if (this.#isStopped || (this.find(remote, local)?.untilMs ?? 0) > performance.now()) return false
    const key = keyOf(remote, local)
    const asked = this.#asked.get(key)
    if (asked !== undefined) {
      asked.resumes.add(resume)
      return true
    }
    const inward = this.#inward(remote)
    if (inward.isFull || (this.#quietUntilMs.get(remote) ?? 0) > performance.now()) return false
    const id = `${this.#idPrefix}${++this.#queries}`
    const timer = setTimeout(() => this.#timedOut(query), patienceMs)
    const query: Query = { id, local, remote, resumes: new Set(), timer, isOutdated: false }
    this.#asked.set(key, query)
    const addresses = { from: toUnicode(remote), to: writtenBare(local) }
    const iq = tag('iq', { type: 'get', id, ...addresses }, tag('query', { xmlns: ns.roster }))
    inward.send({ bytes: Buffer.from(iq), stanzas: 1, isOurs: true })
    // It may have come back at once.
    if (this.#asked.get(key) !== query) return false
    query.resumes.add(resume)
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
    const query = this.#queryOf(slice, pair.remote, from)
    if (query === undefined) return true // too late
    const iq = toElement(slice, source.declarations)
    // Who does not exist has no contacts. All other errors say nothing of them: the server may have taken the grant back, or have trouble.
    const items = type === 'result' ? rosterItemsIn(iq) : isWithoutRoster(iq) ? [] : undefined
    this.#quietUntilMs.delete(query.remote)
    if (items === undefined) this.#refused(query)
    else this.#told(query, authorisedIn(items, query.remote))
    return true
  }

  /** Takes back a query that the server inside did not get. @returns false for any other stanza */
  comesBack(slice: Slice): boolean {
    if (slice.name !== 'iq' || !this.#isOurs(slice)) return false
    const remote = this.#addresses.domainOf(slice.from ?? '')
    const query = remote && this.#queryOf(slice, remote, slice.to ?? '')
    if (query !== undefined) this.#failed(query, failedMs)
    return true
  }

  /** The user has just changed his roster. */
  changed(local: BareJid): void {
    this.#known.changed(local)
    for (const query of this.#asked.values()) if (query.local === local) query.isOutdated = true
  }

  /** The stream of a partner domain's component is lost, and with it the answers. */
  lost(remote: Domain): void {
    for (const query of this.#asked.values()) if (query.remote === remote) this.#failed(query, lostMs)
  }

  /** Nothing is asked any more; nobody waits. */
  stop(): void {
    this.#isStopped = true
    for (const query of this.#asked.values()) this.#end(query)
  }

  #isOurs({ id }: Slice): boolean {
    return id?.startsWith(this.#idPrefix) === true
  }

  #queryOf({ id }: Slice, remote: Domain, of: string): Query | undefined {
    const local = this.#addresses.find(of)?.bare
    const query = local === undefined ? undefined : this.#asked.get(keyOf(remote, local))
    return query?.id === id ? query : undefined
  }

  #told(query: Query, contacts: Set<BareJid>): void {
    const { remote, local, isOutdated } = query
    const untilMs = performance.now() + freshMs
    if (!isOutdated) this.#known.put(remote, local, { is: 'told', contacts, untilMs })
    this.#end(query)
  }

  #refused(query: Query): void {
    this.#known.put(query.remote, query.local, { is: 'refused', untilMs: performance.now() + failedMs })
    this.#end(query)
  }

  #timedOut(query: Query): void {
    this.#quietUntilMs.set(query.remote, performance.now() + failedMs)
    this.#failed(query, failedMs)
  }

  /** There is no answer, and for so long nobody asks again. */
  #failed(query: Query, forMs: number): void {
    const { remote, local } = query
    const contacts = this.find(remote, local)?.contacts
    this.#known.put(remote, local, { is: 'unanswered', contacts, untilMs: performance.now() + forMs })
    this.#end(query)
  }

  #end(query: Query): void {
    clearTimeout(query.timer)
    this.#asked.delete(keyOf(query.remote, query.local))
    for (const resume of query.resumes) resume()
  }

  #hearsPush(slice: Slice, { remote }: Pair, source: Source): boolean {
    const from = slice.from ?? ''
    const local = this.#addresses.find(from)?.bare
    const items = rosterItemsIn(toElement(slice, source.declarations))
    if (local === undefined || isDomainItself(local) || items === undefined) return false
    for (const query of this.#asked.values()) if (query.local === local) query.isOutdated = true
    this.#known.pushed(local, items)
    const addresses = { from: toUnicode(remote), to: from }
    const answer = tag('iq', { type: 'result', id: slice.id, ...addresses })
    const inward = this.#inward(remote)
    if (!inward.isFull) inward.send({ bytes: Buffer.from(answer), stanzas: 1, isOurs: true })
    return true
  }
}

function keyOf(remote: Domain, local: BareJid): string {
  return `${remote} ${local}`
}

/** The authorised contacts with one partner domain. */
function authorisedIn(items: Iterable<RosterItem>, remote: Domain): Set<BareJid> {
  const contacts = new Set<BareJid>()
  for (const { contact, isAuthorised } of items)
    if (isAuthorised && domainOfBare(contact) === remote) contacts.add(contact)
  return contacts
}
