import { expect } from 'vitest'
import type { SubscriptionWord } from '../../../src/policy/contacts.ts'
import { type Client, childText, describeStanza, type Seen } from '../../support/client.ts'

/** What somebody says of himself by presence: how available he is, and his status note. */
export type Availability = { readonly show: 'away' | 'chat' | 'dnd' | 'xa'; readonly note?: string }

// Generous: the machine may be busy, and nobody waits for it who is not going to fail.
const patienceMs = 30_000

/** A user in a walk: says, hears, shows, sees. What is heard or seen is taken, and not there a second time. */
export class Person {
  readonly client: Client
  readonly bare: string
  readonly full: string

  constructor(client: Client) {
    this.client = client
    this.bare = client.bare
    this.full = client.full
  }

  /** Adds or removes a contact, as clients do it. */
  says(word: SubscriptionWord, to: Person): void {
    this.client.send(`<presence type='${word}' to='${to.bare}'/>`)
  }

  /** Is told such a word. */
  async hears(word: SubscriptionWord, from: Person): Promise<void> {
    await this.takes(word, seen => isPresence(seen, from.bare) && seen.attributes['type'] === word)
  }

  /** Is told that a contact stands in the roster as somebody who was asked. */
  async hasOnRosterAsAsked(contact: Person): Promise<void> {
    const isIt = ({ attributes }: Seen) =>
      attributes['jid'] === contact.bare && attributes['ask'] === 'subscribe'
    const isPush = ({ children: [query] }: Seen) =>
      query?.xmlns === 'jabber:iq:roster' && query.children.some(isIt)
    await this.takes(`roster push for ${contact.bare}`, isPush)
  }

  /** Puts a contact into the roster, and asks nothing of him. */
  putsIntoRoster(contact: Person): Promise<void> {
    return this.#changesRoster(`<item jid='${contact.bare}' name='somebody'/>`)
  }

  /** Removes a contact from the roster. */
  dropsFromRoster(contact: Person): Promise<void> {
    return this.#changesRoster(`<item jid='${contact.bare}' subscription='remove'/>`)
  }

  /** Tells everybody who is subscribed. */
  shows({ show, note }: Availability): void {
    const status = note === undefined ? '' : `<status>${note}</status>`
    this.client.send(`<presence><show>${show}</show>${status}</presence>`)
  }

  /** Sends somebody presence who may not be subscribed. */
  showsTo(other: Person, { show }: Availability): void {
    this.client.send(`<presence to='${other.bare}'><show>${show}</show></presence>`)
  }

  /** Somebody shows himself, and writes after that: until then his presence has been seen once. */
  async seesOnce(other: Person, availability: Availability): Promise<void> {
    await this.catchesUpWith(other)
    other.shows(availability)
    await other.writesTo(this)
    const isIt = (seen: Seen) => isAvailable(seen, other) && childText(seen, 'show') === availability.show
    expect(this.client.untaken.filter(isIt).map(describeStanza)).toHaveLength(1)
  }

  /** Sees somebody's presence with exactly this note, or none. */
  async sees(other: Person, { show, note }: Availability): Promise<void> {
    const isIt = (seen: Seen) => isAvailable(seen, other) && childText(seen, 'show') === show
    const presence = await this.takes(`presence ${show} of ${other.bare}`, isIt)
    expect({ show, note: noteOf(presence) }).toEqual({ show, note })
  }

  /** Goes off line, with a word. */
  leaves(note: string): void {
    this.client.send(`<presence type='unavailable'><status>${note}</status></presence>`)
  }

  /** Sees that somebody is not there any more, with exactly this note, or none. */
  async seesGone(other: Person, { note }: Pick<Availability, 'note'> = {}): Promise<void> {
    const isIt = (seen: Seen) =>
      seen.attributes['type'] === 'unavailable' &&
      (isPresence(seen, other.full) || isPresence(seen, other.bare))
    const presence = await this.takes(`absence of ${other.full}`, isIt)
    expect({ note: noteOf(presence) }).toEqual({ note })
  }

  /** Asks whether somebody is there. */
  probes(other: Person | string): void {
    this.client.send(`<presence type='probe' to='${bareOf(other)}'/>`)
  }

  /** Asks an address for its presence, and is told no. */
  asksToSee(address: string): Promise<Seen> {
    this.client.send(`<presence type='subscribe' to='${address}'/>`)
    return this.takes(`refusal of ${address}`, seen => isPresence(seen, address))
  }

  /** Adds somebody and is added. */
  async befriends(other: Person): Promise<void> {
    for (const [asker, asked] of [
      [this, other],
      [other, this],
    ] as const) {
      asker.says('subscribe', asked)
      await asked.hears('subscribe', asker)
      asked.says('subscribed', asker)
      await asker.hears('subscribed', asked)
    }
  }

  /** Writes, and the other one reads it. */
  async writesTo(other: Person): Promise<void> {
    const id = this.write(other)
    const message = await other.takes(`message of ${this.bare}`, withId(id))
    expect(message).toMatchObject({ name: 'message', attributes: { type: 'chat', from: this.full } })
  }

  /** Writes. @returns the id of the message */
  write(other: Person | string): string {
    const id = crypto.randomUUID()
    const to = bareOf(other)
    this.client.send(`<message type='chat' id='${id}' to='${to}'><body>hello ${id}</body></message>`)
    return id
  }

  /** Asks the other's client, which answers. */
  async queries(other: Person): Promise<void> {
    const id = this.query(other.full)
    const request = await other.takes(`query of ${this.bare}`, seen => isQuery(seen, this))
    other.client.send(`<iq type='result' id='${request.attributes['id']}' to='${this.full}'/>`)
    const answer = await this.takes(`answer of ${other.full}`, withId(id))
    expect(answer).toMatchObject({ name: 'iq', attributes: { type: 'result', from: other.full } })
  }

  /** Asks an address. @returns the id of the request */
  query(to: string, payload = "<query xmlns='jabber:iq:version'/>"): string {
    const id = crypto.randomUUID()
    this.client.send(`<iq type='get' id='${id}' to='${to}'>${payload}</iq>`)
    return id
  }

  /** Sees what came back, which has this id. */
  answer(id: string): Promise<Seen> {
    return this.takes(`answer ${id}`, withId(id))
  }

  /** Tries everything with somebody who has not added him, and is refused or not heard every time. */
  async isStrangerTo(other: Person): Promise<void> {
    await this.catchesUpWith(other)
    await this.#arrivesAt(other)
    other.client.forget()
    this.probes(other)
    this.showsTo(other, { show: 'chat' })
    for (const id of [this.write(other), this.query(other.full), this.query(other.bare)]) {
      expect(conditionOf(await this.answer(id))).toBe('forbidden')
    }
    this.says('subscribe', other)
    await this.hears('unsubscribed', other)
    await other.hasHeardNothingFrom(this)
    expect(this.#from(other)).toEqual([])
  }

  /** Writes to somebody and asks his client, and both pass. */
  async reaches(other: Person): Promise<void> {
    await this.writesTo(other)
    await this.queries(other)
  }

  /** Once all that `other` has sent so far has had its effect, nothing of it was for this one. */
  async hasHeardNothingFrom(other: Person): Promise<void> {
    await other.#arrivesAt(this)
    expect(this.#from(other)).toEqual([])
  }

  /** Has seen no presence of somebody's, who shows himself now, and writes after that. */
  async doesNotSee(other: Person, availability: Availability): Promise<void> {
    await this.catchesUpWith(other)
    other.shows(availability)
    await this.catchesUpWith(other, seen => seen.attributes['type'] === undefined)
  }

  /** Reads what somebody writes now; what he has sent before is here, then. No presence that fits was among it. */
  async catchesUpWith(other: Person, isUnwelcome: (presence: Seen) => boolean = () => false): Promise<void> {
    await other.writesTo(this)
    const unwelcome = this.client.untaken.filter(
      seen => seen.name === 'presence' && isFrom(seen, other) && isUnwelcome(seen),
    )
    expect(unwelcome.map(describeStanza)).toEqual([])
    this.client.forget()
  }

  /** All that this one has sent to somebody inside has come to him: what anybody asks the domain passes, on the same way. */
  async #arrivesAt(other: Person): Promise<void> {
    await this.pings(domainOf(other))
    await other.pings(domainOf(other))
  }

  /** Asks a domain whether it is there, and it is. */
  async pings(domain: string): Promise<void> {
    await this.answer(this.query(domain, "<ping xmlns='urn:xmpp:ping'/>"))
  }

  async #changesRoster(item: string): Promise<void> {
    const id = crypto.randomUUID()
    this.client.send(`<iq type='set' id='${id}'><query xmlns='jabber:iq:roster'>${item}</query></iq>`)
    expect((await this.answer(id)).attributes['type']).toBe('result')
  }

  #from(other: Person): string[] {
    return this.client.untaken.filter(seen => isFrom(seen, other)).map(describeStanza)
  }

  /** Takes the first stanza that fits, also out of those that came before. */
  takes(what: string, fits: (seen: Seen) => boolean): Promise<Seen> {
    return this.client.receives(what, fits, patienceMs)
  }
}

/** The condition of an error; '' where it is none. */
export function conditionOf(stanza: Seen): string {
  return stanza.children.find(({ name }) => name === 'error')?.children[0]?.name ?? ''
}

function noteOf(presence: Seen): string | undefined {
  return presence.children.find(child => child.name === 'status')?.text
}

function withId(id: string): (seen: Seen) => boolean {
  return seen => seen.attributes['id'] === id
}

function isPresence(seen: Seen, from: string): boolean {
  return seen.name === 'presence' && seen.attributes['from'] === from
}

function isAvailable(seen: Seen, from: Person): boolean {
  return isPresence(seen, from.full) && seen.attributes['type'] === undefined
}

function isQuery(seen: Seen, from: Person): boolean {
  return seen.name === 'iq' && seen.attributes['type'] === 'get' && seen.attributes['from'] === from.full
}

/** Is it from this user, with whichever client? */
export function isFrom(seen: Seen, person: Person): boolean {
  const from = seen.attributes['from'] ?? ''
  return from === person.bare || from.startsWith(`${person.bare}/`)
}

function bareOf(person: Person | string): string {
  return typeof person === 'string' ? person : person.bare
}

/** The domain of somebody's address. */
export function domainOf({ bare }: Person): string {
  return bare.slice(bare.indexOf('@') + 1)
}
