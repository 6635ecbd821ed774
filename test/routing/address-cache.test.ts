import { describe, expect, test } from 'vitest'
import { AddressCache } from '../../src/routing/address-cache.ts'
import { canonicalBare, domainOf } from '../../src/xmpp/address.ts'

describe('the address cache', () => {
  test.each([
    'juliet@Fabrikam.COM/balcony',
    'a@münchen.example',
    'fabrikam.com',
    '@fabrikam.com',
    '',
    'a@b/',
  ])('says of %j what parsing says, the first time and later', address => {
    const cache = new AddressCache()
    for (let i = 0; i < 3; i++) {
      expect(cache.domainOf(address)).toBe(domainOf(address))
      expect(cache.find(address)?.bare).toBe(canonicalBare(address))
    }
  })

  test('remembers who is seen again, and of others no more than it holds', () => {
    const cache = new AddressCache()
    const often = cache.find('juliet@fabrikam.com')
    const once = cache.find('nurse@fabrikam.com')
    for (let i = 0; i < 60_000; i++) {
      cache.find(`u${i}@fabrikam.com`)
      if (i % 10_000 === 0) expect(cache.find('juliet@fabrikam.com')).toBe(often)
    }
    expect(cache.find('nurse@fabrikam.com')).not.toBe(once)
  })

  test('does not keep long addresses', () => {
    const cache = new AddressCache()
    const [short, long] = ['x'.repeat(236), 'x'.repeat(237)].map(
      resource => `juliet@fabrikam.com/${resource}`,
    )
    expect(cache.find(short!)).toBe(cache.find(short!))
    expect(cache.find(long!)).not.toBe(cache.find(long!))
    expect(cache.find(long!)?.bare).toBe('juliet@fabrikam.com')
  })

  test('is right about more addresses than it holds', () => {
    const cache = new AddressCache()
    for (let i = 0; i < 31_000; i++)
      expect(cache.domainOf(`u${i}@d${i % 7}.example`)).toBe(`d${i % 7}.example`)
    expect(cache.domainOf('u0@d0.example')).toBe('d0.example')
  })
})
