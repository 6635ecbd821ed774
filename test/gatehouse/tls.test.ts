import { describe, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const hello = "<message from='b@contoso.com' to='a@fabrikam.com' id='1'><body>x</body></message>"
const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

const either = { saslNegotiation: 'optional', dialbackNegotiation: true }

describe('STARTTLS', () => {
  test.each([
    ['a stanza', `${starttls}<message from='a@fabrikam.com' to='b@contoso.com' id='evil'/>`],
    ['a new header', `${starttls}<?xml version='1.0'?><stream:stream>`],
    ['a single space', `${starttls} `],
  ])('with %s behind it in the same segment closes the stream', async (_, text) => {
    const gateway = await startGateway({ inside: 'component' })
    const peer = await gateway.connect()
    await peer.opens()
    peer.send(text)
    await peer.halfClose()
    expect(peer.text).not.toContain('<message')
    await gateway.hasNoStreams()
    expect(gateway.events('stream.refused')).toMatchObject([{ condition: 'policy-violation' }])
    expect((await gateway.inside.component('fabrikam.com')).untaken).toEqual([])
  })

  test('with something else than TLS behind <proceed/> closes the connection', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opens()
    peer.send(starttls)
    await peer.next('proceed')
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='evil'/>")
    await peer.halfClose()
    await gateway.hasNoStreams()
  })

  test('a second time is a policy violation', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.send(starttls)
    await peer.isClosedWith('policy-violation')
  })

  test('that was not offered is refused, and the stream closed', async () => {
    const clear = {
      tlsNegotiation: 'notSupported',
      saslNegotiation: 'notSupported',
      dialbackNegotiation: true,
    }
    const gateway = await startGateway({ partners: [{ primaryDomain: 'fabrikam.com', ...clear }] })
    const peer = await gateway.connect()
    const features = await peer.opens()
    expect(features.children.map(({ name }) => name)).not.toContain('starttls')
    peer.send(starttls)
    await peer.next('failure', 'urn:ietf:params:xml:ns:xmpp-tls')
    await peer.streamEnd()
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('takes %s', async version => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opens()
    await peer.startsTls({ minVersion: version, maxVersion: version })
    await peer.opens()
    expect(peer.tls.getProtocol()).toBe(version)
    expect(peer.tls.isSessionReused()).toBe(false)
  })

  test('takes nothing older', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opens()
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(peer.startsTls(old)).rejects.toThrow()
    await gateway.hasNoStreams()
  })
})

describe('a partner’s server', () => {
  test('sees our certificate, and SNI for its own domain', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(hello)
    const peer = await server.next()
    await peer.accepts()
    expect(peer.tls.servername).toBe('fabrikam.com')
    expect(peer.tls.getPeerX509Certificate()?.checkHost('contoso.com')).toBe('contoso.com')
  })
})

describe('direct TLS', () => {
  const connectDirectly = async (gateway: RunningGateway, alpn?: string[]): Promise<WirePeer> => {
    const peer = await gateway.connect(gateway.identity(), { directTls: true })
    await peer.entersTls(alpn === undefined ? {} : { ALPNProtocols: alpn })
    return peer
  }

  test.each([
    ['xmpp-server', ['xmpp-server'], 'xmpp-server'],
    ['xmpp-server among others', ['h2', 'xmpp-server'], 'xmpp-server'],
    ['none', undefined, false],
  ])('with ALPN %s goes on with EXTERNAL, and offers no STARTTLS', async (_, alpn, chosen) => {
    const gateway = await startGateway({ inside: 'component' })
    const peer = await connectDirectly(gateway, alpn)
    expect(peer.tls.alpnProtocol).toBe(chosen)
    const features = await peer.opens()
    expect(features.children.map(({ name }) => name)).not.toContain('starttls')
    expect((await peer.sendsExternal()).name).toBe('success')
    await peer.opens()
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='1'/>")
    await gateway.inside.stanza('fabrikam.com', '1')
  })

  test('with another ALPN is refused', async () => {
    const gateway = await startGateway()
    await expect(connectDirectly(gateway, ['xmpp-client'])).rejects.toThrow()
  })

  test('goes on with dialback, too', async () => {
    const gateway = await startGateway({ partners: [{ primaryDomain: 'fabrikam.com', ...either }] })
    const server = await gateway.serve()
    const peer = await connectDirectly(gateway, ['xmpp-server'])
    await peer.opens()
    peer.sendKey('the-key')
    const authoritative = await server.next()
    await authoritative.greetsSecurely(['dialback'])
    await authoritative.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
  })

  test('with a stream in the clear gets nothing', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity(), { directTls: true })
    peer.sendHeader()
    await peer.halfClose()
    expect(peer.text).not.toContain('<stream')
  })

  test('is what the gateway uses where a partner publishes it', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    gateway.zone.delete('_xmpp-server._tcp.fabrikam.com SRV')
    gateway.zone.set('_xmpps-server._tcp.fabrikam.com SRV', [
      { port: server.port, target: 'xmpp.fabrikam.com' },
    ])
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(hello)
    const peer = await server.next()
    await peer.acceptsTls({ ALPNProtocols: ['xmpp-server'] })
    expect(peer.tls.alpnProtocol).toBe('xmpp-server')
    await peer.greets(['external'])
    await peer.takesExternal()
    await peer.next('message')
  })
})
