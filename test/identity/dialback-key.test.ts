import { describe, expect, test } from 'vitest'
import { dialbackKey, isDialbackKey } from '../../src/identity/dialback-key.ts'

/** The examples that the XEPs print. */
const examples = [
  {
    source: 'XEP-0185 §3',
    secret: 's3cr3tf0rd14lb4ck',
    binding: { receiving: 'xmpp.example.com', originating: 'example.org', streamId: 'D60000229F' },
    key: '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643',
  },
  {
    source: 'XEP-0220 §2.1.1',
    secret: 's3cr3tf0rd14lb4ck',
    binding: { receiving: 'montague.example', originating: 'capulet.example', streamId: 'D60000229F' },
    key: 'b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3',
  },
  {
    source: 'XEP-0220 §2.2.2',
    secret: 'd14lb4ck43v3r',
    binding: { receiving: 'capulet.example', originating: 'montague.example', streamId: '417GAF25' },
    key: '225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d',
  },
]

describe.each(examples)('the dialback key of $source', ({ secret, binding, key }) => {
  test('is made, and known again', () => {
    expect(dialbackKey(secret, binding)).toBe(key)
    expect(isDialbackKey(secret, binding, key)).toBe(true)
  })

  test.each([
    ['under another secret', `${secret}!`, binding, key],
    ['for another receiving server', secret, { ...binding, receiving: 'example.net' }, key],
    ['of another originating server', secret, { ...binding, originating: 'example.net' }, key],
    ['on another stream', secret, { ...binding, streamId: 'D60000229E' }, key],
    [
      'with the roles exchanged',
      secret,
      { ...binding, receiving: binding.originating, originating: binding.receiving },
      key,
    ],
    ['in capitals', secret, binding, key.toUpperCase()],
    ['with one digit wrong', secret, binding, `${key.slice(0, -1)}f`],
    ['cut short', secret, binding, key.slice(0, 63)],
    ['with more behind it', secret, binding, `${key}0`],
    ['that is empty', secret, binding, ''],
    ['of as many characters, but more bytes', secret, binding, 'é'.repeat(64)],
  ])('is not one %s', (_, of, bound, given) => {
    expect(isDialbackKey(of, bound, given)).toBe(false)
  })
})

test('names cannot be run together: the delimiter counts (XEP-0185 §2)', () => {
  const one = { receiving: 'example.in', originating: 'form.example.org', streamId: '1' }
  const other = { receiving: 'example.info', originating: 'rm.example.org', streamId: '1' }
  expect(dialbackKey('s', one)).not.toBe(dialbackKey('s', other))
})
