import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunningGateway } from '../support/running-gateway.ts'
import { startGateway } from '../support/running-gateway.ts'
import { asked, hello, sendFromInside, start } from './dialback-scene.ts'

const question = '_xmpps-server._tcp.fabrikam.com SRV'
const lateMs = 7_000

let aheadMs = 0
beforeEach(() => {
  aheadMs = 0
  const real = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => real() + aheadMs)
})
afterEach(() => void vi.restoreAllMocks())

/** Calls back when the gateway asks for the partner's server. */
function whenAsked(gateway: RunningGateway, what: () => void): void {
  gateway.zone.set(question, honest => {
    what()
    return [honest]
  })
}
const timed = (gateway: RunningGateway, what: 'count' | 'sum') =>
  gateway.metric(`gatehouse_stream_establishment_seconds_${what}`)

describe('the time until a stream is authenticated', () => {
  test('begins, of a stream of ours, with the search for the partner’s server', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    whenAsked(gateway, () => (aheadMs = lateMs))
    await sendFromInside(gateway, hello)
    await (await server.next()).accepts()
    await gateway.event('stream.authenticated')
    expect(timed(gateway, 'count')).toBe(1)
    expect(timed(gateway, 'sum')).toBeGreaterThanOrEqual(lateMs / 1000)
  })

  test('begins, of a stream of a partner, with its connection, before direct TLS', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity(), { directTls: true })
    await (await gateway.connect()).opens() // accepted after that one
    aheadMs = lateMs
    await peer.entersTls({ ALPNProtocols: ['xmpp-server'] })
    await peer.opens()
    await peer.sendsExternal()
    expect(timed(gateway, 'count')).toBe(1)
    expect(timed(gateway, 'sum')).toBeGreaterThanOrEqual(lateMs / 1000)
  })

  test('is none of a stream that only asks about a key', async () => {
    const gateway = await start('dialback-tcp')
    const { peer, authoritative } = await asked(gateway, 'dialback-tcp')
    await authoritative.judges('invalid')
    expect(await peer.keyAnswer()).toBe('invalid')
    expect(timed(gateway, 'count')).toBe(0)
  })
})

describe('streams of ours on their way', () => {
  test('are counted from the search for the partner’s server on, until they are authenticated', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const { promise: atSearch, resolve } = Promise.withResolvers<number>()
    whenAsked(gateway, () => resolve(gateway.streams.outNegotiating))
    await sendFromInside(gateway, hello)
    expect(await atSearch).toBe(1)
    const peer = await server.next()
    await peer.header()
    expect(gateway.streams).toMatchObject({ outNegotiating: 1, outAuthenticated: 0 })
    peer.reset()
    await gateway.event('stream.closed')
    expect(gateway.streams.outNegotiating).toBe(0)
  })

  test('are those that will ask about a key, too', async () => {
    const gateway = await start('dialback-tcp')
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.opens()
    peer.sendKey('the-key')
    const authoritative = await server.next()
    expect(gateway.streams).toMatchObject({ outNegotiating: 1, outVerifying: 0 })
    await authoritative.greets(['dialback'])
    await authoritative.judges('silence')
    expect(gateway.streams).toMatchObject({ outNegotiating: 0, outVerifying: 1 })
  })
})
