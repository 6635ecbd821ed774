import { expect } from 'vitest'
import { type Client, childText, type Seen } from '../support/client.ts'

/** One user's message reaches the other, body unchanged. */
export async function sendsMessage(sender: Client, receiver: Client): Promise<void> {
  const id = crypto.randomUUID()
  const body = `from ${sender.bare}: "fish" & <chips>, 5 > 3, it's ]] 漢字 🚪 ${id}`
  sender.send(`<message type='chat' id='${id}' to='${receiver.bare}'><body>${escaped(body)}</body></message>`)
  const message = await receiver.receives('message', seen => seen.attributes['id'] === id)
  expect(message).toMatchObject({ name: 'message', attributes: { type: 'chat', from: sender.full } })
  expect(childText(message, 'body')).toBe(body)
}

/** One user asks for the other's presence, the other agrees, and presence follows. */
export async function subscribes(subscriber: Client, contact: Client): Promise<void> {
  subscriber.send(`<presence type='subscribe' to='${contact.bare}'/>`)
  await contact.receives('subscription request', presence('subscribe', subscriber.bare))
  contact.send(`<presence type='subscribed' to='${subscriber.bare}'/>`)
  await subscriber.receives('approval', presence('subscribed', contact.bare))
  await subscriber.receives('presence', available(contact.full))
  const status = `in a meeting ${crypto.randomUUID()}`
  contact.send(`<presence><show>dnd</show><status>${status}</status></presence>`)
  await subscriber.receives(
    'presence with the new status',
    seen => available(contact.full)(seen) && childText(seen, 'status') === status,
  )
}

/** One user pings the other's server and the other's client, and both answer. */
export async function pings(asker: Client, other: Client): Promise<void> {
  await asks(asker, domainOf(other), "<ping xmlns='urn:xmpp:ping'/>")
  const answered = asks(asker, other.full, "<ping xmlns='urn:xmpp:ping'/>")
  const ping = await other.receives(
    'ping',
    seen => seen.name === 'iq' && seen.children[0]?.xmlns === 'urn:xmpp:ping',
  )
  expect(ping.attributes).toMatchObject({ type: 'get', from: asker.full })
  other.send(`<iq type='result' id='${ping.attributes['id']}' to='${ping.attributes['from']}'/>`)
  await answered
}

/** One user asks the other's server what it is. */
export async function discovers(asker: Client, other: Client): Promise<void> {
  const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
  const result = await asks(asker, domainOf(other), info)
  const identities = result.children[0]?.children.filter(child => child.name === 'identity')
  const server = expect.objectContaining({ category: 'server', type: 'im' })
  expect(identities?.map(({ attributes }) => attributes)).toContainEqual(server)
}

async function asks(asker: Client, to: string, payload: string): Promise<Seen> {
  const id = crypto.randomUUID()
  asker.send(`<iq type='get' id='${id}' to='${to}'>${payload}</iq>`)
  const answer = await asker.receives(`answer of ${to}`, seen => seen.attributes['id'] === id)
  expect(answer).toMatchObject({ name: 'iq', attributes: { type: 'result', from: to, to: asker.full } })
  return answer
}

function presence(type: string, from: string): (seen: Seen) => boolean {
  return seen =>
    seen.name === 'presence' && seen.attributes['type'] === type && seen.attributes['from'] === from
}

function available(from: string): (seen: Seen) => boolean {
  return seen =>
    seen.name === 'presence' && seen.attributes['type'] === undefined && seen.attributes['from'] === from
}

function domainOf(client: Client): string {
  return client.bare.slice(client.bare.indexOf('@') + 1)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
