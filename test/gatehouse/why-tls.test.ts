import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { attemptsOf, whyOf } from '../support/broken-partners.ts'
import { createAuthority } from '../support/certificates.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { startTlsClient, startTlsServer, startTlsThrough } from '../support/tls-server.ts'
import { dial } from '../support/wire.ts'
import { offers, WirePeer } from '../support/wire-peer.ts'
import { juliet, message } from './numbered.ts'

const elsewhere = createAuthority({ name: 'Another CA' }).certificatePem
const mistrust = ['-Verify', '5', '-verify_return_error']

type Reach = (gateway: RunningGateway, port: number) => Promise<unknown>

const directly: Reach = async ({ zone }, port) => {
  zone.set('_xmpps-server._tcp.fabrikam.com SRV', [{ port, target: 'xmpp.fabrikam.com' }])
  zone.set('_xmpp-server._tcp.fabrikam.com SRV', [{ port: 0, target: '.' }])
  zone.set('xmpp.fabrikam.com A', ['127.0.0.1'])
}

const ways = [
  ['by STARTTLS', startTlsThrough],
  ['with direct TLS', directly],
] as const satisfies readonly (readonly [string, Reach])[]

describe.each(ways)('a partner that we connect to %s', (_, reach) => {
  test.each([
    [
      'knows nothing newer than TLS 1.1',
      'tls-handshake-failed',
      /: tlsv1 alert protocol version$/,
      undefined,
      ['-tls1_1'],
    ],
    [
      'does not trust our certificate, in TLS 1.2',
      'our-certificate-refused',
      /: tlsv1 alert unknown ca$/,
      elsewhere,
      ['-tls1_2'],
    ],
    [
      'does not trust our certificate, in TLS 1.3',
      'our-certificate-refused',
      /: tlsv1 alert unknown ca$/,
      elsewhere,
      ['-tls1_3'],
    ],
  ] as const)('and that %s is explained as %s', async (_what, code, reason, trusts, [version]) => {
    const gateway = await startGateway({ inside: 'component' })
    const weak = version === '-tls1_1' ? ['-cipher', 'ALL:@SECLEVEL=0'] : mistrust
    const port = await startTlsServer(gateway, { ...(trusts && { trusts }), args: [version, ...weak] })
    await reach(gateway, port)
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message('one', juliet, 'romeo@fabrikam.com'))
    await inside.find('bounce', ({ attributes }) => attributes['id'] === 'one')
    const told = { code, reason: expect.stringMatching(reason) }
    await gateway.event('stream.refused')
    expect(gateway.events('stream.refused')).toMatchObject([told])
    expect(failuresOf(gateway)).toEqual([`{direction="out",code="${code}"} 1`])
    const { failures, lastFailure, meaning } = await whyOf(gateway, 'fabrikam.com')
    expect(failures).toMatchObject([{ code, count: 1 }])
    expect(lastFailure).toMatchObject({ outcome: { is: 'failed', ...told } })
    expect(meaning?.fault).toBe(code === 'our-certificate-refused' ? 'ours' : 'partner')
  })
})

/** What who connects does with TLS, what is made of it, and how it goes. */
const brokenHandshakes = [
  [
    'does not trust our certificate',
    'our-certificate-refused',
    (socket: Socket) => startTlsClient(socket, elsewhere),
  ],
  ['sends what is no TLS', 'tls-handshake-failed', async (socket: Socket) => void socket.write('<message/>')],
] as const

describe('a partner that connects to us by STARTTLS', () => {
  test.each(brokenHandshakes)('and that %s is explained as %s, once', async (_, code, goesOn) => {
    const gateway = await startGateway()
    const socket = await dial(gateway.port)
    const peer = new WirePeer(socket, gateway.identity())
    await peer.opens()
    peer.send(offers.starttls)
    await peer.next('proceed')
    await goesOn(socket)
    await gateway.event('stream.closed')
    const ours = gateway.log.events.filter(({ event }) => event.startsWith('stream.'))
    expect(ours).toMatchObject([
      { event: 'stream.refused', code },
      { event: 'stream.closed', code },
    ])
    expect(failuresOf(gateway)).toEqual([`{direction="in",code="${code}"} 1`])
    expect((await whyOf(gateway, 'fabrikam.com')).failures).toMatchObject([{ code, count: 1 }])
    // Who does not believe us says so; who sends junk is turned away.
    const side = code === 'our-certificate-refused' ? 'peer' : 'us'
    expect(await attemptsOf(gateway)).toMatchObject([{ closed: { code, side } }])
  })

  test('and sends more behind <starttls/> has broken the protocol', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opens()
    peer.send(`${offers.starttls}<message/>`)
    expect(await gateway.event('stream.closed')).toMatchObject({ code: 'protocol-violation' })
    expect(failuresOf(gateway)).toEqual(['{direction="in",code="protocol-violation"} 1'])
  })
})

describe('a peer that connects to us with direct TLS', () => {
  test.each(brokenHandshakes)(
    'and that %s is explained as %s: in the log, the metric and the journal',
    async (_, code, goesOn) => {
      const gateway = await startGateway()
      await goesOn(await dial(gateway.directTlsPort))
      await gateway.event('stream.closed')
      expect(gateway.log.events.filter(({ event }) => event.startsWith('stream.'))).toMatchObject([
        { event: 'stream.refused', code, address: '127.0.0.1', remote: null },
        { event: 'stream.closed', code },
      ])
      expect(failuresOf(gateway)).toEqual([`{direction="in",code="${code}"} 1`])
      expect(await attemptsOf(gateway)).toMatchObject([
        { outcome: { is: 'failed', code }, steps: [{ step: 'accepted' }, { step: 'failed' }] },
      ])
    },
  )

  test('and leaves without a word is no failure: balancers do', async () => {
    const gateway = await startGateway()
    const socket = await dial(gateway.directTlsPort)
    socket.resetAndDestroy()
    await gateway.line('connection ended without a word')
    expect([failuresOf(gateway), gateway.events('stream.refused')]).toEqual([[], []])
    expect(await attemptsOf(gateway)).toEqual([])
  })
})

function failuresOf({ metrics }: RunningGateway): string[] {
  const name = 'gatehouse_stream_failures_total'
  const lines = metrics.render().split('\n')
  const counted = lines.filter(line => line.startsWith(`${name}{`) && !line.endsWith(' 0'))
  return counted.map(line => line.slice(name.length))
}
