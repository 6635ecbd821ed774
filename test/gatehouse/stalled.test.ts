import { describe, expect, test, vi } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import {
  accepted,
  bounceOf,
  connectedGateway,
  juliet,
  message,
  messages,
  received,
  romeo,
  tally,
} from './numbered.ts'

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

// So an ejabberd inside does that spreads several hosts over one listener.
describe('a partner that takes nothing, where the inside sends for another on the same stream,', () => {
  test('holds the other up for timeouts.queue and no longer; all arrives or comes back', async () => {
    const mercutio = 'mercutio@adatum.com/street'
    const gateway = await startGateway({
      partners: [{ primaryDomain: 'fabrikam.com' }, { primaryDomain: 'adatum.com' }],
      inside: 'component',
      settings: { timeouts: { queue: '1s' } },
    })
    const server = await gateway.serve()
    const adatum = await gateway.serve(gateway.identity('adatum.com'))
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message('hello', juliet, romeo) + message('hello', juliet, mercutio))
    const [idle, other] = await Promise.all([accepted(server), accepted(adatum)])
    await Promise.all([idle.next('message'), other.next('message')])

    idle.pause()
    inside.send(messages(juliet, romeo, 0, 500, padding) + messages(juliet, mercutio, 0, 10))
    const { reason } = await gateway.event('stream.closed', ({ remote }) => remote === 'fabrikam.com')
    expect(reason).toBe('connection lost: the peer has taken nothing for 1 s')
    expect(tally(other).delivered).toEqual([]) // until then they were held up
    const again = await accepted(server) // for what was still to be read from the inside
    await received(10, () => [other])
    expect(tally(other).delivered).toEqual(Array.from({ length: 10 }, (_, number) => number))

    idle.resume() // what the kernel had taken
    await vi.waitFor(() => {
      const { delivered, bounced } = tally(idle, again, inside)
      expect(new Set([...delivered, ...bounced]).size).toBe(500)
      expect(bounced.length).toBeGreaterThan(0)
    }, 8_000)
  })
})
