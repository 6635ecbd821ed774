import { describe, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type PeerIdentity, WireServer } from '../support/wire-peer.ts'
import type { ZoneRecord } from '../support/zone.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { bounceOf, juliet, message, romeo } from './numbered.ts'

const starttls = '_xmpp-server._tcp.fabrikam.com SRV'
const directTls = '_xmpps-server._tcp.fabrikam.com SRV'

/** A record of this priority, for a server on this machine. */
function at(port: number, priority: number): ZoneRecord {
  return { port, priority, target: 'xmpp.fabrikam.com' }
}

/** A gateway with a server inside, and a DNS zone where xmpp.fabrikam.com is this machine. */
async function start(options: Parameters<typeof startGateway>[0] = {}): Promise<RunningGateway> {
  const gateway = await startGateway({ inside: 'component', ...options })
  gateway.zone.set('xmpp.fabrikam.com A', ['127.0.0.1'])
  return gateway
}

async function send(gateway: RunningGateway, number: number): Promise<void> {
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message(number, juliet, romeo))
}

async function bounced(gateway: RunningGateway, number: number) {
  return bounceOf(await gateway.inside.stanza('fabrikam.com', String(number)))
}

const listen = (gateway: RunningGateway, identity: PeerIdentity = gateway.identity()) =>
  WireServer.listen(identity)

describe('a partner whose first server', () => {
  test('is down gets our stanzas at the next one', async () => {
    const gateway = await start()
    const [first, last] = [await listen(gateway), await listen(gateway)]
    const dead = await closedPort()
    gateway.zone.set(starttls, [at(last.port, 30), at(dead, 10), at(first.port, 20)])
    await send(gateway, 1)
    const peer = await first.next()
    await peer.accepts()
    await peer.next('message')
    expect(last.count()).toBe(0)
    expect(gateway.events('stream.refused')).toEqual([])
    const noted = gateway.log.lines.filter(({ message }) => message === 'partner noted')
    expect(noted.map(({ fields }) => fields['reason'])).toEqual([
      expect.stringMatching(
        `^a server of the partner was passed over: xmpp.fabrikam.com port ${dead}: .*ECONNREFUSED`,
      ),
    ])
  })

  test.each<[string, (gateway: RunningGateway) => PeerIdentity, boolean]>([
    ['drops the stream', gateway => gateway.identity(), true],
    [
      'shows a certificate of another name',
      gateway => ({ ...gateway.identity('adatum.com'), domain: 'fabrikam.com' }),
      false,
    ],
  ])('%s gets them at the next one, and the log says why', async (_, identify, isDropped) => {
    const gateway = await start()
    const [broken, sound] = [await listen(gateway, identify(gateway)), await listen(gateway)]
    gateway.zone.set(starttls, [at(sound.port, 20), at(broken.port, 10)])
    await send(gateway, 1)
    const met = await broken.next()
    if (isDropped) await met.header().then(() => met.reset())
    else await met.greetsSecurely(['external'])
    const peer = await sound.next()
    await peer.accepts()
    await peer.next('message')
    const refused = await gateway.event('stream.refused')
    expect(refused).toMatchObject({ direction: 'out', remote: 'fabrikam.com' })
    expect(refused.reason).toMatch(isDropped ? /connection/ : /for fabrikam\.com is for adatum\.com/)
  })

  test('speaks direct TLS gets them there, or by STARTTLS where that is first (XEP-0368 §3)', async () => {
    const gateway = await start()
    const [direct, other] = [await listen(gateway), await listen(gateway)]
    gateway.zone.set(directTls, [at(await closedPort(), 10), at(direct.port, 20)])
    gateway.zone.set(starttls, [at(await closedPort(), 15), at(other.port, 30)])
    await send(gateway, 1)
    const peer = await direct.next()
    await peer.acceptsTls({ ALPNProtocols: ['xmpp-server'] })
    await peer.greets(['external'])
    await peer.takesExternal()
    await peer.next('message')
    expect(other.count()).toBe(0)
  })

  test('speaks direct TLS, where the policy has no TLS, gets them at the next one', async () => {
    const clear = {
      tlsNegotiation: 'notSupported',
      saslNegotiation: 'notSupported',
      dialbackNegotiation: true,
    }
    const gateway = await start({ partners: [{ primaryDomain: 'fabrikam.com', ...clear }] })
    const [direct, other] = [await listen(gateway), await listen(gateway)]
    gateway.zone.set(directTls, [at(direct.port, 10)])
    gateway.zone.set(starttls, [at(other.port, 20)])
    await send(gateway, 1)
    const peer = await other.next()
    await peer.greets(['dialback'])
    await peer.takesKey()
    await peer.next('message')
    expect(direct.count()).toBe(0)
  })
})

describe('a message to a partner', () => {
  test('of whom DNS says nothing at all comes back as a time-out, not as not found', async () => {
    const gateway = await start({ settings: { dns: { timeout: '300ms' } } })
    for (const service of [starttls, directTls]) gateway.zone.set(service, 'drop')
    await send(gateway, 1)
    expect(await bounced(gateway, 1)).toMatchObject({ condition: 'remote-server-timeout' })
  })

  test.each<[string, (gateway: RunningGateway) => Promise<unknown>]>([
    ['the configuration is reloaded', gateway => gateway.gatehouse.reload(gateway.folder.load())],
    ['he connects to us', gateway => gateway.connect().then(peer => peer.authenticates())],
  ])('in back-off waits for its end, which comes early when %s', async (_, befalls) => {
    const gateway = await start()
    gateway.zone.set(starttls, 'SERVFAIL')
    await send(gateway, 1)
    expect(await bounced(gateway, 1)).toMatchObject({ condition: 'remote-server-timeout' })
    const server = await gateway.serve()
    await send(gateway, 2)
    await expect(gateway.inside.component('fabrikam.com').then(inside => inside.untaken)).resolves.toEqual([])
    expect(server.count()).toBe(0)
    await befalls(gateway)
    const peer = await server.next()
    await peer.accepts()
    expect((await peer.next('message')).attributes['id']).toBe('2')
  })
})
