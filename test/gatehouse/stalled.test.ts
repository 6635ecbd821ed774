import { describe, expect, test } from 'vitest'
import { bounceOf, connectedGateway, juliet, messages, received, romeo, tally } from './numbered.ts'

const padding = 'x'.repeat(32_768)

describe('a far end that takes nothing of what waits for it is dropped after timeouts.queue, and what waited comes back', () => {
  test('where it is a partner', async () => {
    const { gateway, inside, receiver } = await connectedGateway({ timeouts: { queue: '200ms' } })
    receiver.pause()
    inside.send(messages(juliet, romeo, 0, 500, padding))
    const { reason } = await gateway.event('stream.closed', ({ direction }) => direction === 'out')
    expect(reason).toBe('connection lost: the peer has taken nothing for 0.2 s')
    await received(1, () => [inside])
    expect(tally(inside).bounced[0]).toBeGreaterThan(0)
    expect(bounceOf(inside.untaken[0]!)).toMatchObject({
      condition: 'remote-server-timeout',
      text: 'the connection to this domain was lost',
    })
  })

  test('where it is the server inside', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({ timeouts: { queue: '200ms' } })
    inside.pause()
    sender.send(messages(romeo, juliet, 0, 500, padding))
    const { reason } = await gateway.event('internal.disconnected')
    expect(reason).toMatch(/the peer has taken nothing for 0.2 s$/)
    await received(1, () => [receiver])
    expect(bounceOf(receiver.untaken[0]!)).toMatchObject({ condition: 'remote-server-timeout' })
  })
})
