import { describe, expect, test, vi } from 'vitest'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { connectedGateway, juliet, messages, received, romeo } from './numbered.ts'

/** What became of stanzas of one kind; what is 0 is left out. */
function outcomes(gateway: RunningGateway, direction: 'in' | 'out', kind: string): Record<string, number> {
  const labels = `direction="${direction}",kind="${kind}",outcome=`
  return Object.fromEntries(
    ['relayed', 'bounced', 'dropped', 'refused', 'filtered']
      .map(outcome => [outcome, gateway.metric(`gatehouse_stanzas_total{${labels}"${outcome}"}`)] as const)
      .filter(([, count]) => count > 0),
  )
}
const bounces = (gateway: RunningGateway, reason: string): number =>
  gateway.metric(`gatehouse_partner_bounces_total{partner="fabrikam.com",reason="${reason}"}`)

describe('a stanza is counted', () => {
  test('as bounced, and not as relayed, where nobody gets it', async () => {
    const gateway = await startGateway({ inside: 'component' }) // DNS knows nothing of the partner
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(messages(juliet, romeo, 0, 10))
    await received(10, () => [inside])
    expect(outcomes(gateway, 'out', 'message')).toEqual({ bounced: 10 })
    expect(bounces(gateway, 'remote-server-not-found')).toBe(10)
  })

  test.each([
    ['an answer', `<iq type='result' from='${juliet}' to='${romeo}' id='0'/>`, 'iq'],
    ['presence', `<presence from='${juliet}' to='${romeo}'/>`, 'presence'],
    ['an error', `<message type='error' from='${juliet}' to='${romeo}' id='0'/>`, 'message'],
  ])('as dropped where nobody gets it, and it may not bounce: %s', async (_, stanza, kind) => {
    const gateway = await startGateway({ inside: 'component' })
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(stanza)
    await gateway.event('stream.refused')
    expect(outcomes(gateway, 'out', kind)).toEqual({ dropped: 1 })
    expect(bounces(gateway, 'remote-server-not-found')).toBe(0)
  })

  test('not at all while it waits for a stream, and as relayed once that has taken it', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(`${messages(juliet, romeo, 0, 3)}<presence from='${juliet}' to='${romeo}'/>`)
    const peer = await server.next()
    expect([
      outcomes(gateway, 'out', 'message'),
      gateway.metric('gatehouse_queue_stanzas{side="partner"}'),
    ]).toEqual([{}, 4])
    await peer.accepts()
    await received(3, () => [peer])
    await peer.find('presence', ({ name }) => name === 'presence')
    await vi.waitFor(() => {
      expect(outcomes(gateway, 'out', 'message')).toEqual({ relayed: 3 })
      expect(outcomes(gateway, 'out', 'presence')).toEqual({ relayed: 1 })
    })
  })

  test('as relayed in both directions, over streams that stand', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway()
    sender.send(messages(romeo, juliet, 0, 5))
    inside.send(messages(juliet, romeo, 0, 7))
    await received(5, () => [inside])
    await received(7, () => [receiver])
    await vi.waitFor(() => {
      expect(outcomes(gateway, 'in', 'message')).toEqual({ relayed: 5 })
      expect(outcomes(gateway, 'out', 'message')).toEqual({ relayed: 8 }) // and the first one
    })
  })
})
