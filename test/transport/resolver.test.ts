import { describe, expect, test, vi } from 'vitest'
import { DnsError } from '../../src/transport/dns-answer.ts'
import type { ZoneTable } from '../support/zone.ts'
import { nameOf, openSockets, rawReply, srvTo, zoneOf } from './resolver-fixture.ts'

describe('the resolver', () => {
  test('reads SRV records, with "." for the root and names in lower case', async () => {
    const { resolver } = await zoneOf({
      'a.example SRV': [
        { priority: 1, weight: 2, port: 3, target: 'XMPP.a.example' },
        { port: 0, target: '.' },
      ],
    })
    expect(await resolver.lookup('A.example', 'SRV')).toMatchObject({
      kind: 'records',
      records: [
        { priority: 1, weight: 2, port: 3, target: 'xmpp.a.example' },
        { priority: 0, weight: 0, port: 0, target: '.' },
      ],
    })
  })

  test('reads addresses of both families', async () => {
    const { resolver } = await zoneOf({
      'a.example A': ['127.0.0.1', '127.0.0.2'],
      'a.example AAAA': ['::1'],
    })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ records: ['127.0.0.1', '127.0.0.2'] })
    expect(await resolver.lookup('a.example', 'AAAA')).toMatchObject({ records: ['::1'] })
  })

  test('asks a server at an IPv6 address', async () => {
    const { resolver } = await zoneOf({ 'a.example A': ['127.0.0.1'] }, { address: '::1' })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ records: ['127.0.0.1'] })
  })

  test('asks for recursion, with 1232 bytes of EDNS', async () => {
    const { resolver, zone } = await zoneOf({ 'a.example A': ['127.0.0.1'] })
    await resolver.lookup('a.example', 'A')
    const request = zone.queries[0]?.request
    expect(request?.header.rd).toBe(1)
    expect(request?.additionals).toMatchObject([{ type: 41, class: 1232 }])
  })

  test('tells no name, no data and failure apart', async () => {
    const { resolver } = await zoneOf({ 'a.example A': ['127.0.0.1'], 'bad.example A': 'SERVFAIL' })
    expect(await resolver.lookup('none.example', 'A')).toMatchObject({ kind: 'no-domain', aliases: [] })
    expect(await resolver.lookup('a.example', 'AAAA')).toMatchObject({ kind: 'no-data', aliases: [] })
    expect(await resolver.lookup('example', 'A')).toMatchObject({ kind: 'no-data' })
    const failure = await resolver.lookup('bad.example', 'A').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(DnsError)
    expect(failure).toMatchObject({
      code: 'servfail',
      message: expect.stringContaining('bad.example A: 127.0.0.1'),
    })
  })

  test.each([
    [['local/host', 'example'], 'local/host.example'],
    [['xmpp example'], 'xmpp\\032example'],
    [['-a', 'example'], '-a.example'],
    [['a\0', 'example'], 'a\\000.example'],
    [['a;b\n'], 'a\\059b\\010'],
    [['M\u00dcller\\', 'example'], 'm\\220ller\\092.example'],
    [['10', '0', '0', '1'], '10.0.0.1'],
  ])('sets an SRV record apart whose target is no host name: %j', async (labels, target) => {
    const { resolver, zone } = await zoneOf()
    zone.set('a.example SRV', (_, query) => [rawReply(query, srvTo(...labels))])
    zone.set('b.example SRV', (_, query) => [rawReply(query, srvTo('xmpp', 'example'))])
    expect(await resolver.lookup('a.example', 'SRV')).toMatchObject({
      kind: 'records',
      records: [],
      unusable: [{ priority: 0, weight: 0, port: 5269, target }],
    })
    expect(await resolver.lookup('b.example', 'SRV')).toMatchObject({
      records: [{ target: 'xmpp.example' }],
      unusable: [],
    })
  })

  test('does not take a record it cannot read for none', async () => {
    const { resolver, zone } = await zoneOf()
    zone.set('a.example A', (_, query) => [rawReply(query, Buffer.from([127, 0, 1]))])
    await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({ code: 'bad-response' })
  })

  test('asks nothing of a name that cannot be one', async () => {
    const { resolver, zone } = await zoneOf()
    const tooLong = `${'a23456789.'.repeat(26)}example`
    for (const name of ['a..example', 'a b.example', '', tooLong, '10.0.0.1']) {
      expect(await resolver.lookup(name, 'A')).toMatchObject({ kind: 'no-domain' })
    }
    expect(zone.queries).toEqual([])
  })

  test('believes the AD bit of a resolver on this machine', async () => {
    const { resolver, zone } = await zoneOf({ 'plain.example A': ['127.0.0.1'] })
    zone.set('signed.example A', (_, query) => [
      rawReply(query, Buffer.from([127, 0, 0, 9]), { flags: 0x81a0 }),
    ])
    expect(await resolver.lookup('signed.example', 'A')).toMatchObject({
      authenticated: true,
      records: ['127.0.0.9'],
    })
    expect(await resolver.lookup('plain.example', 'A')).toMatchObject({ authenticated: false })
  })
})

describe('an alias', () => {
  const table = {
    'a.example CNAME': ['b.example'],
    'b.example CNAME': ['c.example'],
    'c.example A': ['127.0.0.3'],
  }

  test.each([true, false])('is followed (the server does so too: %s)', async followAliases => {
    const { resolver, zone } = await zoneOf(table, { followAliases })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ records: ['127.0.0.3'] })
    expect(zone.queries.length).toBe(followAliases ? 1 : 3)
  })

  test.each([true, false])(
    'is told of, with the shortest TTL on the way (the server follows: %s)',
    async follows => {
      const aliased = { ...table, 'b.example CNAME': [{ value: 'c.example', ttl: 20 }] }
      const { resolver } = await zoneOf(aliased, { followAliases: follows })
      const aliases = ['b.example', 'c.example']
      expect(await resolver.lookup('a.example', 'A')).toMatchObject({ aliases, ttl: 20 })
      expect(await resolver.lookup('C.example', 'A')).toMatchObject({ aliases: [], ttl: 60 })
    },
  )

  test.each([true, false])('leads to no data or to no name (the server follows: %s)', async followAliases => {
    const { resolver } = await zoneOf({ ...table, 'd.example CNAME': ['nowhere.example'] }, { followAliases })
    expect(await resolver.lookup('a.example', 'AAAA')).toEqual({
      kind: 'no-data',
      aliases: ['b.example', 'c.example'],
      ttl: 60,
    })
    expect(await resolver.lookup('d.example', 'A')).toEqual({
      kind: 'no-domain',
      aliases: ['nowhere.example'],
      ttl: 60,
    })
  })

  test.each([true, false])('may be one of 8, not of 9 (the server follows: %s)', async followAliases => {
    const { resolver, zone } = await zoneOf({ 'n9.example A': ['127.0.0.9'] }, { followAliases })
    for (let link = 0; link < 9; link += 1) zone.set(`n${link}.example CNAME`, [`n${link + 1}.example`])
    expect(await resolver.lookup('n1.example', 'A')).toMatchObject({ records: ['127.0.0.9'] })
    await expect(resolver.lookup('n0.example', 'A')).rejects.toThrow('more than 8 aliases')
  })

  test.each(['10.0.0.1', 'local/host.example', 'x y'])(
    'for what is no host name is an error: %s',
    async name => {
      const { resolver, zone } = await zoneOf()
      zone.set('a.example A', (_, query) => [rawReply(query, nameOf(...name.split('.')), { type: 5 })])
      await expect(resolver.lookup('a.example', 'A')).rejects.toThrow('no host name')
      expect(zone.queries.length).toBe(1)
    },
  )

  test.each([true, false])(
    'that comes round again is an error (the server follows: %s)',
    async followAliases => {
      const loop = { 'a.example CNAME': ['b.example'], 'b.example CNAME': ['a.example'] } satisfies ZoneTable
      const { resolver, zone } = await zoneOf(loop, { followAliases })
      await expect(resolver.lookup('a.example', 'A')).rejects.toMatchObject({ code: 'bad-response' })
      expect(zone.queries.length).toBeLessThanOrEqual(9)
    },
  )
})

describe('a lookup', () => {
  test('is shared by all who ask at the same time', async () => {
    const { resolver, zone } = await zoneOf({ 'a.example A': ['127.0.0.1'] })
    const answers = await Promise.all([1, 2, 3].map(() => resolver.lookup('a.example', 'A')))
    expect(answers).toHaveLength(3)
    expect(zone.countOf('a.example A')).toBe(1)
  })

  test('ends for whoever aborts it, and goes on for the others', async () => {
    const { resolver, zone } = await zoneOf({ 'a.example A': 'drop' })
    const controller = new AbortController()
    const left = resolver.lookup('a.example', 'A', controller.signal)
    const stayed = resolver.lookup('a.example', 'A')
    await vi.waitFor(() => expect(zone.queries.length).toBe(1))
    zone.set('a.example A', ['127.0.0.1'])
    controller.abort(new Error('enough'))
    await expect(left).rejects.toThrow('enough')
    expect(await stayed).toMatchObject({ records: ['127.0.0.1'] })
  })

  test('stops asking when everybody has left, and starts anew for the next', async () => {
    const { resolver, zone } = await zoneOf({ 'a.example A': 'drop' })
    const before = await openSockets()
    const controller = new AbortController()
    const left = resolver.lookup('a.example', 'A', controller.signal)
    await vi.waitFor(() => expect(zone.queries.length).toBe(1))
    expect(await openSockets()).not.toEqual(before)
    controller.abort()
    await expect(left).rejects.toThrow()
    await vi.waitFor(async () => expect(await openSockets()).toEqual(before))
    zone.set('a.example A', ['127.0.0.1'])
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ records: ['127.0.0.1'] })
    expect(zone.queries.length).toBe(2)
  })

  test('is not begun with a signal that is already aborted', async () => {
    const { resolver, zone } = await zoneOf({ 'a.example A': ['127.0.0.1'] })
    await expect(resolver.lookup('a.example', 'A', AbortSignal.abort(new Error('over')))).rejects.toThrow(
      'over',
    )
    expect(zone.queries).toEqual([])
  })
})
