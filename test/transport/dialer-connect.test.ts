import { once } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import type { Target } from '../../src/transport/service-records.ts'
import type { AttemptStep } from '../../src/xmpp/attempt.ts'
import { blackHole, closedPort, dialerOver, keep, listen } from './dialer-fixture.ts'
import { openSockets } from './resolver-fixture.ts'

const never = new AbortController().signal

function at(port: number, host = 'xmpp.fabrikam.com'): Target {
  return { host, port, directTls: false, source: 'srv' }
}

describe('a target is connected to', () => {
  test('with a socket that can still write when the peer has ended', async () => {
    const port = await listen('127.0.0.1', 0, socket => {
      socket.end()
      socket.pipe(socket)
    })
    const { dialer } = await dialerOver({ 'xmpp.fabrikam.com A': ['127.0.0.1'] })
    const socket = keep(await dialer.connect(at(port), never))
    expect(socket.listenerCount('error')).toBe(1) // ours, from keep()
    socket.resume()
    await once(socket, 'end')
    expect(socket.writable).toBe(true)
    expect(socket.allowHalfOpen).toBe(true)
  })

  test.each(['127.0.0.1', '::1'])('at an address written out, without DNS: %s', async address => {
    const { dialer, zone } = await dialerOver()
    const socket = keep(await dialer.connect(at(await listen(address), address), never))
    expect(socket.remoteAddress).toBe(address)
    expect(zone.queries).toEqual([])
  })

  test('at IPv6 first where both families answer', async () => {
    const port = await listen('::1')
    await listen('127.0.0.1', port)
    const { dialer } = await dialerOver({
      'xmpp.fabrikam.com A': ['127.0.0.1'],
      'xmpp.fabrikam.com AAAA': ['::1'],
    })
    expect(keep(await dialer.connect(at(port), never)).remoteAddress).toBe('::1')
  })

  test.each([
    ['an IPv6 address on which nobody listens', ['::1'], ['127.0.0.1']],
    ['several dead addresses', ['::1'], ['127.0.0.2', '127.0.0.3', '127.0.0.1']],
  ])('past %s', async (_, ipv6, ipv4) => {
    const port = await listen('127.0.0.1')
    const { dialer } = await dialerOver({ 'xmpp.fabrikam.com A': ipv4, 'xmpp.fabrikam.com AAAA': ipv6 })
    expect(keep(await dialer.connect(at(port), never)).remoteAddress).toBe('127.0.0.1')
  })

  test('past an address that does not answer, without waiting for its time to be up', async () => {
    const { port } = await blackHole('::1')
    await listen('127.0.0.1', port)
    const { dialer } = await dialerOver(
      { 'xmpp.fabrikam.com A': ['127.0.0.1'], 'xmpp.fabrikam.com AAAA': ['::1'] },
      { connectMs: 60_000 },
    )
    const before = await openSockets()
    const socket = keep(await dialer.connect(at(port), never))
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
    // One is left: the half that the server accepted.
    await vi.waitFor(async () => expect((await openSockets()).length).toBe(before.length + 1))
  })

  test.each([
    ['AAAA', 'A', '127.0.0.1'],
    ['A', 'AAAA', '::1'],
  ] as const)('while DNS stays silent on its %s records', async (silent, known, address) => {
    const port = await listen(address)
    const { dialer, zone } = await dialerOver({}, { dnsMs: 60_000, connectMs: 60_000 })
    zone.set(`xmpp.fabrikam.com ${silent}`, 'drop')
    zone.set(`xmpp.fabrikam.com ${known}`, [address])
    const before = await openSockets()
    const socket = keep(await dialer.connect(at(port), never))
    expect(socket.remoteAddress).toBe(address)
    socket.destroy()
    // The lookup that nobody waits for any more has ended too; the accepted socket may still be there.
    await vi.waitFor(async () => expect((await openSockets()).filter(isUdp)).toEqual(before.filter(isUdp)))
  })

  test('at an address that DNS tells only after the others have failed', async () => {
    const port = await listen('::1')
    const { dialer, zone } = await dialerOver({ 'xmpp.fabrikam.com A': ['127.0.0.1'] }, { dnsMs: 900 })
    zone.set('xmpp.fabrikam.com AAAA', () => {
      zone.set('xmpp.fabrikam.com AAAA', ['::1'])
      return []
    })
    expect(keep(await dialer.connect(at(port), never)).remoteAddress).toBe('::1')
  })
})

describe('a target that cannot be reached', () => {
  test('tells every address and its cause', async () => {
    const port = await closedPort()
    const { dialer } = await dialerOver({
      'xmpp.fabrikam.com A': ['127.0.0.1', '127.0.0.2'],
      'xmpp.fabrikam.com AAAA': ['::1'],
    })
    const failure = await dialer.connect(at(port), never).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      name: 'DialError',
      condition: 'remote-server-timeout',
      code: 'connect-refused',
    })
    const { message } = failure as Error
    expect(message).toContain(`xmpp.fabrikam.com port ${port}: `)
    for (const address of ['127.0.0.1', '127.0.0.2', '::1'])
      expect(message).toContain(`${address} ECONNREFUSED`)
  })

  test('is tried at 16 addresses of a family, whatever it publishes', async () => {
    const port = await closedPort()
    const addresses = Array.from({ length: 20 }, (_, last) => `127.0.0.${last + 1}`)
    const { dialer } = await dialerOver({ 'xmpp.fabrikam.com A': addresses })
    const failure = await dialer.connect(at(port), never).catch((error: unknown) => error)
    expect((failure as Error).message.match(/ECONNREFUSED/g)).toHaveLength(16)
  })

  test('leaves the next one to be tried', async () => {
    const { dialer, zone } = await dialerOver({
      'dead.example A': ['127.0.0.1'],
      'live.example A': ['127.0.0.1'],
    })
    const [dead, live] = [await closedPort(), await listen()]
    await expect(dialer.connect(at(dead, 'dead.example'), never)).rejects.toThrow('ECONNREFUSED')
    expect(keep(await dialer.connect(at(live, 'live.example'), never)).remotePort).toBe(live)
    expect(zone.queries.length).toBe(4)
  })

  test.each([
    ['has no name in DNS', {}],
    ['has no address', { 'xmpp.fabrikam.com CNAME': ['b.example'], 'b.example SRV': [] }],
    [
      'has only addresses that are no host',
      {
        'xmpp.fabrikam.com A': ['0.0.0.0', '224.0.0.1', '255.255.255.255'],
        'xmpp.fabrikam.com AAAA': ['::', 'ff02::1', '::ffff:0:1'],
      },
    ],
  ] as const)('is not found where it %s', async (_, table) => {
    const { dialer } = await dialerOver(table)
    await expect(dialer.connect(at(5269), never)).rejects.toMatchObject({
      condition: 'remote-server-not-found',
      code: 'dns-no-address',
      message: 'xmpp.fabrikam.com port 5269: no address',
    })
  })

  test('that the partner list names is not found where it has no address', async () => {
    const { dialer } = await dialerOver({})
    const target: Target = { host: 'mistyped.example', port: 5269, directTls: false, source: 'proxy' }
    await expect(dialer.connect(target, never)).rejects.toMatchObject({
      condition: 'remote-server-not-found',
      code: 'proxy-no-address',
    })
  })

  test('is a time-out where DNS fails', async () => {
    const { dialer } = await dialerOver({ 'xmpp.fabrikam.com A': 'SERVFAIL' })
    await expect(dialer.connect(at(5269), never)).rejects.toMatchObject({
      condition: 'remote-server-timeout',
      code: 'dns-failed',
      message: expect.stringContaining('SERVFAIL'),
    })
  })

  test('is given up in time', async () => {
    const { port } = await blackHole('127.0.0.1')
    const { dialer } = await dialerOver({ 'xmpp.fabrikam.com A': ['127.0.0.1'] }, { connectMs: 150 })
    const before = await openSockets()
    await expect(dialer.connect(at(port), never)).rejects.toMatchObject({
      condition: 'remote-server-timeout',
      code: 'connect-timeout',
      message: `xmpp.fabrikam.com port ${port}: 127.0.0.1 no answer`,
    })
    await vi.waitFor(async () => expect(await openSockets()).toEqual(before))
  })

  test('is not found to have no address where DNS is only slow', async () => {
    const table = { 'xmpp.fabrikam.com A': 'drop', 'xmpp.fabrikam.com AAAA': 'drop' } as const
    const { dialer } = await dialerOver(table, { connectMs: 150 })
    await expect(dialer.connect(at(5269), never)).rejects.toMatchObject({ code: 'dns-failed' })
  })

  test('tells what was asked and tried, step by step', async () => {
    const { dialer } = await dialerOver({ 'xmpp.fabrikam.com A': ['127.0.0.1'] })
    const port = await closedPort()
    const steps: AttemptStep[] = []
    await dialer.connect(at(port), never, step => steps.push(step)).catch(() => {})
    const asked = (type: string) => ({ step: 'dns', question: `xmpp.fabrikam.com ${type}` })
    expect(steps[0]).toMatchObject({ step: 'server', host: 'xmpp.fabrikam.com', port })
    expect(steps).toContainEqual({ ...asked('A'), outcome: 'records', records: ['127.0.0.1'], reason: null })
    expect(steps).toContainEqual({ ...asked('AAAA'), outcome: 'no-data', records: [], reason: null })
    const outcome = { outcome: 'failed', reason: 'ECONNREFUSED' }
    expect(steps.at(-1)).toEqual({ step: 'address', address: '127.0.0.1', ...outcome })
  })

  test('is left when the signal is aborted, with nothing kept open', async () => {
    const { port } = await blackHole('127.0.0.1')
    const { dialer, zone } = await dialerOver({
      'xmpp.fabrikam.com A': ['127.0.0.1'],
      'xmpp.fabrikam.com AAAA': 'drop',
    })
    const before = await openSockets()
    const controller = new AbortController()
    const connecting = dialer.connect(at(port), controller.signal)
    await vi.waitFor(() => expect(zone.queries.length).toBe(2))
    controller.abort(new Error('shutdown'))
    await expect(connecting).rejects.toThrow('shutdown')
    await vi.waitFor(async () => expect(await openSockets()).toEqual(before))
  })
})

function isUdp(kind: string): boolean {
  return kind.startsWith('UDP')
}
