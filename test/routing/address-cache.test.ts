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

  test('is right about more addresses than it holds', () => {
    const cache = new AddressCache()
    for (let i = 0; i < 20_010; i++)
      expect(cache.domainOf(`u${i}@d${i % 7}.example`)).toBe(`d${i % 7}.example`)
    expect(cache.domainOf('u0@d0.example')).toBe('d0.example')
  })
})
