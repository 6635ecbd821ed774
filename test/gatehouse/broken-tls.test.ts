import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import { dial, listen } from '../support/wire.ts'
import { WirePeer, WireServer } from '../support/wire-peer.ts'
import { juliet, message } from './numbered.ts'

const forged = Buffer.from(`1703030020${'00'.repeat(32)}`, 'hex') // a record that nobody has encrypted

/** Stands between the two, and keeps the connection open whatever they do. */
async function relayTo(port: number) {
  const reached = Promise.withResolvers<{ near: Socket; far: Socket }>()
  const own = await listen(async near => {
    const far = await dial(port)
    onTestFinished(() => void far.destroy())
    near.on('data', chunk => void far.write(chunk))
    far.on('data', chunk => void near.write(chunk))
    reached.resolve({ near, far })
  })
  return { port: own, reached: reached.promise }
}

const broken = { code: 'connection-lost', reason: expect.stringMatching(/^connection lost: [a-z ]+$/) }

describe('a stream that gets what is no TLS, over a connection that stays open, is gone at once', () => {
  test('where a partner has opened it', async () => {
    const gateway = await startGateway()
    const relay = await relayTo(gateway.port)
    const peer = await WirePeer.connect(relay.port, gateway.identity())
    await peer.authenticates()
    const { far } = await relay.reached
    far.write(forged)
    expect(await gateway.event('stream.closed')).toMatchObject(broken)
    await gateway.hasNoStreams()
  })

  test('where we have opened it; what comes then goes over another', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await WireServer.listen(gateway.identity())
    const relay = await relayTo(server.port)
    gateway.zone.federate('fabrikam.com', { port: relay.port })
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message('one', juliet, 'romeo@fabrikam.com'))
    const peer = await server.next()
    await peer.accepts()
    await peer.next('message')
    const { near } = await relay.reached
    near.write(forged)
    expect(await gateway.event('stream.closed')).toMatchObject(broken)
    inside.send(message('two', juliet, 'romeo@fabrikam.com'))
    const next = await server.next()
    await next.accepts()
    expect((await next.next('message')).attributes['id']).toBe('two')
  })
})
