import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import { startTlsThrough } from '../support/tls-server.ts'
import { listen, type Wire } from '../support/wire.ts'
import {
  accepted,
  answerTheEnd,
  bounceOf,
  connectedGateway,
  expectEachOnce,
  flood,
  juliet,
  message,
  messages,
  nextTurn,
  received,
  romeo,
  tally,
} from './numbered.ts'

const shutdown = { timeouts: { shutdown: '1s' } }

describe('a stop', () => {
  test('under load in both directions loses nothing, and takes no longer than it must', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway(shutdown)
    for (const wire of [inside, receiver, sender]) answerTheEnd(wire)
    const fromPartner = keepSending(sender, romeo, juliet)
    const fromInside = keepSending(inside, juliet, romeo)
    await received(200, () => [inside])
    const startMs = performance.now()
    await gateway.gatehouse.stop()
    expect(performance.now() - startMs).toBeLessThan(1_000)
    const [inward, outward] = await Promise.all([fromPartner, fromInside])
    await Promise.all([inside.closed(), receiver.closed(), sender.closed()])
    expectEachOnce(inward, tally(inside).delivered, tally(receiver).bounced)
    expectEachOnce(outward, tally(receiver).delivered, tally(inside).bounced)
    for (const wire of [receiver, sender]) expect(wire.text).toContain('<system-shutdown ')
  })

  test('bounces what a partner does not read, and what lies behind it, while the inside is there', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({ timeouts: { shutdown: '5s' } })
    for (const wire of [inside, sender]) answerTheEnd(wire)
    receiver.pause()
    const sent = await flood(inside, juliet, romeo)
    await gateway.gatehouse.stop()
    const { bounced } = tally(inside)
    expect(bounced).toEqual(Array.from({ length: sent - bounced[0]! }, (_, index) => bounced[0]! + index))
    expect(gateway.events('stream.closed')).toHaveLength(2)
  })

  test('bounces what the inside does not read, while partners are there', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway(shutdown)
    for (const wire of [receiver, sender]) answerTheEnd(wire)
    inside.pause()
    await flood(sender, romeo, juliet)
    await gateway.gatehouse.stop()
    await receiver.closed()
    const { bounced } = tally(receiver)
    const count = (outcome: string) =>
      gateway.metric(`gatehouse_stanzas_total{direction="in",kind="message",outcome="${outcome}"}`)
    const [first, length] = [count('relayed'), count('bounced')]
    expect(bounced).toEqual(Array.from({ length }, (_, index) => first + index))
  })

  test('bounces what waits for the inside, over a stream that is opened for it', async () => {
    const { gateway, server, inside, receiver, sender } = await connectedGateway(shutdown)
    receiver.end('</stream:stream>')
    await receiver.closed()
    inside.end('</stream:stream>')
    await gateway.event('internal.disconnected')
    sender.send(message(1, romeo, juliet))
    answerTheEnd(sender)
    const back = accepted(server).then(peer => {
      answerTheEnd(peer)
      return peer.next('message')
    })
    await gateway.gatehouse.stop()
    expect(bounceOf(await back)).toMatchObject({ id: '1', condition: 'remote-server-timeout' })
  })

  test('bounces what waits for a partner', async () => {
    const { gateway, server, inside, receiver, sender } = await connectedGateway(shutdown)
    for (const wire of [inside, sender]) answerTheEnd(wire)
    receiver.end('</stream:stream>')
    await receiver.closed()
    inside.send(messages(juliet, romeo, 0, 3))
    await server.next()
    await gateway.gatehouse.stop()
    expect(tally(inside).bounced).toEqual([0, 1, 2])
  })

  test('is no failure of a partner whose TLS handshake hangs', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const hello = Promise.withResolvers<Buffer>()
    await startTlsThrough(gateway, await listen(socket => void socket.once('data', hello.resolve)))
    const inside = await gateway.inside.component('fabrikam.com')
    answerTheEnd(inside)
    inside.send(message(1, juliet, romeo))
    await hello.promise
    await gateway.gatehouse.stop()
    expect(tally(inside).bounced).toEqual([1])
    expect(gateway.events('stream.refused')).toEqual([])
    expect(gateway.events('stream.closed')).toMatchObject([{ direction: 'out', code: 'shutdown' }])
  })

  test('ends in time whoever does not answer, and leaves no socket behind', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({ timeouts: { shutdown: '1s' } })
    const silent = await gateway.connect(gateway.identity(), { directTls: true })
    const greeted = await gateway.connect()
    await greeted.opens()
    const startMs = performance.now()
    await Promise.all([gateway.gatehouse.stop(), gateway.gatehouse.stop()])
    expect(performance.now() - startMs).toBeLessThan(2_000)
    await Promise.all([silent, greeted, inside, receiver, sender].map(wire => wire.halfClose()))
    await expect(gateway.connect()).rejects.toThrow('ECONNREFUSED')
  })
})

/** Sends message after message until the far end ends the stream. @returns how many were sent */
async function keepSending(wire: Wire, from: string, to: string): Promise<number> {
  let hasEnded = false
  void wire.streamEnd(20_000).then(() => {
    hasEnded = true
  })
  let sent = 0
  for (; !hasEnded; sent += 20) {
    wire.send(messages(from, to, sent, 20))
    await nextTurn()
  }
  return sent
}
