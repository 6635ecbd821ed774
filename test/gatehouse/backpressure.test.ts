import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import {
  accepted,
  connectedGateway,
  flood,
  juliet,
  message,
  messages,
  received,
  romeo,
  tally,
} from './numbered.ts'

const mib = 2 ** 20
// What is in flight inside of the gateway: one read, one batch, and what Node keeps around them.
const mostHeld = 8 * mib

describe('a flood', () => {
  test('from a partner stalls while the inside does not read, and arrives in order once it does', async () => {
    const { gateway, inside, sender } = await connectedGateway()
    inside.pause()
    const before = held()
    const sent = await flood(sender, romeo, juliet)
    await holdsNoMore(before + mostHeld)
    expect(tally(inside).delivered).toEqual([])
    inside.resume()
    await received(sent, () => [inside])
    expect(tally(inside).delivered).toEqual(upTo(sent))
    expect(gateway.events('internal.disconnected')).toEqual([])
  })

  test('from the inside stalls while the partner does not read, and arrives in order once it does', async () => {
    const { inside, receiver } = await connectedGateway()
    receiver.pause()
    const before = held()
    const sent = await flood(inside, juliet, romeo)
    await holdsNoMore(before + mostHeld)
    receiver.resume()
    await received(sent, () => [receiver])
    expect(tally(receiver).delivered).toEqual(upTo(sent))
  })

  test('to a partner who does not read holds up no other partner', async () => {
    const { gateway, inside, receiver } = await connectedGateway()
    receiver.pause()
    await flood(inside, juliet, romeo)
    const sender = await gateway.connect()
    await sender.authenticates()
    sender.send(messages(romeo, juliet, 0, 10))
    await received(10, () => [inside])
  })

  test('of questions to the built-in echo stalls while the answers are not read, and is answered once they are', async () => {
    const gateway = await startGateway()
    const server = await gateway.serve()
    const sender = await gateway.connect()
    await sender.authenticates()
    sender.send(message('hello', romeo, 'echo@contoso.com'))
    const receiver = await accepted(server)
    await receiver.next('message')
    receiver.pause()
    const sent = await flood(sender, romeo, 'echo@contoso.com')
    receiver.resume()
    await received(sent, () => [receiver])
    expect(tally(receiver).delivered).toEqual(upTo(sent))
  })

  test('of errors that its cause does not read is not kept: memory stays bounded', async () => {
    const nowhere = {
      connector: 'component',
      host: '127.0.0.1',
      port: await closedPort(),
      secret: 'nobody’s',
    }
    const limits = { queueStanzas: 1, queueBytes: 100_000 }
    const gateway = await startGateway({ settings: { internal: nowhere, limits } })
    const server = await gateway.serve()
    const sender = await gateway.connect()
    await sender.authenticates()
    sender.send(messages(romeo, juliet, 0, 2)) // one waits, the other comes back
    const receiver = await accepted(server)
    await receiver.next('message')
    receiver.pause()
    const long = 'i'.repeat(8_000)
    const round = Buffer.from(`<message id='${long}' from='${romeo}' to='${juliet}'/>`.repeat(100))
    const before = held()
    await sender.pour(round, 48 * mib)
    await holdsNoMore(before + 2 * mostHeld)
  })
})

/** Freed memory shows a while later. */
async function holdsNoMore(bytes: number): Promise<void> {
  await vi.waitFor(() => expect(held()).toBeLessThan(bytes), { timeout: 3_000, interval: 50 })
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes in use on the heap and outside of it, once everything that can be is collected. */
function held(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
