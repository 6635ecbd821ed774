import type { Packet } from 'dns2'
import { describe, expect, test, vi } from 'vitest'
import { parseNameServer } from '../../src/transport/dns-exchange.ts'
import { Resolver } from '../../src/transport/resolver.ts'
import { startZone } from '../support/zone.ts'
import {
  addAddress,
  forged,
  openSockets,
  rawReply,
  rawServer,
  renumber,
  truncate,
  zoneOf,
} from './resolver-fixture.ts'

const good = { 'a.example A': ['127.0.0.1'] } as const
const isGood = { kind: 'records', records: ['127.0.0.1'] }

async function closedPort(): Promise<string> {
  const zone = await startZone()
  await zone.close()
  return zone.address
}

describe('with several servers, the resolver', () => {
  test.each(['SERVFAIL', 'REFUSED'] as const)(
    'asks the next after a %s, and the first not again',
    async refusal => {
      const { zone: first } = await zoneOf({ 'a.example A': refusal })
      const { zone: second } = await zoneOf(good)
      const resolver = new Resolver({ servers: [first.address, second.address], timeoutMs: 1500 })
      expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
      expect([first.queries.length, second.queries.length]).toEqual([1, 1])
    },
  )

  test('asks the next at once where nobody listens', async () => {
    const { zone } = await zoneOf(good)
    const resolver = new Resolver({ servers: [await closedPort(), zone.address], timeoutMs: 60_000 })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
  })

  test('asks the next where the first is silent', async () => {
    const { zone: first } = await zoneOf({ 'a.example A': 'drop' })
    const { zone: second } = await zoneOf(good)
    const resolver = new Resolver({ servers: [first.address, second.address], timeoutMs: 900 })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
    expect([first.queries.length, second.queries.length]).toEqual([1, 1])
  })

  test('believes the first when it says there is no such name', async () => {
    const { zone: first } = await zoneOf()
    const { zone: second } = await zoneOf(good)
    const resolver = new Resolver({ servers: [first.address, second.address], timeoutMs: 1500 })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ kind: 'no-domain' })
    expect(second.queries).toEqual([])
  })

  test('does not take a referral for "no such record"', async () => {
    const { zone: first } = await zoneOf()
    first.set('a.example A', honest => [
      forged(honest, copy => {
        copy.authorities = [Object.assign(copy.authorities[0]!, { type: 2, ns: 'ns.example' })]
      }),
    ])
    const { zone: second } = await zoneOf(good)
    const resolver = new Resolver({ servers: [first.address, second.address], timeoutMs: 1500 })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
  })

  test('names each of them and its cause when all fail', async () => {
    const { zone: first } = await zoneOf({ 'a.example A': 'SERVFAIL' })
    const dead = await closedPort()
    const resolver = new Resolver({ servers: [first.address, dead], timeoutMs: 1500 })
    await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(
        new RegExp(
          `127.0.0.1 port ${first.port}: SERVFAIL; 127.0.0.1 port ${dead.slice(10)}: .*ECONNREFUSED`,
        ),
      ),
    })
  })

  test('fails without any server', async () => {
    const resolver = new Resolver({ servers: [], timeoutMs: 100 })
    await expect(resolver.lookup('a.example', 'A')).rejects.toThrow('no name server')
  })
})

describe('with one server, the resolver', () => {
  test('asks again when the packet is lost, each time from another port', async () => {
    const { zone } = await zoneOf({ 'a.example A': 'drop' })
    zone.set('a.example A', honest => (zone.queries.length < 3 ? [] : [forged(honest, addAddress)]))
    const resolver = new Resolver({ servers: [zone.address], timeoutMs: 600 })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
    expect(new Set(zone.queries.map(query => query.port)).size).toBe(3)
    expect(new Set(zone.queries.map(query => query.request.header.id)).size).toBeGreaterThan(1)
  })

  test('gives up in time, and leaves no socket', async () => {
    const { zone } = await zoneOf({ 'a.example A': 'drop' })
    const before = await openSockets()
    const started = performance.now()
    const resolver = new Resolver({ servers: [zone.address], timeoutMs: 900 })
    await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({ code: 'timeout' })
    expect(performance.now() - started).toBeLessThan(3000)
    expect(zone.queries.length).toBe(3)
    await vi.waitFor(async () => expect(await openSockets()).toEqual(before))
  })

  test('asks one that refuses no more than once', async () => {
    const { resolver, zone } = await zoneOf({ 'a.example A': 'REFUSED' })
    await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({ code: 'refused' })
    expect(zone.queries.length).toBe(1)
  })
})

describe('a truncated reply', () => {
  const many = Array.from({ length: 60 }, (_, port) => ({
    port: port + 1,
    target: `host${port}.big.example`,
  }))

  test('is asked for over TCP', async () => {
    const { resolver, zone } = await zoneOf({ 'big.example SRV': many })
    const before = await openSockets()
    const answer = await resolver.lookup('big.example', 'SRV')
    expect(answer.kind === 'records' && answer.records.length).toBe(60)
    expect(zone.queries.map(query => query.transport)).toEqual(['udp', 'tcp'])
    await vi.waitFor(async () => expect(await openSockets()).toEqual(before))
  })

  test.each([
    ['is silent', 'timeout', () => []],
    ['answers another question', 'bad-response', (honest: Packet) => [forged(honest, renumber)]],
    ['truncates again', 'bad-response', (honest: Packet) => [forged(honest, truncate)]],
  ] as const)('fails where TCP %s', async (_, code, overTcp) => {
    const { zone } = await zoneOf()
    zone.set('a.example A', (honest, { transport }) =>
      transport === 'udp' ? [forged(honest, truncate)] : overTcp(honest),
    )
    const resolver = new Resolver({ servers: [zone.address], timeoutMs: 900 })
    await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({ code })
  })
})

describe('over TCP', () => {
  const truncated = (query: { request: Packet }) => [rawReply(query, Buffer.from([127]), { flags: 0x8780 })]

  test('a reply may come in pieces', async () => {
    const resolver = await rawServer({
      udp: truncated,
      tcp: (socket, query) => {
        const reply = rawReply(query, Buffer.from([127, 0, 0, 1]))
        const bytes = Buffer.concat([Buffer.from([0, reply.length]), reply])
        const sendFrom = (start: number) => {
          if (start < bytes.length)
            socket.write(bytes.subarray(start, start + 1), () => setImmediate(sendFrom, start + 1))
        }
        sendFrom(0)
      },
    })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
  })

  test('a connection closed without an answer is a failure', async () => {
    const resolver = await rawServer({ udp: truncated, tcp: socket => void socket.end(Buffer.from([0])) })
    await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({
      code: 'bad-response',
      message: expect.stringContaining('closed the connection'),
    })
  })

  test('a reply over 16 KB is not waited for', async () => {
    const resolver = await rawServer({
      udp: truncated,
      tcp: socket => void socket.write(Buffer.from([0x40, 0x01])),
    })
    await expect(resolver.lookup('a.example', 'A')).rejects.toThrow('answered with 16385 bytes')
  })
})

describe("a name server's address", () => {
  test.each([
    ['192.0.2.1', '192.0.2.1', 53],
    ['192.0.2.1:5353', '192.0.2.1', 5353],
    ['2001:db8::1', '2001:db8::1', 53],
    ['[2001:db8::1]', '2001:db8::1', 53],
    ['[2001:db8::1]:5353', '2001:db8::1', 5353],
    ['fe80::1%eth0', 'fe80::1%eth0', 53],
  ])('may be %s', (text, address, port) => {
    expect(parseNameServer(text)).toEqual({ address, port })
  })

  test.each(['', 'localhost', 'dns.example:53', '192.0.2.1:0', '192.0.2.1:65536', '[192.0.2.1', '::1]:53'])(
    'may not be "%s"',
    text => {
      expect(() => parseNameServer(text)).toThrow(RangeError)
    },
  )
})
