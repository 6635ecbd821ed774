import { describe, expect, test, vi } from 'vitest'
import type { InsideStream } from '../support/inside-server.ts'
import { startGateway } from '../support/running-gateway.ts'
import {
  accepted,
  answerTheEnd,
  expectEachOnce,
  juliet as local,
  message,
  messages,
  received,
  tally,
} from './numbered.ts'

const juliet = 'juliet@contoso.com'
const romeo = 'romeo@fabrikam.com'
const stranger = 'tybalt@fabrikam.com'

/** A gateway with a publicUnverified partner, whose component may read rosters, and streams both ways. */
async function gatewayWithRosters(settings = {}) {
  const gateway = await startGateway({
    inside: 'component',
    partners: [{ primaryDomain: 'fabrikam.com', partnerType: 'publicUnverified' }],
    settings,
  })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(
    "<message from='contoso.com' to='fabrikam.com'><privilege xmlns='urn:xmpp:privilege:1'>" +
      "<perm access='presence' type='none'/><perm access='roster' type='get'/></privilege></message>" +
      message('hello', local, romeo),
  )
  const receiver = await accepted(server)
  await receiver.next('message')
  const sender = await gateway.connect()
  await sender.authenticates()
  return { gateway, inside, receiver, sender }
}

/** Takes the gateway's question for a roster. */
async function question(inside: InsideStream): Promise<string> {
  const { attributes } = await inside.next('iq')
  expect(attributes).toMatchObject({ type: 'get', from: 'fabrikam.com', to: juliet })
  return attributes['id'] ?? ''
}

function answers(inside: InsideStream, id: string, ...contacts: readonly string[]): void {
  const items = contacts.map(jid => `<item jid='${jid}' subscription='from'/>`).join('')
  const query = `<query xmlns='jabber:iq:roster'>${items}</query>`
  inside.send(`<iq type='result' id='${id}' from='${juliet}' to='fabrikam.com'>${query}</iq>`)
}

describe('where the inside lets rosters be read', () => {
  test('a contact in it is heard, a stranger is not, and neither answer nor question reaches the partner', async () => {
    const { inside, receiver, sender } = await gatewayWithRosters()
    sender.send(message(0, romeo, juliet) + message(1, stranger, juliet))
    answers(inside, await question(inside), romeo)
    await inside.find('the message', ({ attributes }) => attributes['id'] === '0')
    const refused = await receiver.next('message')
    expect(refused.attributes).toMatchObject({ type: 'error', id: '1', to: stranger })
    expect([inside.untaken, receiver.untaken]).toEqual([[], []])
  })

  test('nothing is lost of what waits for an answer while its stream ends', async () => {
    const { inside, sender } = await gatewayWithRosters()
    const total = 2000
    sender.send(messages(romeo, juliet, 0, total))
    const id = await question(inside)
    sender.end('</stream:stream>')
    answers(inside, id, romeo)
    await received(total, () => [inside])
    expectEachOnce(total, tally(inside).delivered, [])
  })

  test('no more is read of a stream that waits than came at once', async () => {
    const { gateway, inside, sender } = await gatewayWithRosters()
    sender.send(message(0, romeo, juliet))
    const id = await question(inside)
    const padding = 'x'.repeat(1000)
    const piece = Buffer.from(message(1, romeo, juliet, padding))
    const sent = Array.from({ length: 100 }, () => piece)
    const most = 64 * 2 ** 20 // far more than the sockets between us hold
    const taken = await sender.pour(Buffer.concat(sent), most, 500)
    expect(taken).toBeLessThan(most)
    expect(gateway.metric('gatehouse_stanzas_total{direction="in",kind="message",outcome="relayed"}')).toBe(0)
    answers(inside, id, romeo)
    await inside.find('the first', ({ attributes }) => attributes['id'] === '0')
  })

  test('what waits when the gateway stops is judged by what was learned', async () => {
    const { gateway, inside, receiver, sender } = await gatewayWithRosters()
    inside.send(`<presence from='${juliet}' to='${romeo}' type='subscribed'/>`)
    await receiver.next('presence')
    for (const wire of [inside, receiver, sender]) answerTheEnd(wire)
    const total = 100
    sender.send(messages(romeo, juliet, 0, total) + message(total, stranger, juliet))
    await question(inside)
    await gateway.gatehouse.stop()
    await vi.waitFor(() => expect(tally(receiver).bounced).toEqual([total]))
    expect(tally(inside).delivered).toEqual(Array.from({ length: total }, (_, number) => number))
  })
})
