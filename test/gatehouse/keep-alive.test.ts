import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'
import { accepted, flood, juliet, message, romeo } from './numbered.ts'

const fabrikam = { primaryDomain: 'fabrikam.com', keepAlive: true }
const adatum = { primaryDomain: 'adatum.com', keepAlive: false }

/** A gateway that pings after 60 ms, with a stream to fabrikam.com and one from there. */
async function keptGateway(answerWithin: string) {
  const gateway = await startGateway({
    inside: 'component',
    partners: [fabrikam, adatum],
    settings: { timeouts: { keepAlive: '60ms', dialback: answerWithin } },
  })
  const inside = await gateway.inside.component('fabrikam.com')
  const sender = await gateway.connect()
  await sender.authenticates()
  const server = await gateway.serve()
  inside.send(message('hello', juliet, romeo))
  const receiver = await accepted(server)
  await receiver.next('message')
  return { gateway, inside, sender, receiver, server }
}

/** The answer to a ping: the other way round, over a stream of the partner's own. */
function answer(type: 'result' | 'error', id: string | undefined, from = 'fabrikam.com'): string {
  return `<iq type='${type}' id='${id}' from='${from}' to='contoso.com'/>`
}

/** Takes the next ping. @returns its id */
async function pinged(receiver: WirePeer): Promise<string | undefined> {
  const { attributes, children } = await receiver.next('iq')
  expect(attributes).toMatchObject({ type: 'get', from: 'contoso.com', to: 'fabrikam.com' })
  expect(children).toMatchObject([{ name: 'ping', xmlns: 'urn:xmpp:ping' }])
  return attributes['id']
}

describe('a partner with keepAlive', () => {
  test('is pinged over our stream while that is idle, and an answer, good or bad, stays at the gateway', async () => {
    const { gateway, inside, sender, receiver } = await keptGateway('5s')
    const ids: (string | undefined)[] = []
    for (const type of ['result', 'error'] as const) {
      const id = await pinged(receiver)
      ids.push(id)
      sender.send(answer(type, id))
    }
    expect(await pinged(receiver)).not.toBe(ids[1]) // and so both were taken
    expect(ids[0]).not.toBe(ids[1])
    sender.send(answer('result', ids[0]) + message('behind', romeo, juliet))
    await gateway.inside.stanza('fabrikam.com', 'behind')
    // A second answer is none: whether anybody inside has asked is not for the gateway to say.
    expect(inside.untaken.map(({ attributes }) => attributes['id'])).toEqual([ids[0]])
  })

  test('has its stream closed where it does not answer in time, and the next stanza opens another', async () => {
    const { inside, receiver, server } = await keptGateway('80ms')
    await pinged(receiver)
    await receiver.isClosedWith('connection-timeout')
    inside.send(message('again', juliet, romeo))
    await (await accepted(server)).next('message')
  })

  test('is not answered for by another partner, whose stanza goes inside', async () => {
    const { gateway, receiver } = await keptGateway('200ms')
    const other = await gateway.connect(gateway.identity('adatum.com'))
    await other.authenticates()
    const id = await pinged(receiver)
    other.send(answer('result', id, 'adatum.com'))
    await gateway.inside.stanza('adatum.com', id!)
    await receiver.isClosedWith('connection-timeout')
  })

  test('that is gone with a ping unsent has that ping come back to nobody', async () => {
    const { inside, receiver } = await keptGateway('30s')
    receiver.pause()
    await flood(inside, juliet, romeo) // takes longer than a ping needs, which goes behind what is stuck
    receiver.reset()
    inside.send(message('marker', juliet, 'romeo@elsewhere.example'))
    await inside.find('the marker', ({ attributes }) => attributes['id'] === 'marker')
    const back = inside.untaken.map(({ name }) => name)
    expect(back.length).toBeGreaterThan(0)
    expect(back).not.toContain('iq')
  })
})

describe('a partner without keepAlive', () => {
  test('is not pinged', async () => {
    const { gateway, sender, receiver } = await keptGateway('5s')
    const server = await gateway.serve(gateway.identity('adatum.com'))
    const inside = await gateway.inside.component('adatum.com')
    inside.send(message('hello', juliet, 'romeo@adatum.com'))
    const other = await accepted(server)
    await other.next('message')
    for (let ping = 0; ping < 3; ping++) sender.send(answer('result', await pinged(receiver)))
    expect(other.untaken).toEqual([])
  })
})
