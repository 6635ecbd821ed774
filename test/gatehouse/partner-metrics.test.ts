import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { PartnerEntry } from '../support/gateway-process.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const fabrikam = { primaryDomain: 'fabrikam.com', additionalDomains: ['corp.fabrikam.com'] }
const northwind = {
  primaryDomain: 'northwind.example',
  partnerType: 'publicVerified',
  saslNegotiation: 'notSupported',
}
const usual = [
  'internal-server-error',
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
]

/** The lines of the metrics that bear a partner's name, without what all of them begin with. */
function linesOf(gateway: RunningGateway, partner: string): string[] {
  return gateway.metrics
    .render()
    .split('\n')
    .filter(line => line.includes(`partner="${partner}"`))
    .map(line => line.replace('gatehouse_partner_', '').replace(`partner="${partner}"`, ''))
}

const bounceAt = (reason: string, value: number) => `bounces_total{,reason="${reason}"} ${value}`
const lastSuccess = (gateway: RunningGateway, direction: string): number =>
  gateway.metric(
    `gatehouse_partner_last_success_timestamp_seconds{partner="fabrikam.com",direction="${direction}"}`,
  )

/** The gateway echoes it: an answer for the partner waits for a stream. */
async function sendsMessage(gateway: RunningGateway, domain: string): Promise<WirePeer> {
  const peer = await gateway.connect(gateway.identity(domain))
  await peer.authenticates()
  peer.send(`<message from='romeo@${domain}/x' to='echo@contoso.com' id='1'><body>hi</body></message>`)
  return peer
}

async function reloads(gateway: RunningGateway, partners: readonly PartnerEntry[]): Promise<void> {
  const entries = partners.map(entry => ({ partnerType: 'federated', ...entry }))
  writeFileSync(gateway.folder.at('config/partners.yaml'), JSON.stringify({ partners: entries }))
  await gateway.gatehouse.reload(gateway.folder.load())
}

describe('the metrics of a partner', () => {
  test('are there before anything has happened', async () => {
    const gateway = await startGateway({ partners: [fabrikam, northwind] })
    expect(linesOf(gateway, 'northwind.example')).toEqual([
      'up{,direction="in"} 0',
      'up{,direction="out"} 0',
      'streams{,direction="in",method="dialback-tls"} 0',
      'streams{,direction="out",method="dialback-tls"} 0',
      'queue_stanzas{} 0',
      'queue_age_seconds{} 0',
      ...usual.map(reason => bounceAt(reason, 0)),
    ])
    expect(linesOf(gateway, 'fabrikam.com')).toContain(
      'streams{,direction="in",method="sasl-external-tls"} 0',
    )
    expect(gateway.metrics.render()).not.toContain('corp.fabrikam.com')
  })

  test('tell its streams, what waits for one and how long, and when one was authenticated last', async () => {
    const gateway = await startGateway({ partners: [fabrikam] })
    const startedAt = Math.floor(Date.now() / 1000)
    const server = await gateway.serve(gateway.identity('corp.fabrikam.com'))
    const sender = await sendsMessage(gateway, 'corp.fabrikam.com')
    const receiver = await server.next()
    const waiting = linesOf(gateway, 'fabrikam.com')
    expect(waiting).toEqual(
      expect.arrayContaining([
        'up{,direction="in"} 1',
        'up{,direction="out"} 0',
        'streams{,direction="in",method="sasl-external-tls"} 1',
        'streams{,direction="out",method="sasl-external-tls"} 0',
        'queue_stanzas{} 1',
      ]),
    )
    const age = gateway.metric('gatehouse_partner_queue_age_seconds{partner="fabrikam.com"}')
    expect(age).toBeGreaterThan(0)
    expect(age).toBeLessThan(20)
    expect(() => lastSuccess(gateway, 'out')).toThrow('no metric')

    await receiver.accepts()
    await receiver.next('message')
    expect(linesOf(gateway, 'fabrikam.com')).toEqual(
      expect.arrayContaining([
        'up{,direction="out"} 1',
        'streams{,direction="out",method="sasl-external-tls"} 1',
        'queue_stanzas{} 0',
        'queue_age_seconds{} 0',
      ]),
    )
    expect(gateway.metric('gatehouse_queue_wait_seconds_count')).toBe(1)
    expect(gateway.metric('gatehouse_queue_wait_seconds_sum')).toBeGreaterThanOrEqual(age)
    sender.reset()
    await gateway.event('stream.closed', ({ direction }) => direction === 'in')
    expect(linesOf(gateway, 'fabrikam.com')).toContain('up{,direction="in"} 0')
    for (const direction of ['in', 'out']) {
      expect(lastSuccess(gateway, direction)).toBeGreaterThanOrEqual(startedAt)
      expect(lastSuccess(gateway, direction)).toBeLessThanOrEqual(Date.now() / 1000)
    }
  })

  test('name whose certificate it is by the list in force', async () => {
    const gateway = await startGateway({ partners: [fabrikam] })
    await (await gateway.connect(gateway.identity('corp.fabrikam.com'))).authenticates()
    const named = () =>
      gateway.metrics.render().match(/^gatehouse_partner_certificate_expiry_seconds\{.+\}/gm)
    const of = (partner: string) => [
      `gatehouse_partner_certificate_expiry_seconds{partner="${partner}",domain="corp.fabrikam.com"}`,
    ]
    expect(named()).toEqual(of('fabrikam.com'))
    await reloads(gateway, [{ primaryDomain: 'fabrikam.com' }, { primaryDomain: 'corp.fabrikam.com' }])
    expect(named()).toEqual(of('corp.fabrikam.com'))
  })

  test('count what came back, by reason, until it is removed from the list', async () => {
    const gateway = await startGateway({ partners: [fabrikam, { primaryDomain: 'northwind.example' }] })
    await sendsMessage(gateway, 'northwind.example') // DNS knows nothing of it
    await gateway.event('stream.refused', ({ direction }) => direction === 'out')
    const northwinds = linesOf(gateway, 'northwind.example')
    expect(northwinds).toContain(bounceAt('remote-server-not-found', 1))
    expect(northwinds).toContain(bounceAt('remote-server-timeout', 0))
    expect(linesOf(gateway, 'fabrikam.com')).toContain(bounceAt('remote-server-not-found', 0))

    await reloads(gateway, [fabrikam])
    expect(linesOf(gateway, 'northwind.example')).toEqual([])
    await reloads(gateway, [fabrikam, { primaryDomain: 'northwind.example' }])
    expect(linesOf(gateway, 'northwind.example')).toEqual(
      expect.arrayContaining([...usual.map(reason => bounceAt(reason, 0)), 'up{,direction="in"} 0']),
    )
  })
})
