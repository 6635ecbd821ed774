import { describe, expect, test } from 'vitest'
import { probeOf } from '../support/broken-partners.ts'
import { daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { serve } from '../support/profiled-peer.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { bounceOf, juliet, message, romeo } from './numbered.ts'

const accepting = { tls: 'required', certificate: 'valid', external: 'accepted', dialback: false } as const
const service = '_xmpp-server._tcp.fabrikam.com SRV'

/** A gateway with a server inside, whose stanzas wait for no back-off. */
function start(): Promise<RunningGateway> {
  return startGateway({ inside: 'component', settings: { timeouts: { queue: '1s' } } })
}

async function send(gateway: RunningGateway, id: string): Promise<void> {
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message(id, juliet, romeo))
}

/** Sends a message that comes back, and tells by which condition. */
async function fails(gateway: RunningGateway, id: string): Promise<string | undefined> {
  await send(gateway, id)
  return bounceOf(await gateway.inside.stanza('fabrikam.com', id)).condition
}

/** Publishes a server where a real stream has just found none, or a dead one. */
async function mends(gateway: RunningGateway) {
  return serve(gateway, gateway.identity(), accepting)
}

describe('a probe asks DNS anew', () => {
  test.each<[string, (gateway: RunningGateway) => Promise<void>, string]>([
    ['no service was there', async () => {}, 'remote-server-not-found'],
    [
      'a server that is gone was there',
      async ({ zone }) => zone.federate('fabrikam.com', { port: await closedPort() }),
      'remote-server-timeout',
    ],
  ])('where %s; real streams learn what it has found, and try again', async (_, breaks, condition) => {
    const gateway = await start()
    await breaks(gateway)
    expect(await fails(gateway, 'one')).toBe(condition)
    const { stanza } = await mends(gateway)
    expect(await fails(gateway, 'in back-off')).toBe(condition)
    expect(await probeOf(gateway, 'fabrikam.com')).toMatchObject({ status: 0 })
    await send(gateway, 'two')
    expect((await stanza).attributes['id']).toBe('two')
    expect(gateway.zone.countOf(service)).toBe(2)
  })

  test('and changes nothing where it fails', async () => {
    const gateway = await start()
    expect(await fails(gateway, 'one')).toBe('remote-server-not-found')
    gateway.zone.federate('fabrikam.com', { port: await closedPort() })
    const { lines } = await probeOf(gateway, 'fabrikam.com')
    expect(lines.at(-1)).toMatchObject({ outcome: { outcome: { code: 'connect-refused' } } })
    // Still in back-off; and once that is over, the answer from before still holds.
    expect(await fails(gateway, 'two')).toBe('remote-server-not-found')
    const peer = await gateway.connect()
    await peer.authenticates()
    expect(await fails(gateway, 'three')).toBe('remote-server-not-found')
    expect(gateway.zone.countOf(service)).toBe(2)
  })

  test('as real streams do after a reload', async () => {
    const gateway = await start()
    expect(await fails(gateway, 'one')).toBe('remote-server-not-found')
    const { stanza } = await mends(gateway)
    await gateway.gatehouse.reload(gateway.folder.load())
    await send(gateway, 'two')
    expect((await stanza).attributes['id']).toBe('two')
  })

  test('while a real stream says that it did not', async () => {
    const gateway = await start()
    gateway.zone.federate('fabrikam.com', { port: await closedPort() })
    expect(await fails(gateway, 'one')).toBe('remote-server-timeout')
    const told = () => runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect((await told()).out).not.toContain('cache')
    const peer = await gateway.connect()
    await peer.authenticates()
    expect(await fails(gateway, 'two')).toBe('remote-server-timeout')
    expect((await told()).out).toMatch(/DNS \S+ SRV: 0 0 \d+ xmpp\.fabrikam\.com \(from the cache\)\n/)
    const { out } = await runCommand(['probe', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toContain('xmpp.fabrikam.com')
    expect(out).not.toContain('cache')
  })
})

test('a probe does not count as a certificate shown: neither in the metrics, nor for the warning', async () => {
  const gateway = await start()
  const identity = gateway.identity('fabrikam.com', { notAfter: daysFromNow(3.5) })
  const { stanza } = await serve(gateway, identity, accepting)
  const warnings = () => gateway.events('certificate.expiring').filter(({ owner }) => owner === 'partner')
  expect(await probeOf(gateway, 'fabrikam.com')).toMatchObject({ status: 0 })
  expect(gateway.metrics.render()).not.toContain('gatehouse_partner_certificate_expiry_seconds{')
  expect(warnings()).toEqual([])
  await send(gateway, 'one')
  await stanza
  expect(gateway.metrics.render()).toContain('gatehouse_partner_certificate_expiry_seconds{')
  expect(warnings()).toMatchObject([{ domain: 'fabrikam.com', daysLeft: 3 }])
})
