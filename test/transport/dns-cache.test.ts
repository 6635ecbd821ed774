import { expect, test } from 'vitest'
import { DnsCache } from '../../src/transport/dns-cache.ts'

test('the cache lets the oldest answer go when it has 4096', () => {
  const cache = new DnsCache(() => 0)
  for (let entry = 0; entry < 4096; entry += 1)
    cache.put(`${entry}`, { kind: 'no-data', aliases: [], ttl: 0 }, 60)
  cache.put('0', { kind: 'no-domain', aliases: [], ttl: 0 }, 60) // renewed: 1 is the oldest now
  cache.put('new', { kind: 'no-data', aliases: [], ttl: 0 }, 60)
  expect(cache.get('1')).toBeUndefined()
  expect(cache.get('0')).toEqual({ kind: 'no-domain', aliases: [], ttl: 0 })
  expect(cache.get('2')).toEqual({ kind: 'no-data', aliases: [], ttl: 0 })
  expect(cache.get('new')).toEqual({ kind: 'no-data', aliases: [], ttl: 0 })
})
