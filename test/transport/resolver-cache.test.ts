import { describe, expect, onTestFinished, test } from 'vitest'
import { Resolver } from '../../src/transport/resolver.ts'
import type { ZoneAnswer, ZoneTable } from '../support/zone.ts'
import { startZone } from '../support/zone.ts'
import { forged } from './resolver-fixture.ts'

/** A resolver whose clock is moved by hand, and how often its one server was asked. */
async function fixture(table: ZoneTable, options: Parameters<typeof startZone>[1] = {}) {
  const zone = await startZone(table, options)
  onTestFinished(() => zone.close())
  let ms = 0
  const resolver = new Resolver({ servers: [zone.address], timeoutMs: 1500, now: () => ms })
  return {
    zone,
    resolver,
    asked: () => zone.queries.length,
    passes: (seconds: number) => {
      ms += seconds * 1000
    },
  }
}

function address(ttl: number): ZoneAnswer {
  return [{ value: '127.0.0.1', ttl }]
}

describe('an answer is remembered', () => {
  test.each([
    ['for its TTL', 60, 60],
    ['for 5 s at least', 0, 5],
    ['for an hour at most', 1_000_000, 3600],
  ])('%s', async (_, ttl, kept) => {
    const { resolver, asked, passes } = await fixture({ 'a.example A': address(ttl) })
    const first = await resolver.lookup('a.example', 'A')
    passes(kept - 0.1)
    expect(await resolver.lookup('A.example', 'A')).toEqual(first)
    expect(asked()).toBe(1)
    passes(0.2)
    await resolver.lookup('a.example', 'A')
    expect(asked()).toBe(2)
  })

  test('for the shortest TTL of its records and aliases', async () => {
    const { resolver, asked, passes } = await fixture(
      {
        'a.example CNAME': [{ value: 'b.example', ttl: 20 }],
        'b.example A': [
          { value: '127.0.0.1', ttl: 40 },
          { value: '127.0.0.2', ttl: 30 },
        ],
      },
      { followAliases: false },
    )
    await resolver.lookup('a.example', 'A')
    await resolver.lookup('b.example', 'A')
    expect(asked()).toBe(3)
    passes(19)
    await resolver.lookup('a.example', 'A')
    expect(asked()).toBe(3)
    passes(2)
    await resolver.lookup('a.example', 'A')
    expect(asked()).toBe(5)
    passes(10)
    await resolver.lookup('b.example', 'A')
    expect(asked()).toBe(6)
  })

  test('each type by itself', async () => {
    const { resolver, asked } = await fixture({ 'a.example A': address(60), 'a.example AAAA': ['::1'] })
    await resolver.lookup('a.example', 'A')
    expect(await resolver.lookup('a.example', 'AAAA')).toMatchObject({ records: ['::1'] })
    expect(asked()).toBe(2)
  })
})

describe('that there is nothing is remembered', () => {
  test.each([
    ["for the zone's minimum", 120, 120],
    ['for 5 min at most', 86_400, 300],
    ['for 5 s at least', 0, 5],
  ])('%s', async (_, negativeTtl, kept) => {
    const { resolver, asked, passes } = await fixture({ 'a.example A': address(60) }, { negativeTtl })
    for (const [name, kind] of [
      ['none.example', 'no-domain'],
      ['a.example', 'no-data'],
    ] as const) {
      const before = asked()
      await resolver.lookup(name, 'AAAA')
      passes(kept - 0.1)
      expect(await resolver.lookup(name, 'AAAA')).toMatchObject({ kind })
      expect(asked()).toBe(before + 1)
      passes(0.2)
      await resolver.lookup(name, 'AAAA')
      expect(asked()).toBe(before + 2)
    }
  })

  test("for the TTL of the zone's SOA record where that is shorter", async () => {
    const { resolver, asked, passes, zone } = await fixture({})
    zone.set('a.example A', honest => [forged(honest, copy => void (copy.authorities[0]!.ttl = 10))])
    await resolver.lookup('a.example', 'A')
    passes(11)
    await resolver.lookup('a.example', 'A')
    expect(asked()).toBe(2)
  })

  test('for 30 s where the zone does not say', async () => {
    const { resolver, asked, passes, zone } = await fixture({})
    zone.set('a.example A', honest => [forged(honest, copy => void (copy.authorities = []))])
    await resolver.lookup('a.example', 'A')
    passes(29)
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ kind: 'no-data' })
    expect(asked()).toBe(1)
    passes(2)
    await resolver.lookup('a.example', 'A')
    expect(asked()).toBe(2)
  })
})

describe('the memory', () => {
  test.each(['SERVFAIL', 'REFUSED'] as const)('holds no %s', async refusal => {
    const { resolver, zone } = await fixture({ 'a.example A': refusal })
    await expect(resolver.lookup('a.example', 'A')).rejects.toThrow(refusal)
    zone.set('a.example A', address(60))
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ kind: 'records' })
  })

  test('is not that of another one, until it learns from it', async () => {
    const { resolver, asked, zone } = await fixture({ 'b.example A': address(60) })
    for (const name of ['a.example', 'b.example']) await resolver.lookup(name, 'A')
    zone.set('a.example A', address(60))
    zone.delete('b.example A')
    const other = resolver.afresh()
    expect(await other.lookup('a.example', 'A')).toMatchObject({ kind: 'records' })
    expect([other, resolver].map(one => one.remembers('b.example', 'A'))).toEqual([false, true])
    expect(await resolver.lookup('a.example', 'A')).toMatchObject({ kind: 'no-domain' })
    resolver.learnFrom(other)
    expect(await resolver.lookup('A.example', 'A')).toMatchObject({ kind: 'records' })
    expect(await resolver.lookup('b.example', 'A')).toMatchObject({ kind: 'records' })
    expect(asked()).toBe(3)
  })

  test('keeps what it has learnt no longer than the other one', async () => {
    const { resolver, asked, passes } = await fixture({ 'a.example A': address(60) })
    const other = resolver.afresh()
    await other.lookup('a.example', 'A')
    passes(59)
    resolver.learnFrom(other)
    expect(resolver.remembers('A.example', 'A')).toBe(true)
    passes(2)
    expect(resolver.remembers('a.example', 'A')).toBe(false)
    await resolver.lookup('a.example', 'A')
    expect(asked()).toBe(2)
  })
})
