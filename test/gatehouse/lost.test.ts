import { describe, expect, test } from 'vitest'
import type { Wire } from '../support/wire.ts'
import { accepted, connectedGateway, flood, juliet, received, romeo, tally } from './numbered.ts'

/*
 * No stream between servers is acknowledged. What is promised: what the kernel has taken counts as sent, and may be lost with
 * the connection; what it has not taken comes back, and what has not been sent yet goes over the next stream. No number
 * is lost behind one that came back.
 */
describe('what the kernel had not taken when the far end died, without having read it, comes back; the rest goes on', () => {
  test('of what is for a partner', async () => {
    const { server, inside, receiver } = await connectedGateway({ limits: { queueBytes: 100_000_000 } })
    receiver.pause()
    const sent = await flood(inside, juliet, romeo)
    receiver.reset()
    const next = await accepted(server)
    await received(1, () => [inside])
    const { bounced } = tally(inside)
    await received(sent - bounced[0]!, () => [inside, next])
    expectUnbroken(tally(inside).bounced, tally(next).delivered, sent)
    expect(conditionsIn(inside)).toEqual(['remote-server-timeout'])
  })

  test('of what is for the inside', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({
      limits: { queueBytes: 100_000_000 },
    })
    inside.pause()
    const sent = await flood(sender, romeo, juliet)
    inside.reset()
    await inside.closed()
    const next = await gateway.inside.component('fabrikam.com')
    await received(1, () => [receiver])
    const { bounced } = tally(receiver)
    await received(sent - bounced[0]!, () => [receiver, next])
    expectUnbroken(tally(receiver).bounced, tally(next).delivered, sent)
    expect(conditionsIn(receiver)).toEqual(['remote-server-timeout'])
  })
})

/** From the first number that came back on, each one came back or was delivered, once. */
function expectUnbroken(bounced: readonly number[], delivered: readonly number[], sent: number): void {
  const first = bounced[0]!
  const all = [...bounced, ...delivered].toSorted((one, other) => one - other)
  expect(all).toEqual(Array.from({ length: sent - first }, (_, index) => first + index))
  expect(delivered).toEqual(delivered.toSorted((one, other) => one - other))
  expect(delivered.length).toBeGreaterThan(0)
}

function conditionsIn(wire: Wire): string[] {
  const conditions = wire.untaken.flatMap(({ children }) =>
    children.filter(({ name }) => name === 'error').map(({ children: [condition] }) => condition!.name),
  )
  return [...new Set(conditions)]
}
