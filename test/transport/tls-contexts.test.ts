import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import { TlsContexts } from '../../src/transport/tls.ts'
import { createAuthority } from '../support/certificates.ts'
import { acceptFrom, between, connected, credential, patience } from './tls-peers.ts'

const root = () => createAuthority()
const certified = (name: string) => credential(name, root().issueFor(name))

// The common name that the gateway presents to a client.
async function presented(
  contexts: TlsContexts,
  client: tls.ConnectionOptions = {},
): Promise<string | undefined> {
  const connection = await acceptFrom(contexts, client)
  return connection.client.getPeerX509Certificate()?.subject
}

describe('the presented certificate', () => {
  const both = () => new TlsContexts([certified('contoso.com'), certified('contoso.example')])

  test.each([
    ['contoso.com', 'CN=contoso.com'],
    ['contoso.example', 'CN=contoso.example'],
    ['Contoso.EXAMPLE', 'CN=contoso.example'],
    ['elsewhere.example', 'CN=contoso.com'],
    ['', 'CN=contoso.com'],
  ])('for SNI %j is that of %s', async (servername, subject) => {
    expect(await presented(both(), { servername })).toBe(subject)
  })

  test('of the connecting side is that of the local domain it speaks for', async () => {
    const fabrikam = new TlsContexts([certified('corp.fabrikam.com'), certified('fabrikam.com')])
    const { accepted } = await between(both(), fabrikam)
    expect(accepted.chain[0]?.subject).toBe('CN=fabrikam.com')
  })
})

describe('ALPN (XEP-0368)', () => {
  const contoso = () => new TlsContexts([certified('contoso.com')])

  test('is xmpp-server with direct TLS', async () => {
    const fabrikam = new TlsContexts([certified('fabrikam.com')])
    const { accepted, connected } = await between(contoso(), fabrikam, { directTls: true })
    expect([accepted.socket.alpnProtocol, connected.socket.alpnProtocol]).toEqual([
      'xmpp-server',
      'xmpp-server',
    ])
  })

  test('may be absent from direct TLS', async () => {
    const { accepted } = await acceptFrom(contoso(), {}, true)
    expect(accepted.socket.alpnProtocol).toBe(false)
  })

  test('is not spoken with STARTTLS', async () => {
    const fabrikam = new TlsContexts([certified('fabrikam.com')])
    const { connected } = await between(contoso(), fabrikam)
    expect(connected.socket.alpnProtocol).toBe(false)
  })
})

describe('a partner whose domain is an address', () => {
  test('is connected to without SNI (RFC 6066 §3)', async () => {
    const fabrikam = new TlsContexts([certified('fabrikam.com')])
    const { accepted } = await between(new TlsContexts([certified('contoso.com')]), fabrikam, {
      remote: '127.0.0.1',
    })
    expect(accepted.servername).toBeUndefined()
  })
})

describe('new credentials', () => {
  test('are presented from the next handshake on, in both directions', async () => {
    const contexts = new TlsContexts([certified('fabrikam.com')])
    expect(await presented(contexts)).toBe('CN=fabrikam.com')
    const renewed = root().issueFor('fabrikam.com', { commonName: 'renewed' })
    contexts.replace([credential('fabrikam.com', renewed)])
    expect(await presented(contexts)).toBe('CN=renewed')
    const { accepted } = await between(new TlsContexts([certified('contoso.com')]), contexts)
    expect(accepted.chain[0]?.subject).toBe('CN=renewed')
  })

  test('leave a handshake under way alone', async () => {
    const contexts = new TlsContexts([certified('contoso.com')])
    const { near, far } = await connected()
    const accepting = contexts.accept(near, { directTls: false, signal: patience() })
    contexts.replace([certified('contoso.example')])
    const client = tls.connect({ socket: far, rejectUnauthorized: false, servername: 'contoso.com' })
    const { socket } = await accepting
    expect(client.getPeerX509Certificate()?.subject).toBe('CN=contoso.com')
    client.destroy()
    socket.destroy()
  })

  test.each([
    ['none at all', () => []],
    ['no PEM', () => [{ ...certified('contoso.com'), certificatePem: 'certificate' }]],
    ['the key of another', () => [{ ...certified('contoso.com'), keyPem: certified('contoso.com').keyPem }]],
  ])('that are bad change nothing: %s', async (_, bad) => {
    const contexts = new TlsContexts([certified('contoso.com')])
    expect(() => contexts.replace(bad())).toThrow()
    expect(() => new TlsContexts(bad())).toThrow()
    expect(await presented(contexts)).toBe('CN=contoso.com')
  })

  test('that are bad are named, with their file', () => {
    const { keyPem } = certified('contoso.com')
    const bad = { ...certified('contoso.example'), keyPem, certificateFile: '/etc/gatehouse/x.crt' }
    expect(() => new TlsContexts([certified('contoso.com'), bad])).toThrow(
      'the certificate of contoso.example (/etc/gatehouse/x.crt) or its key cannot be used: key values mismatch',
    )
  })
})
