import { describe, expect, test } from 'vitest'
import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { whyOf } from '../support/broken-partners.ts'
import { daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { juliet, message } from './numbered.ts'

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
const either = { primaryDomain: 'fabrikam.com', saslNegotiation: 'optional', dialbackNegotiation: true }
const refusal = tag('failure', { xmlns: ns.sasl }, tag('not-authorized', {}))
const notAuthorized = tag('stream:error', {}, tag('not-authorized', { xmlns: ns.streams }))

/** Has a message for fabrikam.com tried, and come back. */
async function bounces(gateway: RunningGateway): Promise<unknown> {
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message('one', juliet, 'romeo@fabrikam.com'))
  return inside.find('bounce', ({ attributes }) => attributes['id'] === 'one')
}

describe('an attempt that fails more than once', () => {
  test('is told by the server where it came furthest, whatever the others do', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve(gateway.identity('fabrikam.com', expired))
    gateway.zone.set('_xmpp-server._tcp.fabrikam.com SRV', [
      { priority: 1, port: server.port, target: 'xmpp.fabrikam.com' },
      { priority: 2, port: await closedPort(), target: 'xmpp.fabrikam.com' },
    ])
    const bounced = bounces(gateway)
    const peer = await server.next()
    await peer.greetsSecurely(['external'])
    await bounced
    const { failures, lastFailure } = await whyOf(gateway, 'fabrikam.com')
    expect(failures).toMatchObject([{ code: 'certificate-expired', count: 1 }])
    expect(lastFailure?.steps.map(step => (step.step === 'failed' ? step.code : step.step))).toEqual(
      expect.arrayContaining(['certificate-expired', 'connect-refused']),
    )
    expect(lastFailure?.closed).toMatchObject({ side: 'us', code: 'certificate-expired' })
    const name = 'gatehouse_stream_failures_total{direction="out",code="connect-refused"}'
    expect(gateway.metric(name)).toBe(0)
    const passedOver = gateway.log.lines.filter(({ fields }) => /passed over/.test(String(fields['reason'])))
    expect(passedOver).toHaveLength(1)
  })

  test.each([
    ['closes the stream', ''],
    ['says that it does not want us', notAuthorized],
  ])(
    'is told as EXTERNAL refused where the partner then %s on the connection for dialback',
    async (_, error) => {
      const gateway = await startGateway({ inside: 'component', partners: [either] })
      const server = await gateway.serve()
      const bounced = bounces(gateway)
      const first = await server.next()
      await first.greetsSecurely(['external', 'dialback'])
      await first.next('auth')
      first.end(`${refusal}</stream:stream>`)
      const second = await server.next()
      await second.greetsSecurely(['external', 'dialback'])
      await second.coming()
      second.end(`${error}</stream:stream>`)
      await bounced
      const { failures, lastFailure, meaning } = await whyOf(gateway, 'fabrikam.com')
      expect(failures).toMatchObject([{ code: 'external-refused', count: 1 }])
      expect(lastFailure).toMatchObject({ outcome: { reason: expect.stringContaining('not-authorized') } })
      expect(meaning).toMatchObject({ fault: 'ours' })
    },
  )
})

describe('how the stream ended', () => {
  test.each([
    ['leaves', '', 'peer-left'],
    ['ends it with an error', notAuthorized, 'peer-stream-error'],
  ])('is told of a partner that comes, is refused, and %s', async (_, error, code) => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
    await peer.opensSecurely()
    await peer.sendsExternal()
    peer.end(`${error}</stream:stream>`)
    await gateway.event('stream.closed')
    const { lastFailure } = await whyOf(gateway, 'fabrikam.com')
    expect(lastFailure).toMatchObject({
      outcome: { code: 'certificate-expired' },
      closed: { side: 'peer', code, at: expect.any(String) },
    })
    const { out } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toMatch(new RegExp(`failed: certificate-expired: .*; ended by the partner: ${code}: `))
  })

  test('is told of a partner that we refuse', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    peer.sendHeader({ to: 'elsewhere.example' })
    await peer.isClosedWith('host-unknown')
    await gateway.event('stream.closed')
    const { lastFailure } = await whyOf(gateway, 'fabrikam.com')
    expect(lastFailure?.closed).toMatchObject({ side: 'us', code: 'unknown-local-domain' })
    const { out } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toMatch(/failed: unknown-local-domain: [^;]*; ended by us\n/)
  })

  test('is told of a partner that we open a stream to', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const bounced = bounces(gateway)
    const peer = await server.next()
    await peer.greetsSecurely(['external'])
    await peer.next('auth')
    peer.end(`${notAuthorized}</stream:stream>`)
    await bounced
    expect((await whyOf(gateway, 'fabrikam.com')).lastFailure).toMatchObject({
      outcome: { code: 'external-refused' },
      closed: { side: 'peer', code: 'peer-stream-error' },
    })
  })
})
