import { describe, expect, test } from 'vitest'
import { whyOf } from '../support/broken-partners.ts'
import { daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'
import { closedPort } from '../transport/dialer-fixture.ts'

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
const fabrikam = { primaryDomain: 'fabrikam.com' }
const byDialback = { ...fabrikam, saslNegotiation: 'notSupported', dialbackNegotiation: true }

type Came = (gateway: RunningGateway) => Promise<unknown>

/** A partner that comes to us and does not get in, and what is told of it. */
const cases: readonly [string, string, object, Came][] = [
  [
    'with an expired certificate, and EXTERNAL',
    'certificate-expired',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
      await peer.opensSecurely()
      await peer.sendsExternal()
      peer.end('</stream:stream>')
    },
  ],
  [
    'with an expired certificate, which leaves as it is not offered EXTERNAL',
    'certificate-expired',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
      await peer.opensSecurely()
      peer.end('</stream:stream>')
    },
  ],
  [
    'with a good certificate, and does nothing until its time is over',
    'establishment-timeout',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect()
      await peer.opensSecurely()
      await peer.isClosedWith('connection-timeout')
    },
  ],
  [
    'with a certificate of another domain, and falls back on dialback',
    'certificate-wrong-name',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect(gateway.identity('fabrikam.com', { names: { dns: ['a.example'] } }))
      await peer.opensSecurely()
      peer.sendKey('the-key')
      peer.end('</stream:stream>')
    },
  ],
  [
    'with dialback, which its policy does not permit',
    'dialback-not-permitted',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect()
      await peer.opensSecurely()
      peer.sendKey('the-key')
      await peer.isClosedWith('connection-timeout')
    },
  ],
  [
    'with a key that its own server denies',
    'dialback-key-denied',
    byDialback,
    async gateway => {
      const server = await gateway.serve()
      const peer = await gateway.connect()
      await peer.opensSecurely()
      peer.sendKey('the-key')
      const authoritative = await server.next()
      await authoritative.greetsSecurely(['dialback'])
      await authoritative.judges('invalid')
      await peer.keyAnswer()
      peer.end('</stream:stream>')
    },
  ],
  [
    'with a key, and its own server is down',
    'dialback-unverified',
    byDialback,
    async gateway => {
      gateway.zone.federate('fabrikam.com', { port: await closedPort() })
      const peer = await gateway.connect()
      await peer.opensSecurely()
      peer.sendKey('the-key')
      await peer.keyAnswer()
      peer.end('</stream:stream>')
    },
  ],
  [
    'for a domain that is not ours',
    'unknown-local-domain',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect({ ...gateway.identity(), local: 'elsewhere.example' })
      peer.sendHeader()
      await peer.isClosedWith('host-unknown')
    },
  ],
  [
    'with a stanza before it has authenticated',
    'stanza-before-authentication',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect()
      await peer.opens()
      peer.send("<message from='a@fabrikam.com' to='b@contoso.com'/>")
      await peer.isClosedWith('not-authorized')
    },
  ],
  [
    'with what is not XML',
    'malformed-xml',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect()
      await peer.opens()
      peer.send('<a></b>')
      await peer.isClosedWith('not-well-formed')
    },
  ],
  [
    'and leaves',
    'peer-left',
    fabrikam,
    async gateway => {
      const peer = await gateway.connect()
      await peer.opens()
      peer.end('</stream:stream>')
    },
  ],
]

describe('a partner that comes', () => {
  test.each(cases)('%s is explained as %s, everywhere alike', async (_, code, policy, come) => {
    const settings = { timeouts: { streamEstablishment: '700ms' } }
    const gateway = await startGateway({ partners: [policy as typeof fabrikam], settings })
    await come(gateway)
    expect(await gateway.event('stream.closed', ({ direction }) => direction === 'in')).toMatchObject({
      code,
    })
    expect(gateway.metric(`gatehouse_stream_failures_total{direction="in",code="${code}"}`)).toBe(1)
    const { failures, lastFailure, meaning } = await whyOf(gateway, 'fabrikam.com')
    expect(failures).toContainEqual(expect.objectContaining({ code, direction: 'in', count: 1 }))
    if (lastFailure?.direction !== 'in') return
    expect(lastFailure).toMatchObject({ remote: 'fabrikam.com', outcome: { is: 'failed', code } })
    expect(lastFailure.steps[0]).toMatchObject({ step: 'accepted', address: '127.0.0.1' })
    expect(meaning).toMatchObject({ code })
  })

  test('is up in the end, and so it says', async () => {
    const gateway = await startGateway()
    const broken = await gateway.connect(gateway.identity('fabrikam.com', expired))
    await broken.opensSecurely()
    broken.end('</stream:stream>')
    await gateway.event('stream.closed')
    const peer = await gateway.connect()
    await peer.authenticates()
    const why = await whyOf(gateway, 'fabrikam.com')
    expect(why).toMatchObject({
      state: {
        streams: [{ direction: 'in', method: 'sasl-external-tls', remote: 'fabrikam.com' }],
        waiting: 0,
      },
      lastSuccess: { direction: 'in', closed: null },
      failures: [{ code: 'certificate-expired' }],
      isMended: true,
    })
    const { out } = await runCommand(['why', 'fabrikam.com', '--all', '--config', gateway.folder.file])
    expect(out).toMatch(
      /Now .*in \(fabrikam\.com to contoso\.com\) up by sasl-external-tls since 20.*; out down/,
    )
    expect(out).toMatch(/It has worked since\./)
    expect(out).toMatch(
      /certificate is NOT valid\n +certificate-expired: certificate of fabrikam\.com expired on/,
    )
    peer.end('</stream:stream>')
    await gateway.event('stream.closed', ({ code }) => code === 'peer-closed')
    expect((await whyOf(gateway, 'fabrikam.com')).lastSuccess).toMatchObject({
      closed: { side: 'peer', code: 'peer-closed' },
    })
  })

  test.each<[string, string, (gateway: RunningGateway, peer: WirePeer) => unknown]>([
    ['leaves', 'peer-closed', (_, peer) => peer.end('</stream:stream>')],
    ['stays until its time is over', 'idle', (_, peer) => peer.isClosedWith('connection-timeout')],
    ['stays until the gateway stops', 'shutdown', gateway => gateway.gatehouse.stop()],
  ])('only to ask about a key of ours, and %s, has not failed', async (_, code, end) => {
    const settings = { timeouts: { streamEstablishment: '700ms', shutdown: '100ms' } }
    const gateway = await startGateway({ partners: [byDialback], settings })
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.send("<db:verify from='fabrikam.com' to='contoso.com' id='x'>no key of ours</db:verify>")
    await peer.next('verify')
    await end(gateway, peer)
    expect(await gateway.event('stream.closed')).toMatchObject({ code })
    const { status, out } = await runCommand([
      'why',
      'fabrikam.com',
      '--json',
      '--config',
      gateway.folder.file,
    ])
    const { failures, attempts, lastSuccess } = JSON.parse(out)
    expect([status, failures, attempts]).toEqual([0, [], 1])
    expect(lastSuccess).toMatchObject({ purpose: 'verification', closed: { code } })
  })
})

describe('who is nobody’s partner', () => {
  test('is told as such, with what he tried', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity('stranger.example'))
    peer.sendHeader()
    await peer.isClosedWith('policy-violation')
    await gateway.event('stream.closed')
    expect(await whyOf(gateway, 'stranger.example')).toMatchObject({
      partner: null,
      state: null,
      attempts: 1,
      failures: [{ code: 'not-a-partner', count: 1 }],
      meaning: { code: 'not-a-partner' },
    })
    const { out } = await runCommand(['why', 'stranger.example', '--config', gateway.folder.file])
    expect(out).toMatch(/^stranger\.example is not a partner/)
    expect((await whyOf(gateway, 'never.example')).attempts).toBe(0)
    expect(await runCommand(['why', 'not a domain', '--config', gateway.folder.file])).toMatchObject({
      status: 2,
    })
  })
})
