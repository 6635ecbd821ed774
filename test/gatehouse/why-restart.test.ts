import { describe, expect, test } from 'vitest'
import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { whyOf } from '../support/broken-partners.ts'
import { startGateway } from '../support/running-gateway.ts'
import { connectedGateway } from './numbered.ts'

const says = (condition: string) =>
  `${tag('stream:error', {}, tag(condition, { xmlns: ns.streams }))}</stream:stream>`

describe('a partner whose server is restarted', () => {
  test.each(['system-shutdown', 'reset'])(
    'and that ends its streams by %s has failed in neither direction',
    async condition => {
      const { gateway, receiver, sender } = await connectedGateway()
      for (const [wire, direction] of [
        [receiver, 'out'],
        [sender, 'in'],
      ] as const) {
        wire.end(says(condition))
        expect(await gateway.event('stream.closed', closed => closed.direction === direction)).toMatchObject({
          code: 'peer-closed',
          reason: expect.stringContaining(condition),
        })
      }
      expect(gateway.metrics.render()).not.toMatch(/^gatehouse_stream_failures_total\{.* [1-9]/m)
      const { isFailing, failures, ways } = await whyOf(gateway, 'fabrikam.com')
      expect({ isFailing, failures }).toEqual({ isFailing: false, failures: [] })
      expect(ways).toMatchObject([
        { lastSuccess: { closed: { side: 'peer', code: 'peer-closed' } } },
        { lastSuccess: { closed: { side: 'peer', code: 'peer-closed' } } },
      ])
    },
  )

  test('fails who is not yet authenticated, and it is told that its server was about to stop', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.end(says('system-shutdown'))
    expect(await gateway.event('stream.closed')).toMatchObject({ code: 'peer-stopping' })
    expect((await whyOf(gateway, 'fabrikam.com')).lastFailure).toMatchObject({
      outcome: { code: 'peer-stopping' },
      closed: { side: 'peer' },
    })
  })

  test('has got what it wanted where it only asked about a key', async () => {
    const partner = { primaryDomain: 'fabrikam.com', saslNegotiation: 'optional', dialbackNegotiation: true }
    const gateway = await startGateway({ partners: [partner] })
    const peer = await gateway.connect()
    await peer.opensSecurely()
    const names = { from: 'fabrikam.com', to: 'contoso.com', id: 'x' }
    peer.send(tag('db:verify', names, 'no key of ours'))
    await peer.next('verify')
    peer.end(says('system-shutdown'))
    expect(await gateway.event('stream.closed')).toMatchObject({ code: 'peer-closed' })
  })
})
