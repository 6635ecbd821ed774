import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import type { KeyVerdict } from '../support/wire-peer.ts'
import {
  asked,
  greets,
  hello,
  methods,
  opens,
  policies,
  quick,
  sendFromInside,
  start,
} from './dialback-scene.ts'

/** The conditions of XEP-0220 §2.4; docs/policy.md says which of them we send. */
const conditions = [
  'item-not-found',
  'remote-connection-failed',
  'remote-server-not-found',
  'remote-server-timeout',
  'policy-violation',
  'not-authorized',
  'forbidden',
  'not-acceptable',
  'resource-constraint',
]

describe.each(methods)('a partner that sends a key by %s is told', method => {
  test('item-not-found where the domain it is for is not ours; the stream stays', async () => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    peer.sendKey('another', { to: 'sub.contoso.com' })
    const answer = await peer.next('result')
    expect(answer.attributes).toMatchObject({ from: 'sub.contoso.com', to: 'fabrikam.com', type: 'error' })
    expect(answer.children[0]?.children[0]?.name).toBe('item-not-found')
    await authoritative.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
  })

  test('remote-server-not-found when its own server does not know the domain', async () => {
    const gateway = await start(method)
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await opens(peer, method)
    peer.sendKey('the-key')
    const authoritative = await server.next()
    authoritative.sendHeader({ id: 'x' })
    authoritative.end(
      "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    )
    expect(await peer.keyAnswer()).toBe('remote-server-not-found')
  })

  test.each(conditions)('remote-server-not-found when its own server answers %s', async condition => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    await authoritative.judges({ error: condition })
    expect(await peer.keyAnswer()).toBe('remote-server-not-found')
  })

  test('remote-connection-failed when its own server is down', async () => {
    const gateway = await start(method)
    gateway.zone.federate('fabrikam.com', { port: 1, host: '127.0.0.1' })
    const peer = await gateway.connect()
    await opens(peer, method)
    peer.sendKey('the-key')
    expect(await peer.keyAnswer()).toBe('remote-connection-failed')
  })

  test('remote-server-timeout when its own server does not answer in time', async () => {
    const gateway = await start(method, quick)
    const { peer, authoritative } = await asked(gateway, method)
    await authoritative.judges('silence')
    expect(await peer.keyAnswer()).toBe('remote-server-timeout')
  })

  test('remote-server-timeout when its own server drops the question', async () => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    await authoritative.judges('silence')
    authoritative.reset()
    expect(await peer.keyAnswer()).toBe('remote-server-timeout')
  })

  test('resource-constraint for one pair too many on its stream', async () => {
    const names = Array.from({ length: 101 }, (_, at) => `p${at}.example`)
    const gateway = await startGateway({
      partners: [{ ...policies[method], additionalDomains: names }],
      settings: { limits: { unauthenticatedElements: 200 } },
    })
    for (const name of names) gateway.zone.set(`_xmpp-server._tcp.${name} SRV`, 'drop')
    const peer = await gateway.connect()
    await opens(peer, method)
    for (const from of names) peer.sendKey('the-key', { from })
    const answer = await peer.next('result')
    expect(answer.attributes['to']).toBe('p100.example')
    expect(answer.children[0]?.children[0]?.name).toBe('resource-constraint')
  })
})

describe('a partner that sends a key in the clear is told', () => {
  test('policy-violation where dialback is for TLS only; the stream stays', async () => {
    const gateway = await start('dialback-tls')
    const peer = await gateway.connect()
    await peer.opens()
    peer.sendKey('the-key')
    expect(await peer.keyAnswer()).toBe('policy-violation')
    await peer.startsTls()
  })
})

describe.each(methods)('the gateway, by %s,', method => {
  test.each<[KeyVerdict, string]>([
    ['invalid', 'internal-server-error'],
    ...conditions.map((error): [KeyVerdict, string] => [{ error }, 'remote-server-timeout']),
  ])('bounces what waits when the answer is %j', async (verdict, condition) => {
    const gateway = await start(method)
    const server = await gateway.serve()
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await greets(receiving, method)
    await receiving.takesKey(verdict)
    const { attributes, children } = await gateway.inside.stanza('fabrikam.com', '1')
    expect(attributes).toMatchObject({ type: 'error', from: 'a@fabrikam.com', to: 'b@contoso.com' })
    expect(children[0]?.children[0]?.name).toBe(condition)
  })
})
