import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const quick = { timeouts: { streamEstablishment: '250ms', dialback: '10s' } }
const partners = [{ primaryDomain: 'fabrikam.com', dialbackNegotiation: true, saslNegotiation: 'optional' }]

const headerOnly =
  "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>"

describe('a peer that is slow', () => {
  test.each<[string, (peer: WirePeer) => unknown]>([
    ['to say anything', () => undefined],
    ['within its header', peer => peer.send("<stream:stream xmlns='jabber:server'")],
    ['after its header', peer => peer.opens()],
    ['within an element', peer => peer.opens().then(() => peer.send('<starttls'))],
    ['to open the stream under TLS', peer => peer.opens().then(() => peer.startsTls())],
    ['to authenticate', peer => peer.opensSecurely()],
    ['to answer a challenge', peer => peer.opensSecurely().then(() => peer.sendsExternal(''))],
    ['to have its key verified', peer => peer.opensSecurely().then(() => peer.sendKey('abc'))],
    ['once it was refused', peer => peer.opensSecurely().then(() => peer.sendsExternal('AA=='))],
  ])('%s is cut off', async (_, reach) => {
    const gateway = await startGateway({ settings: quick, partners })
    await gateway.serve() // takes the question about the key, and never answers
    const peer = await gateway.connect()
    await reach(peer)
    await peer.isClosedWith('connection-timeout')
    await gateway.event('stream.refused', ({ condition }) => condition === 'connection-timeout')
  })

  test('and sends white space all the time is cut off', async () => {
    const gateway = await startGateway({ settings: quick })
    const peer = await gateway.connect()
    await peer.opens()
    const drip = setInterval(() => peer.send(' '), 20)
    await peer.isClosedWith('connection-timeout').finally(() => clearInterval(drip))
  })

  test.each([
    ['STARTTLS', false],
    ['direct TLS', true],
  ])('within the handshake of %s is dropped', async (_, directTls) => {
    const gateway = await startGateway({ settings: quick })
    const peer = await gateway.connect(gateway.identity(), { directTls })
    if (!directTls) {
      await peer.opens()
      peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
      await peer.next('proceed')
    }
    peer.send(Buffer.from([0x16, 0x03, 0x01])) // a handshake record begins
    await peer.halfClose()
    await gateway.hasNoStreams()
  })

  test('after direct TLS is cut off', async () => {
    const gateway = await startGateway({ settings: quick })
    const peer = await gateway.connect(gateway.identity(), { directTls: true })
    await peer.entersTls()
    await peer.isClosedWith('connection-timeout')
  })
})

describe('a partner’s server that is slow', () => {
  test.each<[string, (peer: WirePeer) => unknown]>([
    ['to answer the header', () => undefined],
    ['within its header', peer => peer.send('<stream:stream')],
    ['to send features', peer => peer.header().then(() => peer.send(headerOnly))],
    ['to answer <starttls/>', peer => peer.greets(['starttls'])],
    ['to open the stream under TLS', peer => peer.greets(['starttls']).then(() => peer.takesTls())],
    ['to answer EXTERNAL', peer => peer.greetsSecurely(['external'])],
    ['to answer a key', peer => peer.greetsSecurely(['dialback'])],
  ])('%s is given up, and what waits bounces', async (_, reach) => {
    const timeouts = { streamEstablishment: '250ms', dialback: '250ms' }
    const gateway = await startGateway({ settings: { timeouts }, partners, inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send("<message from='b@contoso.com' to='a@fabrikam.com' id='1'/>")
    const peer = await server.next()
    await reach(peer)
    const { children } = await gateway.inside.stanza('fabrikam.com', '1')
    expect(children[0]?.children[0]?.name).toBe('remote-server-timeout')
    await peer.streamEnd()
    peer.end('</stream:stream>')
    await peer.closed()
    await gateway.hasNoStreams()
  })
})

describe('a stream', () => {
  test('outlives the time for authentication, once it is authenticated', async () => {
    const gateway = await startGateway({ settings: quick, inside: 'component' })
    const peer = await gateway.connect()
    await peer.authenticates()
    const slow = await gateway.connect()
    await slow.isClosedWith('connection-timeout') // and so the time was up for the other, too
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='1'/>")
    await gateway.inside.stanza('fabrikam.com', '1')
  })

  test('that the peer has closed in time is not refused later, though its connection is still there', async () => {
    const gateway = await startGateway({ settings: quick })
    const peer = await gateway.connect()
    await peer.opens()
    peer.send('</stream:stream>')
    await peer.streamEnd()
    const slow = await gateway.connect()
    await slow.isClosedWith('connection-timeout') // and so the time was up for the other, too
    expect(peer.isClosed).toBe(false)
    expect(gateway.events('stream.refused')).toHaveLength(1)
  })

  test('that is idle is closed without an error', async () => {
    const gateway = await startGateway({ settings: { timeouts: { inactivity: '200ms' } } })
    const peer = await gateway.connect()
    await peer.authenticates()
    await peer.streamEnd()
    expect(peer.text).not.toContain('error')
    peer.end('</stream:stream>')
    await peer.closed()
    await gateway.hasNoStreams()
  })
})
