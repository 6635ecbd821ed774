import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { basicConstraints, extension } from '../../src/identity/issue.ts'
import {
  type Authority,
  allNames,
  type CertificateOptions,
  createAuthority,
  createSelfSigned,
  daysFromNow,
  type Issued,
} from '../support/certificates.ts'
import { childText } from '../support/client.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { conditionsOf, type PeerIdentity, type WirePeer } from '../support/wire-peer.ts'
import { bounceOf, juliet, message, romeo } from './numbered.ts'

type Make = (root: Authority) => Issued

const names = allNames('fabrikam.com')
const of = (options: CertificateOptions): Make => {
  return root => root.issue({ names, ...options })
}
const below = (options: CertificateOptions): Make => {
  return root => root.intermediate({ commonName: 'Middle', ...options }).issue({ names })
}
const confinedTo = (domain: string) => ({ nameConstraints: { permitted: { dns: [domain] } } })

/** A partner's certificates that prove fabrikam.com, whichever side opens the stream (contract §2). */
const good: readonly [string, Make][] = [
  ['for servers only', of({ eku: ['serverAuth'] })],
  ['for servers and clients', of({ eku: ['serverAuth', 'clientAuth'] })],
  ['for any purpose', of({ eku: ['any'] })],
  ['for no purpose in particular', of({ eku: 'absent' })],
  ['with a dNSName alone', of({ names: { dns: names.dns } })],
  ['with an SRVName alone', of({ names: { srv: names.srv } })],
  ['with an XmppAddr alone', of({ names: { xmpp: names.xmpp } })],
  ['for several domains', of({ names: allNames('adatum.com', 'fabrikam.com', 'example.net') })],
  ['below an intermediate that was sent', below({})],
  ['below a CA that may have none below it', below({ pathLength: 0 })],
  ['below a CA for this domain alone', below(confinedTo('fabrikam.com'))],
]

const expired = { notBefore: daysFromNow(-30), notAfter: daysFromNow(-1) }
const unknown = extension('1.3.6.1.4.1.99999', basicConstraints(false), true)
const elsewhere = 'which is not a trust anchor and was not sent along'

/** Those that do not, and what the operator is told. */
const bad: readonly [string, string, Make][] = [
  ['for clients only', 'certificate of fabrikam.com is not for the purpose', of({ eku: ['clientAuth'] })],
  ['that is expired', 'certificate of fabrikam.com expired on 20', of(expired)],
  [
    'that is not yet valid',
    'certificate of fabrikam.com is not valid before 20',
    of({ notBefore: daysFromNow(1) }),
  ],
  ['of another name', 'for fabrikam.com is for adatum.com, _xmpp-', of({ names: allNames('adatum.com') })],
  ['of domains above', 'for fabrikam.com is for *.com, com', of({ names: { dns: ['*.com', 'com'] } })],
  ['of domains below', 'for fabrikam.com is for *.fabrikam.com', of({ names: { dns: ['*.fabrikam.com'] } })],
  [
    'with a common name alone',
    'its common name does not count',
    of({ names: {}, commonName: names.dns[0]! }),
  ],
  [
    'of an unknown CA',
    `was issued by "CN=Elsewhere", ${elsewhere}`,
    () => createAuthority({ name: 'Elsewhere' }).issue({ names }),
  ],
  [
    'of a namesake of the CA',
    'was not signed by "CN=Test Root", the issuer it names',
    () => createAuthority().issue({ names }),
  ],
  ['signed by itself', 'is self-signed, and is not a trust anchor', () => createSelfSigned({ names })],
  [
    'below an intermediate that was not sent',
    `was issued by "CN=Middle", ${elsewhere}`,
    root => {
      const leaf = below({})(root)
      return { ...leaf, chainPem: leaf.certificatePem }
    },
  ],
  ['below an expired intermediate', 'CA certificate "CN=Middle" expired on 20', below(expired)],
  [
    'below what is no CA',
    'CA certificate "CN=Middle" may not issue certificates, but has issued one here',
    below({ isCa: false, keyUsage: 'absent' }),
  ],
  [
    'below more CAs than one of them allows',
    'CA certificate "CN=Middle" allows fewer CA certificates below it than were used',
    root => root.intermediate({ commonName: 'Middle', pathLength: 0 }).intermediate().issue({ names }),
  ],
  [
    'below a CA for another domain',
    'CA certificate "CN=Middle" may not issue certificates for a name used here',
    below(confinedTo('adatum.com')),
  ],
  ['with a weak key', 'has a weak or unsupported key: RSA 2048 to 8192', of({ key: 'rsa1024' })],
  ['with a weak signature', 'bears a weak or unsupported signature', of({ signature: 'sha1' })],
  [
    'with a critical extension that nobody knows',
    'has a critical extension that is not known here: 1.3.6.1.4.1.99999',
    of({ extensions: [unknown] }),
  ],
]

// Or OpenSSL would not let the peer show a weak certificate.
const lax = { ciphers: 'DEFAULT@SECLEVEL=0' }

/** Opens a stream and changes to TLS. @returns whether EXTERNAL is offered */
async function isOfferedExternal(peer: WirePeer): Promise<boolean> {
  await peer.opens()
  await peer.startsTls(lax)
  const features = await peer.opens()
  return features.children.some(({ name }) => name === 'mechanisms')
}

describe('a partner with a certificate', () => {
  test.each(good)('%s is let in by EXTERNAL', async (_, make) => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', make(gateway.authority)))
    expect(await isOfferedExternal(peer)).toBe(true)
    expect((await peer.sendsExternal()).name).toBe('success')
    await peer.opens()
    expect(await gateway.event('stream.authenticated')).toMatchObject({ certificate: 'valid' })
  })

  test.each(bad)('%s is told what is wrong with it, as the log is: %s', async (_, reason, make) => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', make(gateway.authority)))
    expect(await isOfferedExternal(peer)).toBe(false)
    // Most peers leave now, without asking for what is not offered.
    const noted = gateway.log.lines.filter(({ message }) => message === 'peer noted')
    expect(noted.map(({ fields }) => fields['reason'])).toEqual([
      expect.stringContaining(`SASL EXTERNAL is not offered: `),
    ])
    expect(noted[0]?.fields['reason']).toContain(reason)
    const outcome = await peer.sendsExternal()
    expect(outcome.name).toBe('failure')
    expect(conditionsOf(outcome)).toEqual(['not-authorized'])
    expect(childText(outcome, 'text')).toContain(reason)
    const refused = await gateway.event('stream.refused')
    expect(refused).toMatchObject({ direction: 'in', local: 'contoso.com', remote: 'fabrikam.com' })
    expect(refused.reason).toContain(reason)
    peer.send('<message/>')
    await peer.isClosedWith('not-authorized')
  })

  test('that is missing is not let in', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', 'none'))
    expect(await isOfferedExternal(peer)).toBe(false)
    const outcome = await peer.sendsExternal()
    expect(conditionsOf(outcome)).toEqual(['not-authorized'])
    expect(childText(outcome, 'text')).toBe('no certificate was presented for fabrikam.com')
  })

  test('that is bad is told so when its time is up, too', async () => {
    const gateway = await startGateway()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
    expect(await isOfferedExternal(peer)).toBe(false)
    vi.advanceTimersByTime(30_000)
    const error = await peer.isClosedWith('connection-timeout')
    expect(childText(error, 'text')).toMatch(
      /^not authenticated within 30 s; SASL EXTERNAL is not offered: certificate of fabrikam\.com expired on /,
    )
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

/** A partner's server to which the inside has sent a message: TLS is up, and EXTERNAL and dialback are offered. */
async function reached(gateway: RunningGateway, identity: PeerIdentity): Promise<WirePeer> {
  const server = await gateway.serve(identity)
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message(1, juliet, romeo))
  const peer = await server.next()
  await peer.greets(['starttls'])
  await peer.takesTls(lax)
  await peer.greets(['external', 'dialback'])
  return peer
}

describe('a partner’s server with a certificate', () => {
  test.each(good)('%s gets our stanzas by EXTERNAL', async (_, make) => {
    const gateway = await startGateway({ inside: 'component' })
    const peer = await reached(gateway, gateway.identity('fabrikam.com', make(gateway.authority)))
    await peer.takesExternal()
    expect((await peer.next('message')).attributes['id']).toBe('1')
  })

  test.each(bad)(
    '%s gets nothing, and is told what is wrong with it, as the log is: %s',
    async (_, reason, make) => {
      const gateway = await startGateway({ inside: 'component' })
      const peer = await reached(gateway, gateway.identity('fabrikam.com', make(gateway.authority)))
      expect(bounceOf(await gateway.inside.stanza('fabrikam.com', '1'))).toMatchObject({
        condition: 'remote-server-timeout',
        text: 'no stream to this domain could be established',
      })
      const error = await peer.isClosedWith('not-authorized')
      expect(childText(error, 'text')).toContain(reason)
      expect(peer.untaken).toEqual([])
      const refused = await gateway.event('stream.refused')
      expect(refused).toMatchObject({ direction: 'out', local: 'contoso.com', remote: 'fabrikam.com' })
      expect(refused.reason).toContain(reason)
    },
  )

  test('that is bad is sent a key instead, where that is permitted', async () => {
    const partners = [{ primaryDomain: 'fabrikam.com', ...either }]
    const gateway = await startGateway({ inside: 'component', partners })
    const peer = await reached(gateway, gateway.identity('fabrikam.com', { names: allNames('adatum.com') }))
    await peer.takesKey('valid')
    await peer.next('message')
    expect(await gateway.event('stream.authenticated')).toMatchObject({ certificate: 'invalid' })
  })
})
