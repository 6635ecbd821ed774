import { describe, expect, test } from 'vitest'
import { streamHeader } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'
import {
  accepted,
  bounceOf,
  closeProperly,
  connectedGateway,
  expectEachOnce,
  juliet,
  message,
  messages,
  nextTurn,
  received,
  romeo,
  tally,
} from './numbered.ts'

const batch = 100

describe('messages in both directions, numbered,', () => {
  test('are delivered or bounced once while the partner’s server closes its streams properly and comes back', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    const ours = [] as WirePeer[]
    const total = 3000
    inside.send(messages(juliet, romeo, 0, batch))
    for (let sent = batch; sent < total; sent += 2 * batch) {
      if (sent % 1000 === batch) ours.push(await accepted(server))
      inside.send(messages(juliet, romeo, sent, batch))
      await received(sent - batch + 1, () => [...ours, inside])
      if (sent % 1000 === 900) closeProperly(ours.at(-1)!)
      inside.send(messages(juliet, romeo, sent + batch, Math.min(batch, total - sent - batch)))
    }
    await received(total, () => [...ours, inside])
    const bounced = tally(inside).bounced
    expectEachOnce(total, tally(...ours).delivered, bounced)
    expect(ours.length).toBeGreaterThan(2)
  })

  test('are delivered or bounced once while the server inside closes its stream properly and comes back', async () => {
    const {
      gateway,
      inside: first,
      receiver,
      sender,
    } = await connectedGateway({ limits: { queueStanzas: 200 } })
    const total = 3000
    for (let sent = 0; sent < total; sent += batch) {
      sender.send(messages(romeo, juliet, sent, batch))
      if (sent === 1000) closeProperly(first)
      await nextTurn()
    }
    await first.closed()
    const second = await gateway.inside.component('fabrikam.com')
    await received(total, () => [first, second, receiver])
    expectEachOnce(total, tally(first, second).delivered, tally(receiver).bounced)
    expect(tally(first).delivered.length).toBeGreaterThan(0)
    expect(tally(second).delivered.length).toBeGreaterThan(0)
  })

  test('are delivered or bounced once when they cross the partner’s end of the stream', async () => {
    const { server, inside, receiver } = await connectedGateway()
    const streams = [receiver]
    const rounds = 12
    let isOver = false
    const accepting = (async () => {
      while (!isOver)
        await accepted(server, 500).then(
          peer => streams.push(peer),
          () => undefined,
        )
    })()
    for (let round = 0; round < rounds; round++) {
      const last = streams.at(-1)!
      for (let turn = 0; turn < round % 4; turn++) await nextTurn()
      if (round % 2 === 1) closeProperly(last)
      inside.send(messages(juliet, romeo, 20 * round, 10))
      if (round % 2 === 0) closeProperly(last)
      if (round % 3 === 0) await nextTurn()
      inside.send(messages(juliet, romeo, 20 * round + 10, 10))
      await received(20 * (round + 1), () => [...streams, inside])
      await last.closed()
    }
    isOver = true
    await accepting
    await received(20 * rounds, () => [...streams, inside])
    expectEachOnce(20 * rounds, tally(...streams).delivered, tally(inside).bounced)
  })
})

describe('a message to a partner whose stream', () => {
  test('has not quite ended waits for that: it cannot overtake what is still on its way', async () => {
    const { server, inside, receiver, sender } = await connectedGateway()
    receiver.send('</stream:stream>')
    await receiver.halfClose()
    inside.send(message(1, juliet, romeo))
    sender.send(message(2, romeo, juliet))
    await inside.next('message')
    expect(server.count()).toBe(1)
    receiver.end()
    const next = await accepted(server)
    expect((await next.next('message')).attributes['id']).toBe('1')
  })

  test('ends as soon as it is there comes back at once', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    const peer = await server.next()
    await peer.greetsSecurely(['external'])
    await peer.next('auth')
    peer.restart()
    peer.send(`<success xmlns='${ns.sasl}'/>`)
    await peer.header()
    const header = streamHeader({ content: ns.server, from: 'fabrikam.com', id: 'brief', version: '1.0' })
    peer.send(`${header}<stream:features/></stream:stream>`)
    const error = await inside.next('message')
    expect(bounceOf(error)).toMatchObject({
      condition: 'remote-server-timeout',
      text: 'the connection to this domain was lost',
    })
  })
})
