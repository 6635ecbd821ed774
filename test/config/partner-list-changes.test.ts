import { describe, expect, test } from 'vitest'
import type { WrittenPartner } from '../../src/config/partner-list.ts'
import { add, clear, difference, list, litware, remove, set, textOf } from './edited-lists.ts'

describe('changing a partner', () => {
  test.each<[string, string, WrittenPartner, string[]]>([
    [
      'a quoted value',
      'fabrikam.com',
      { partnerType: 'publicVerified' },
      ["-    partnerType: 'federated'", '+    partnerType: publicVerified'],
    ],
    [
      'a value with a comment',
      'münchen.example',
      { saslNegotiation: 'optional' },
      [
        '-    saslNegotiation: notSupported # nothing else works',
        '+    saslNegotiation: optional # nothing else works',
      ],
    ],
    ['a new key', 'fabrikam.com', { tlsNegotiation: 'optional' }, ['+    tlsNegotiation: optional']],
    [
      'a new key within braces',
      'northwind.example',
      { description: 'Sea, sun' },
      [
        '-  - { primaryDomain: northwind.example, partnerType: publicVerified,   keepAlive: true }   # by flow',
        '+  - { primaryDomain: northwind.example, partnerType: publicVerified,   keepAlive: true, description: "Sea, sun" }   # by flow',
      ],
    ],
    [
      'text on several lines',
      'fabrikam.com',
      { description: 'Supplier' },
      [
        '-    description: >-  # contract',
        '-      Supplier,',
        '-      contract 4711',
        '+    description: Supplier  # contract',
      ],
    ],
    [
      'a list with lines of its own, of which one stays',
      'fabrikam.com',
      { additionalDomains: ['IT.fabrikam.com', 'new.fabrikam.com'] },
      [
        '-      - corp.fabrikam.com   # head office',
        '-      - "it.fabrikam.com"   # machines',
        '+      - "it.fabrikam.com"   # machines',
        '+      - new.fabrikam.com',
      ],
    ],
    [
      'a list in brackets with lines of its own',
      'münchen.example',
      { additionalDomains: ['b.example', 'c.example'] },
      [
        '-      a.example,   # the first',
        '-      b.example    # the second',
        '+      b.example,    # the second',
        '+      c.example',
      ],
    ],
  ])('changes that key only: %s', (_name, name, values, expected) => {
    expect(difference(list, set(list, name, values))).toEqual(expected)
  })

  test('keeps Windows line ends and a missing final newline', () => {
    const before =
      'partners:\r\n  - primaryDomain: a.b # a\r\n    description: |\r\n      x\r\n    partnerType: federated'
    const after =
      'partners:\r\n  - primaryDomain: a.b # a\r\n    description: y\r\n    partnerType: federated\r\n    keepAlive: true'
    expect(set(before, 'a.b', { description: 'y', keepAlive: true })).toBe(after)
  })

  test.each<[string, string, (keyof WrittenPartner)[], string[]]>([
    [
      'a key',
      'münchen.example',
      ['saslNegotiation'],
      ['-    saslNegotiation: notSupported # nothing else works'],
    ],
    ['a key that is not there', 'fabrikam.com', ['proxy'], []],
    [
      'the key behind the dash',
      'münchen.example',
      ['description'],
      [
        '-  - description: |',
        '-      on two',
        '-      lines',
        '-    primaryDomain: xn--mnchen-3ya.example',
        '+  - primaryDomain: xn--mnchen-3ya.example',
      ],
    ],
    [
      'a key within braces',
      'northwind.example',
      ['keepAlive'],
      [
        '-  - { primaryDomain: northwind.example, partnerType: publicVerified,   keepAlive: true }   # by flow',
        '+  - { primaryDomain: northwind.example, partnerType: publicVerified }   # by flow',
      ],
    ],
    [
      'a list',
      'fabrikam.com',
      ['additionalDomains'],
      [
        '-    additionalDomains:',
        '-      # their labs',
        '-      - corp.fabrikam.com   # head office',
        '-      - "it.fabrikam.com"   # machines',
      ],
    ],
    [
      'a list in brackets and what else is there',
      'münchen.example',
      ['additionalDomains'],
      [
        '-    additionalDomains: [',
        '-      a.example,   # the first',
        '-      b.example    # the second',
        '-    ]',
      ],
    ],
  ])('clears %s', (_name, name, keys, expected) => {
    expect(difference(list, clear(list, name, ...keys))).toEqual(expected)
  })

  test('keeps a comment between the key behind the dash and the next one', () => {
    const before = 'partners:\n  - description: x # gone\n    # stays\n    primaryDomain: a.b\n'
    expect(clear(before, 'a.b', 'description')).toBe('partners:\n  -\n    # stays\n    primaryDomain: a.b\n')
  })

  test('leaves an anchor that nobody else uses, and refuses where an alias would change too, or be lost', () => {
    const alone = 'partners:\n  - primaryDomain: a.b\n    partnerType: &t federated\n'
    expect(set(alone, 'a.b', { partnerType: 'publicVerified' })).toBe(
      alone.replace('federated', 'publicVerified'),
    )
    const shared = `${alone}  - primaryDomain: c.d\n    partnerType: *t\n`
    const byHand = expect.stringMatching(/"partner":"a\.b".*edit it by hand/)
    expect(set(shared, 'a.b', { partnerType: 'publicVerified' })).toEqual(byHand)
    expect(remove(shared, 'a.b')).toEqual(byHand)
    expect(set(shared, 'c.d', { partnerType: 'publicVerified' })).toBe(shared.replace('*t', 'publicVerified'))
    expect(remove(shared, 'c.d')).toBe(alone)
  })

  test('tells of a domain that is not in the list, or no primary one', () => {
    expect(set(list, 'litware.com', { keepAlive: true })).toContain('is not in the partner list')
    expect(set(list, 'CORP.fabrikam.com', { keepAlive: true })).toContain(
      'is an additional domain of the partner fabrikam.com',
    )
  })
})

describe('removing a partner', () => {
  test('takes its lines with the comments in them, and leaves those above', () => {
    expect(difference(list, remove(list, 'fabrikam.com'))).toEqual([
      '-  - primaryDomain:   fabrikam.com      # Supplier',
      '-    description: >-  # contract',
      '-      Supplier,',
      '-      contract 4711',
      '-    additionalDomains:',
      '-      # their labs',
      '-      - corp.fabrikam.com   # head office',
      '-      - "it.fabrikam.com"   # machines',
      "-    partnerType: 'federated'",
      '-    # tlsNegotiation: optional    # once they ask for it',
    ])
    expect(remove(list, 'münchen.example')).toBe(
      `${list.slice(0, list.indexOf('  - description: |'))}# The end.\n`,
    )
  })

  test.each([
    [
      'the only one',
      'partners:   # none?\n  # x\n  - primaryDomain: a.b\n    keepAlive: true\n# end\n',
      'partners: []   # none?\n  # x\n# end\n',
    ],
    ['the only one, without a final newline', 'partners:\n  - primaryDomain: a.b', 'partners: []'],
    [
      'the last one, without a final newline',
      'partners:\r\n- primaryDomain: c.d\r\n- primaryDomain: a.b',
      'partners:\r\n- primaryDomain: c.d',
    ],
    [
      'one between empty lines',
      'partners:\n  - primaryDomain: c.d\n\n  - primaryDomain: a.b\n\n  - primaryDomain: e.f\n',
      'partners:\n  - primaryDomain: c.d\n\n  - primaryDomain: e.f\n',
    ],
    ['the only one in brackets', 'partners: [{ primaryDomain: a.b }] # x\n', 'partners: [] # x\n'],
    [
      'the first in JSON',
      '{"partners": [{"primaryDomain": "a.b"}, {"primaryDomain": "c.d"}]}',
      '{"partners": [{"primaryDomain": "c.d"}]}',
    ],
    [
      'the last in JSON',
      '{"partners": [{"primaryDomain": "c.d"},\n  {"primaryDomain": "a.b"}\n]}',
      '{"partners": [{"primaryDomain": "c.d"}\n]}',
    ],
    [
      'one with an anchor before it',
      'partners:\n  - &x\n    primaryDomain: a.b\n  - primaryDomain: c.d\n',
      'partners:\n  - primaryDomain: c.d\n',
    ],
  ])('deals with %s', (_name, before, after) => {
    expect(remove(before, 'a.b')).toBe(after)
  })

  test('undoes what adding did', () => {
    for (const name of ['litware.com', 'a.example.org']) {
      expect(remove(textOf(add(list, [{ ...litware, primaryDomain: name }])), name)).toBe(list)
    }
  })
})
