import { describe, expect, test } from 'vitest'
import { ns } from '../../src/xmpp/namespaces.ts'
import { startGateway } from '../support/running-gateway.ts'
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

describe.each(methods)('a partner that uses %s', method => {
  test('is let in once its own server says that the key is valid', async () => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    const { attributes } = await peer.header()
    const verify = await authoritative.judges('valid')
    expect(verify).toMatchObject({
      text: 'the-key',
      attributes: { from: 'contoso.com', to: 'fabrikam.com', id: attributes['id'] },
    })
    expect(await peer.keyAnswer()).toBe('valid')
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='1'/>")
    await gateway.inside.stanza('fabrikam.com', '1')
    const event = await gateway.event('stream.authenticated')
    expect(event).toMatchObject({ direction: 'in', remote: 'fabrikam.com', method })
    expect(event.tls === null).toBe(method === 'dialback-tcp')
  })

  test('is told that its own server calls the key invalid, and the stream ends (XEP-0220 §2.2.1)', async () => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    await authoritative.judges('invalid')
    expect(await peer.keyAnswer()).toBe('invalid')
    await peer.streamEnd()
    peer.end('</stream:stream>')
    await peer.closed()
  })

  test('is told that its own server does not know of it, and may go on', async () => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    await authoritative.judges({ error: 'item-not-found' })
    expect(await peer.keyAnswer()).toBe('remote-server-not-found')
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='1'/>")
    await peer.isClosedWith('not-authorized')
  })

  test('is let in as soon as its own server is back, whoever has sent keys in its name before', async () => {
    const gateway = await start(method)
    const { peer: stranger, authoritative, server } = await asked(gateway, method)
    authoritative.reset()
    expect(await stranger.keyAnswer()).toBe('remote-server-timeout')
    stranger.sendKey('forged')
    const peer = await gateway.connect()
    await opens(peer, method)
    peer.sendKey('the-key')
    const back = await server.next()
    await greets(back, method)
    await back.judges('invalid')
    await back.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
    expect(server.count()).toBe(2)
  })

  test('is told when its domain is not in DNS, and may try again', async () => {
    const gateway = await start(method)
    const peer = await gateway.connect()
    await opens(peer, method)
    peer.sendKey('the-key', { from: 'corp.fabrikam.com' })
    expect(await peer.keyAnswer()).toBe('remote-server-not-found')
    const server = await gateway.serve()
    peer.sendKey('the-key')
    const authoritative = await server.next()
    await greets(authoritative, method)
    await authoritative.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
  })

  test('may authenticate several pairs on one stream, each by itself', async () => {
    const gateway = await start(method)
    const { peer, authoritative, server } = await asked(gateway, method)
    await authoritative.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
    gateway.zone.federate('corp.fabrikam.com', { port: server.port })
    peer.sendKey('another', { from: 'corp.fabrikam.com' })
    const second = await server.next()
    await greets(second, method, { from: 'corp.fabrikam.com' })
    const verify = await second.judges('silence')
    expect(verify.attributes).toMatchObject({ to: 'corp.fabrikam.com' })
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='1'/>")
    await gateway.inside.stanza('fabrikam.com', '1')
    second.send(
      `<db:verify from='corp.fabrikam.com' to='contoso.com' id='${verify.attributes['id']}' type='valid'/>`,
    )
    expect(await peer.keyAnswer()).toBe('valid')
    peer.send("<message from='a@corp.fabrikam.com' to='b@contoso.com' id='2'/>")
    await gateway.inside.stanza('corp.fabrikam.com', '2')
  })

  test('cannot speak for a domain whose key was refused on the same stream', async () => {
    const gateway = await start(method)
    const { peer, authoritative } = await asked(gateway, method)
    await authoritative.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
    peer.sendKey('another', { from: 'corp.fabrikam.com' })
    expect(await peer.keyAnswer()).toBe('remote-server-not-found')
    peer.send("<message from='a@corp.fabrikam.com' to='b@contoso.com' id='2'/>")
    await peer.isClosedWith('invalid-from')
  })

  test('cannot answer the question itself, on the stream that it has opened', async () => {
    const gateway = await start(method, quick)
    const { peer, authoritative } = await asked(gateway, method)
    const { attributes } = await authoritative.judges('silence')
    peer.send(`<db:verify from='fabrikam.com' to='contoso.com' id='${attributes['id']}' type='valid'/>`)
    peer.send("<db:result from='fabrikam.com' to='contoso.com' type='valid'/>")
    expect(await peer.keyAnswer()).toBe('remote-server-timeout')
    expect(peer.untaken).toEqual([])
  })

  test('is not let in on the word of another partner’s server', async () => {
    const partners = [
      policies[method],
      { ...policies[method], primaryDomain: 'adatum.com', additionalDomains: [] },
    ]
    const gateway = await startGateway({ partners, inside: 'component', settings: quick })
    const adatum = await gateway.serve(gateway.identity('adatum.com'))
    const inside = await gateway.inside.component('adatum.com')
    inside.send("<message from='b@contoso.com' to='a@adatum.com' id='1'/>")
    const other = await adatum.next()
    await greets(other, method)
    await other.takesKey('valid')
    const { peer, authoritative } = await asked(gateway, method)
    const { attributes } = await authoritative.judges('silence')
    other.send(`<db:verify from='fabrikam.com' to='contoso.com' id='${attributes['id']}' type='valid'/>`)
    expect(await peer.keyAnswer()).toBe('remote-server-timeout')
  })
})

describe.each(methods)('the gateway, by %s,', method => {
  test('sends a key that it says is valid when asked, and that no other stream or key shares', async () => {
    const gateway = await start(method)
    const server = await gateway.serve()
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await greets(receiving, method)
    const { text: key } = await receiving.takesKey('valid')
    await receiving.next('message')
    const peer = await gateway.connect()
    await opens(peer, method)
    const ask = async (id: string, text: string) => {
      peer.send(`<db:verify from='fabrikam.com' to='contoso.com' id='${id}'>${text}</db:verify>`)
      return (await peer.next('verify')).attributes
    }
    expect(await ask('wire-peer-stream', key)).toMatchObject({ from: 'contoso.com', type: 'valid' })
    expect(await ask('another-stream', key)).toMatchObject({ id: 'another-stream', type: 'invalid' })
    expect(await ask('wire-peer-stream', `${key.slice(1)}0`)).toMatchObject({ type: 'invalid' })
  })

  test('bounces what waits when no answer comes in time', async () => {
    const gateway = await start(method, quick)
    const server = await gateway.serve()
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await greets(receiving, method)
    const { children } = await gateway.inside.stanza('fabrikam.com', '1')
    expect(children[0]?.children[0]?.name).toBe('remote-server-timeout')
    await receiving.isClosedWith('connection-timeout')
  })

  test('delivers at once, however often a key could not be verified before', async () => {
    const gateway = await start(method)
    const { peer, authoritative, server } = await asked(gateway, method)
    authoritative.reset()
    expect(await peer.keyAnswer()).toBe('remote-server-timeout')
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await greets(receiving, method)
    await receiving.takesKey('valid')
    await receiving.next('message')
  })

  test('asks on the stream that is up for the pair, where there is one', async () => {
    const gateway = await start(method)
    const server = await gateway.serve()
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await greets(receiving, method)
    await receiving.takesKey('valid')
    await receiving.next('message')
    const peer = await gateway.connect()
    await opens(peer, method)
    peer.sendKey('the-key')
    await receiving.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
    expect(server.count()).toBe(1)
  })
})

describe('a server before XMPP 1.0', () => {
  test('gets a key at once, and stanzas', async () => {
    const gateway = await start('dialback-tcp')
    const server = await gateway.serve()
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await receiving.greets([], { version: null })
    await receiving.takesKey('valid')
    await receiving.next('message')
  })

  test('that ends the stream right behind its header gets no key, and has left', async () => {
    const gateway = await start('dialback-tcp')
    const server = await gateway.serve()
    await sendFromInside(gateway, hello)
    const receiving = await server.next()
    await receiving.header()
    receiving.end(`<stream:stream xmlns='${ns.server}' xmlns:stream='${ns.stream}' id='old'></stream:stream>`)
    expect(await gateway.event('stream.refused')).toMatchObject({ direction: 'out', code: 'peer-left' })
    await receiving.closed()
    expect(receiving.text).not.toContain('db:result')
  })
})

describe('where dialback is not permitted', () => {
  test('a key is ignored, and the stream ends at its time limit', async () => {
    const settings = { timeouts: { streamEstablishment: '300ms' } }
    const gateway = await startGateway({ settings })
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.sendKey('the-key')
    await peer.isClosedWith('connection-timeout')
    expect(peer.text).not.toContain('db:result')
    expect(server.count()).toBe(0)
  })
})
