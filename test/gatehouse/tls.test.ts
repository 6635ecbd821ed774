import { describe, expect, test } from 'vitest'
import {
  allNames,
  type CertificateOptions,
  createAuthority,
  createSelfSigned,
  daysFromNow,
  type Issued,
} from '../support/certificates.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const hello = "<message from='b@contoso.com' to='a@fabrikam.com' id='1'><body>x</body></message>"
const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

/** Certificates of a partner, and whether they prove its domain: the same for both sides of a stream (contract §2). */
const certificates: readonly [string, boolean, CertificateOptions | (() => Issued)][] = [
  ['for servers only', true, { eku: ['serverAuth'] }],
  ['for servers and clients', true, { eku: ['serverAuth', 'clientAuth'] }],
  ['for any purpose', true, { eku: ['any'] }],
  ['for no purpose in particular', true, { eku: 'absent' }],
  ['with an SRVName alone', true, { names: { srv: ['_xmpp-server.fabrikam.com'] } }],
  ['with an XmppAddr alone', true, { names: { xmpp: ['fabrikam.com'] } }],
  ['for clients only', false, { eku: ['clientAuth'] }],
  ['that is expired', false, { notBefore: daysFromNow(-30), notAfter: daysFromNow(-1) }],
  ['that is not yet valid', false, { notBefore: daysFromNow(1) }],
  ['of another name', false, { names: allNames('adatum.com') }],
  ['of a domain above', false, { names: { dns: ['*.com', 'com'] } }],
  ['with a common name alone', false, { names: {}, commonName: 'fabrikam.com' }],
  ['of an unknown CA', false, () => createAuthority().issueFor('fabrikam.com')],
  ['signed by itself', false, () => createSelfSigned({ names: allNames('fabrikam.com') })],
  ['of a CA that may not be one', false, {}],
]

function identityWith(gateway: RunningGateway, options: CertificateOptions | (() => Issued), what: string) {
  if (what !== 'of a CA that may not be one') {
    return gateway.identity('fabrikam.com', typeof options === 'function' ? options() : options)
  }
  const issuer = gateway.authority.intermediate({ isCa: false, keyUsage: 'absent' })
  return gateway.identity('fabrikam.com', issuer.issueFor('fabrikam.com'))
}

describe('a partner with a certificate', () => {
  test.each(certificates)('%s is let in by EXTERNAL: %s', async (what, isGood, options) => {
    const gateway = await startGateway()
    const peer = await gateway.connect(identityWith(gateway, options, what))
    const features = await peer.opensSecurely()
    expect(features.children.some(({ name }) => name === 'mechanisms')).toBe(isGood)
    const outcome = await peer.sendsExternal() // whether it is offered or not
    if (isGood) {
      expect(outcome.name).toBe('success')
      await peer.opens()
      return
    }
    expect(outcome).toMatchObject({ name: 'failure', children: [{ name: 'not-authorized' }] })
    peer.send('<message/>')
    await peer.isClosedWith('not-authorized')
  })

  test('that is missing is not let in', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', 'none'))
    const features = await peer.opensSecurely()
    expect(features.children.map(({ name }) => name)).not.toContain('mechanisms')
    expect((await peer.sendsExternal()).children).toMatchObject([{ name: 'not-authorized' }])
  })

  test('that is bad may go on with dialback on the same stream, where that is permitted', async () => {
    const gateway = await startGateway({ partners: [{ primaryDomain: 'fabrikam.com', ...either }] })
    const server = await gateway.serve()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', { eku: ['clientAuth'] }))
    await peer.opensSecurely()
    await peer.sendsExternal()
    peer.sendKey('the-key')
    const authoritative = await server.next()
    await authoritative.greetsSecurely(['dialback'])
    await authoritative.judges('valid')
    expect(await peer.keyAnswer()).toBe('valid')
    const event = await gateway.event('stream.authenticated')
    expect(event).toMatchObject({ method: 'dialback-tls', certificate: 'invalid' })
  })
})

const either = { saslNegotiation: 'optional', dialbackNegotiation: true }

describe('a partner’s server with a certificate', () => {
  test.each(certificates)('%s gets our stanzas by EXTERNAL: %s', async (what, isGood, options) => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve(identityWith(gateway, options, what))
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(hello)
    const peer = await server.next()
    await peer.greetsSecurely(['external', 'dialback'])
    if (isGood) {
      await peer.takesExternal()
      await peer.next('message')
      return
    }
    const { children } = await gateway.inside.stanza('fabrikam.com', '1')
    expect(children[0]?.children[0]?.name).toBe('remote-server-timeout')
    expect(peer.text).not.toContain('<auth')
  })

  test('sees ours, and SNI for its own domain', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(hello)
    const peer = await server.next()
    await peer.accepts()
    expect(peer.tls.servername).toBe('fabrikam.com')
    expect(peer.tls.getPeerX509Certificate()?.checkHost('contoso.com')).toBe('contoso.com')
  })

  test('that is bad is sent a key instead, where that is permitted', async () => {
    const partners = [{ primaryDomain: 'fabrikam.com', ...either }]
    const gateway = await startGateway({ inside: 'component', partners })
    const server = await gateway.serve(gateway.identity('fabrikam.com', { names: allNames('adatum.com') }))
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(hello)
    const peer = await server.next()
    await peer.greetsSecurely(['external', 'dialback'])
    await peer.takesKey('valid')
    await peer.next('message')
  })
})

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
