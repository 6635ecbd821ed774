import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Seen } from '../../support/client.ts'
import { domainOf, isFrom, type Person } from './person.ts'

/** What a user may publish of himself (XEP-0163), by the name of the payload. A nickname is no status note. */
export type Note = 'mood' | 'activity' | 'nick'

const notes = {
  mood: "<mood xmlns='http://jabber.org/protocol/mood'><happy/></mood>",
  activity: "<activity xmlns='http://jabber.org/protocol/activity'><relaxing/></activity>",
  nick: "<nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick>",
} as const satisfies Record<Note, string>

/** Publishes it, and is told that it is published. */
export async function publishes(person: Person, note: Note): Promise<void> {
  const item = `<item id='current'>${notes[note]}</item>`
  const id = crypto.randomUUID()
  const publish = `<publish node='${nodeOf(note)}'>${item}</publish>`
  person.client.send(`<iq type='set' id='${id}'>${pubsub(publish)}</iq>`)
  expect((await person.answer(id)).attributes['type']).toBe('result')
}

/** Tells a contact's server which events are wanted (XEP-0115), and answers what it asks about that. */
export async function follows(follower: Person, contact: Person): Promise<void> {
  // Different for everybody: a server asks only once about what it knows.
  const name = `client of ${follower.bare}`
  const features = (Object.keys(notes) as Note[]).map(note => `${nodeOf(note)}+notify`).toSorted()
  const version = createHash('sha1')
    .update(`client/pc//${name}<${features.map(feature => `${feature}<`).join('')}`)
    .digest('base64')
  const node = 'https://client.example'
  const capabilities = `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='${node}' ver='${version}'/>`
  follower.client.send(`<presence>${capabilities}</presence>`)

  const question = await follower.takes('question about events', seen => isQuestionOf(seen, contact))
  const { id, from } = question.attributes
  const identity = `<identity category='client' type='pc' name='${name}'/>`
  const wanted = features.map(feature => `<feature var='${feature}'/>`).join('')
  follower.client.send(
    `<iq type='result' id='${id}' to='${from}'><query xmlns='${disco}' node='${node}#${version}'>${identity}${wanted}</query></iq>`,
  )
  await follower.pings(domainOf(contact))
}

/** Reads somebody's events in their order, up to one of that kind. */
export async function readsEventsUntil(reader: Person, publisher: Person, last: Note): Promise<string[]> {
  const read: string[] = []
  while (read.at(-1) !== last) {
    const event = await reader.takes(`event of ${publisher.bare}`, seen => isEventOf(seen, publisher))
    const node = event.children[0]?.children[0]?.attributes['node'] ?? ''
    read.push(node.slice(node.lastIndexOf('/') + 1))
  }
  return read
}

/** Asks what somebody has published. */
export async function readsItems(reader: Person, publisher: Person, note: Note): Promise<readonly Seen[]> {
  const id = reader.query(publisher.bare, pubsub(`<items node='${nodeOf(note)}'/>`))
  const answer = await reader.answer(id)
  expect(answer.attributes['type']).toBe('result')
  return answer.children[0]?.children[0]?.children ?? []
}

const disco = 'http://jabber.org/protocol/disco#info'

function nodeOf(note: Note): string {
  return `http://jabber.org/protocol/${note}`
}

function pubsub(request: string): string {
  return `<pubsub xmlns='http://jabber.org/protocol/pubsub'>${request}</pubsub>`
}

// Prosody asks in the name of the contact, ejabberd in that of his client.
function isQuestionOf(seen: Seen, contact: Person): boolean {
  const isQuestion = seen.attributes['type'] === 'get' && seen.children[0]?.xmlns === disco
  return isQuestion && isFrom(seen, contact)
}

function isEventOf(seen: Seen, publisher: Person): boolean {
  return seen.name === 'message' && seen.children[0]?.name === 'event' && isFrom(seen, publisher)
}
