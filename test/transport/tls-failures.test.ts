import { getEventListeners, once } from 'node:events'
import type net from 'node:net'
import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import { context, sequence } from '../../src/identity/der.ts'
import { extension } from '../../src/identity/issue.ts'
import { TlsContexts } from '../../src/transport/tls.ts'
import { createAuthority } from '../support/certificates.ts'
import { acceptFrom, connected, credential, domain, patience } from './tls-peers.ts'

const contoso = () => new TlsContexts([credential('contoso.com', createAuthority().issueFor('contoso.com'))])
const names = { local: domain('contoso.com'), remote: domain('fabrikam.com') }

describe('accepting is refused, and the socket destroyed, when the peer', () => {
  type Row = readonly [what: string, reason: RegExp, act: (socket: net.Socket) => unknown]
  const client = (socket: net.Socket, options: tls.ConnectionOptions) =>
    tls.connect({ socket, rejectUnauthorized: false, ...options }).on('error', () => undefined)

  test.each([
    ['speaks no TLS', /http request/, socket => socket.write('GET / HTTP/1.0\r\n\r\n')],
    [
      'sends a stanza',
      /^TLS handshake failed: /,
      socket => socket.write('<message><body>hello</body></message>'),
    ],
    ['resets the connection', /^TLS handshake failed: /, socket => socket.resetAndDestroy()],
    ['knows no TLS 1.2', /unsupported protocol/, socket => client(socket, oldTls)],
    [
      'offers another ALPN protocol',
      /no application protocol/,
      socket => client(socket, { ALPNProtocols: ['h2'] }),
    ],
  ] satisfies Row[])('%s', async (_, reason, act) => {
    const { near, far } = await connected()
    const signal = patience()
    const accepting = contoso().accept(near, { directTls: true, signal })
    act(far)
    await expect(accepting).rejects.toThrow(reason)
    expect(near.destroyed).toBe(true)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('has a malformed certificate', async () => {
    const twice = extension('2.5.29.17', sequence(context(2, 'fabrikam.com')))
    const { chainPem, keyPem } = createAuthority().issue({ extensions: [twice, twice] })
    await expect(acceptFrom(contoso(), { cert: chainPem, key: keyPem })).rejects.toThrow(
      'malformed certificate: extension 2.5.29.17 comes twice',
    )
  })
})

describe('connecting is refused, and the socket destroyed, when', () => {
  test('the peer speaks no TLS', async () => {
    const { near, far } = await connected()
    near.write('<proceed/>'.repeat(10))
    const connecting = contoso().connect(far, { ...names, directTls: false, signal: patience() })
    await expect(connecting).rejects.toThrow(/^TLS handshake failed: /)
    expect(far.destroyed).toBe(true)
  })

  test('the peer ends the connection', async () => {
    const { near, far } = await connected()
    near.end()
    const connecting = contoso().connect(far, { ...names, directTls: false, signal: patience() })
    await expect(connecting).rejects.toThrow(/^TLS handshake failed: /)
    expect(far.destroyed).toBe(true)
  })

  test('there is no certificate for the local domain', async () => {
    const { far } = await connected()
    const options = { ...names, local: domain('elsewhere.example'), directTls: false, signal: patience() }
    await expect(contoso().connect(far, options)).rejects.toThrow(
      'no certificate for local domain elsewhere.example',
    )
    expect(far.destroyed).toBe(true)
  })
})

describe('an abort', () => {
  test.each(['accept', 'connect'] as const)(
    'ends %s with its reason, and destroys the socket',
    async side => {
      const { near, far } = await connected()
      const abort = new AbortController()
      const pending = start(side, near, far, abort.signal)
      const { socket } = pending
      abort.abort(new Error('too slow'))
      await expect(pending.done).rejects.toThrow('too slow')
      expect(socket.destroyed).toBe(true)
      expect(getEventListeners(abort.signal, 'abort')).toEqual([])
    },
  )

  test.each(['accept', 'connect'] as const)('before %s leaves nothing to do', async side => {
    const { near, far } = await connected()
    const pending = start(side, near, far, AbortSignal.abort(new Error('shutting down')))
    await expect(pending.done).rejects.toThrow('shutting down')
    expect(pending.socket.destroyed).toBe(true)
  })

  test('of one handshake does not touch another', async () => {
    const ours = contoso()
    const [first, second] = [await connected(), await connected()]
    const abort = new AbortController()
    const aborted = ours.accept(first.near, { directTls: false, signal: abort.signal })
    const other = ours.accept(second.near, { directTls: false, signal: patience() })
    abort.abort(new Error('too slow'))
    await expect(aborted).rejects.toThrow('too slow')
    const peer = tls.connect({ socket: second.far, rejectUnauthorized: false })
    await once(peer, 'secureConnect')
    expect((await other).version).toBe('TLSv1.3')
    peer.destroy()
  })

  test('after the handshake changes nothing', async () => {
    const { near, far } = await connected()
    const abort = new AbortController()
    const peer = tls.connect({ socket: far, rejectUnauthorized: false })
    const { socket } = await contoso().accept(near, { directTls: false, signal: abort.signal })
    abort.abort()
    expect(socket.destroyed).toBe(false)
    peer.destroy()
    socket.destroy()
  })
})

test('a socket that has gone already is refused', async () => {
  const { near, far } = await connected()
  near.destroy()
  far.destroy()
  await expect(contoso().accept(near, { directTls: false, signal: patience() })).rejects.toThrow('closed')
  await expect(contoso().connect(far, { ...names, directTls: false, signal: patience() })).rejects.toThrow(
    'closed',
  )
})

const oldTls: tls.ConnectionOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.1',
  ciphers: 'ALL:@SECLEVEL=0',
}

function start(side: 'accept' | 'connect', near: net.Socket, far: net.Socket, signal: AbortSignal) {
  return side === 'accept'
    ? { socket: near, done: contoso().accept(near, { directTls: false, signal }) }
    : { socket: far, done: contoso().connect(far, { ...names, directTls: false, signal }) }
}
