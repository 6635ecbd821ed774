import { describe, expect, test } from 'vitest'
import { type DnsAnswer, isUsable, type SrvRecord } from '../../src/transport/dns-answer.ts'
import type { ServiceRecord } from '../../src/transport/service-records.ts'
import { orderTargets, targetsFor } from '../../src/transport/service-records.ts'

const noData: DnsAnswer<SrvRecord> = { kind: 'no-data', aliases: [], ttl: 30 }
const noDomain: DnsAnswer<SrvRecord> = { kind: 'no-domain', aliases: [], ttl: 30 }

function records(...values: SrvRecord[]): DnsAnswer<SrvRecord> {
  return {
    kind: 'records',
    records: values.filter(isUsable),
    unusable: values.filter(value => !isUsable(value)),
    authenticated: false,
    aliases: [],
    ttl: 60,
  }
}

function srv(target: string, priority = 0, weight = 0, port = 5269): SrvRecord {
  return { target, priority, weight, port }
}

function service(target: string, priority: number, weight: number, directTls = false): ServiceRecord {
  return { ...srv(target, priority, weight), directTls }
}

function hosts(records: readonly ServiceRecord[], random: () => number): string {
  return orderTargets(records, random)
    .map(target => target.host)
    .join(' ')
}

// mulberry32: the same numbers in every run.
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function firstPlaces(records: readonly ServiceRecord[], draws: number): Record<string, number> {
  const random = seeded(1)
  const places: Record<string, number> = {}
  for (let drawn = 0; drawn < draws; drawn += 1) {
    const host = orderTargets(records, random)[0]?.host ?? ''
    places[host] = (places[host] ?? 0) + 1
  }
  return places
}

describe('the order of SRV records (RFC 2782)', () => {
  test('is by priority, whatever the weights', () => {
    const all = [service('c', 20, 100), service('b', 10, 0), service('a', 5, 1)]
    for (const random of [() => 0, () => 0.5, () => 0.999]) expect(hosts(all, random)).toBe('a b c')
  })

  test('holds every record once, also with equal ones', () => {
    const all = [service('a', 1, 5), service('b', 1, 5), service('c', 1, 0), service('d', 2, 65535)]
    const random = seeded(7)
    for (let drawn = 0; drawn < 50; drawn += 1) {
      expect(hosts(all, random).split(' ').sort().join('')).toBe('abcd')
    }
  })

  test('draws in proportion to weight', () => {
    const places = firstPlaces(
      [service('one', 0, 10), service('three', 0, 30), service('six', 0, 60)],
      10_000,
    )
    expect(places['one']).toBeGreaterThan(900)
    expect(places['one']).toBeLessThan(1200)
    expect(places['three']).toBeGreaterThan(2800)
    expect(places['three']).toBeLessThan(3200)
    expect(places['six']).toBeGreaterThan(5700)
    expect(places['six']).toBeLessThan(6200)
  })

  test('leaves weight 0 a very small chance, wherever it is listed', () => {
    const places = firstPlaces([service('heavy', 0, 99), service('never', 0, 0)], 10_000)
    expect(places['never']).toBeGreaterThan(50)
    expect(places['never']).toBeLessThan(150)
  })

  test.each([
    [0, 'zero two three'],
    [0.2, 'two zero three'], // floor(0.2 × 6) = 1: past 0, within 2
    [0.5, 'three zero two'], // floor(0.5 × 6) = 3: past 0 and 2
  ])('takes the record at which the running sum reaches the number drawn (%d)', (first, expected) => {
    const numbers = [first, 0, 0]
    const all = [service('three', 0, 3), service('zero', 0, 0), service('two', 0, 2)]
    expect(hosts(all, () => numbers.shift() ?? 0)).toBe(expected)
  })

  test('reaches the last record with the highest number drawn', () => {
    expect(hosts([service('a', 0, 1), service('b', 0, 1)], () => 1 - Number.EPSILON)).toBe('b a')
  })

  test('merges direct TLS and STARTTLS by priority (XEP-0368 §3)', () => {
    const targets = orderTargets([service('late', 9, 0, true), service('early', 1, 0, false)], () => 0)
    expect(targets).toEqual([
      { host: 'early', port: 5269, directTls: false, source: 'srv', priority: 1, weight: 0 },
      { host: 'late', port: 5269, directTls: true, source: 'srv', priority: 9, weight: 0 },
    ])
  })
})

describe('the targets of a domain', () => {
  const fallback = { host: 'fabrikam.com', port: 5269, directTls: false, source: 'fallback' }

  test('are those of both services', () => {
    const found = targetsFor(
      'fabrikam.com',
      records(srv('tls', 1, 0, 5270)),
      records(srv('plain', 2)),
      () => 0,
    )
    expect(found).toEqual({
      kind: 'targets',
      targets: [
        { host: 'tls', port: 5270, directTls: true, source: 'srv', priority: 1, weight: 0 },
        { host: 'plain', port: 5269, directTls: false, source: 'srv', priority: 2, weight: 0 },
      ],
    })
  })

  test.each([
    ['no records', noData],
    ['no name', noDomain],
  ])('are the domain itself on 5269 where there is %s of either service', (_, none) => {
    expect(targetsFor('fabrikam.com', none, none, () => 0)).toEqual({ kind: 'targets', targets: [fallback] })
  })

  test('are none where both services have the target "."', () => {
    expect(targetsFor('fabrikam.com', records(srv('.')), records(srv('.')), () => 0)).toEqual({
      kind: 'no-service',
    })
  })

  test('are none where the only service has the target "."', () => {
    expect(targetsFor('fabrikam.com', noDomain, records(srv('.')), () => 0)).toEqual({ kind: 'no-service' })
  })

  test('lose one service alone to a "."', () => {
    const withoutTls = targetsFor('fabrikam.com', records(srv('.')), records(srv('plain')), () => 0)
    expect(withoutTls).toMatchObject({ targets: [{ host: 'plain', directTls: false }] })
    const tlsAlone = targetsFor('fabrikam.com', records(srv('tls')), records(srv('.')), () => 0)
    expect(tlsAlone).toMatchObject({ targets: [{ host: 'tls', directTls: true }] })
  })

  test('fall back where "." is said of direct TLS and nothing of STARTTLS', () => {
    const found = targetsFor('fabrikam.com', records(srv('.')), noDomain, () => 0)
    expect(found).toEqual({ kind: 'targets', targets: [fallback] })
  })

  test.each([
    ['lead to no host name', srv('192.0.2.9')],
    ['lead to port 0', srv('a', 0, 0, 0)],
  ])('never fall back where the records of the service %s, which is another thing than none', (_, broken) => {
    const unusable = { kind: 'unusable', records: [broken] }
    expect(targetsFor('fabrikam.com', noData, records(broken), () => 0)).toEqual(unusable)
    expect(targetsFor('fabrikam.com', records(broken), records(srv('.')), () => 0)).toEqual(unusable)
    expect(targetsFor('fabrikam.com', noData, records(broken, srv('b')), () => 0)).toMatchObject({
      targets: [{ host: 'b' }],
    })
  })
})
