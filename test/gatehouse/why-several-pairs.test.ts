import { describe, expect, test } from 'vitest'
import { tag } from '../../src/xml/writer.ts'
import { attemptsOf, whyOf } from '../support/broken-partners.ts'
import { createSelfSigned } from '../support/certificates.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'
import { closedPort } from '../transport/dialer-fixture.ts'

const either = { saslNegotiation: 'optional', dialbackNegotiation: true }
const fabrikam = { primaryDomain: 'fabrikam.com', ...either }
const northwind = { primaryDomain: 'northwind.example', ...either }

/** A gateway that cannot ask either partner about its keys. */
async function start(): Promise<RunningGateway> {
  const gateway = await startGateway({ partners: [fabrikam, northwind] })
  const port = await closedPort()
  for (const name of ['fabrikam.com', 'northwind.example']) gateway.zone.federate(name, { port })
  return gateway
}

const failure = 'gatehouse_stream_failures_total{direction="in",code="dialback-unverified"}'

describe('a second pair of domains on one stream', () => {
  test('that fails is told by its own name, at once; the stream is no failure', async () => {
    const gateway = await start()
    const peer = await gateway.connect()
    await peer.authenticates()
    peer.sendKey('the-key', { from: 'northwind.example' })
    await peer.keyAnswer()
    const isIn = ({ direction }: { direction: string }) => direction === 'in'
    expect(await gateway.event('stream.refused', isIn)).toMatchObject({
      local: 'contoso.com',
      remote: 'northwind.example',
      code: 'dialback-unverified',
    })
    expect(JSON.stringify([gateway.log.events, gateway.log.lines])).not.toContain('the-key')
    const failed = (await attemptsOf(gateway)).find(
      ({ outcome, direction }) => direction === 'in' && outcome.is === 'failed',
    )
    expect(failed).toMatchObject({
      remote: 'northwind.example',
      claimed: true,
      outcome: { code: 'dialback-unverified' },
      steps: [{ step: 'accepted', address: '127.0.0.1' }],
    })
    expect(gateway.metric(failure)).toBe(1)
    peer.end('</stream:stream>')
    expect(await gateway.event('stream.closed', isIn)).toMatchObject({ remote: 'fabrikam.com' })
    expect(await whyOf(gateway, 'fabrikam.com')).toMatchObject({ failures: [], lastFailure: null })
  })

  test('that fails after the first is another failure', async () => {
    const gateway = await start()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', 'none'))
    await peer.opensSecurely()
    for (const from of ['fabrikam.com', 'northwind.example']) {
      peer.sendKey('the-key', { from })
      await peer.keyAnswer(undefined, ({ attributes }) => attributes['to'] === from)
    }
    expect(gateway.metric(failure)).toBe(2)
  })
})

describe('a peer without a name in its header', () => {
  test('that sends a key in vain is told by the name in that', async () => {
    const gateway = await start()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', 'none'))
    await peer.opens({ from: null })
    await peer.startsTls()
    await peer.opens({ from: null })
    peer.sendKey('the-key')
    await peer.keyAnswer()
    peer.end('</stream:stream>')
    const isIn = ({ direction }: { direction: string }) => direction === 'in'
    expect(await gateway.event('stream.closed', isIn)).toMatchObject({ remote: 'fabrikam.com' })
    expect(JSON.stringify([gateway.log.events, gateway.log.lines])).not.toContain('the-key')
    const { failures } = await whyOf(gateway, 'fabrikam.com')
    expect(failures).toContainEqual(expect.objectContaining({ code: 'dialback-unverified', direction: 'in' }))
  })
})

describe('a peer that has asked about a key of ours', () => {
  const asks = async (peer: WirePeer) => {
    await peer.opensSecurely()
    peer.send(tag('db:verify', { from: 'fabrikam.com', to: 'contoso.com', id: 'x' }, 'no key of ours'))
    await peer.next('verify')
  }

  test('is no attempt under way, once it has its answer', async () => {
    const gateway = await start()
    const peer = await gateway.connect(gateway.identity('fabrikam.com'))
    await peer.opensSecurely()
    const before = await whyOf(gateway, 'fabrikam.com')
    expect(before.state?.negotiating).toMatchObject([
      { direction: 'in', remote: 'fabrikam.com', soFar: null },
    ])
    peer.send(tag('db:verify', { from: 'fabrikam.com', to: 'contoso.com', id: 'x' }, 'no key of ours'))
    await peer.next('verify')
    expect((await whyOf(gateway, 'fabrikam.com')).state?.negotiating).toEqual([])
  })

  test('has failed where its own key then does', async () => {
    const gateway = await start()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', 'none'))
    await asks(peer)
    peer.sendKey('the-key')
    await peer.keyAnswer()
    peer.end('</stream:stream>')
    const isIn = ({ direction }: { direction: string }) => direction === 'in'
    expect(await gateway.event('stream.closed', isIn)).toMatchObject({ code: 'dialback-unverified' })
    expect((await attemptsOf(gateway)).filter(isIn)).toMatchObject([
      { purpose: 'stanzas', outcome: { code: 'dialback-unverified' }, closed: { side: 'peer' } },
    ])
  })

  test('has not failed for a certificate that it does not need for that', async () => {
    const gateway = await start()
    const shown = createSelfSigned({ names: { dns: ['fabrikam.com'] } })
    const peer = await gateway.connect(gateway.identity('fabrikam.com', shown))
    await asks(peer)
    peer.end('</stream:stream>')
    expect(await gateway.event('stream.closed')).toMatchObject({ code: 'peer-closed' })
    expect((await whyOf(gateway, 'fabrikam.com')).failures).toEqual([])
  })
})
