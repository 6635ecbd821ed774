import { describe, expect, test } from 'vitest'
import {
  addPartners,
  changePartner,
  type Edited,
  removePartner,
  type WrittenPartner,
} from '../../src/config/partner-list.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'

const domain = (name: string): Domain => parseDomain(name)!
const textOf = (edited: Edited): string => ('text' in edited ? edited.text : JSON.stringify(edited.refusals))
const litware: WrittenPartner = { partnerType: 'federated', primaryDomain: 'litware.com' }
const set = (text: string, name: string, values: WrittenPartner): string =>
  textOf(changePartner(text, domain(name), { set: values, clear: [] }))
const clear = (text: string, name: string, ...keys: (keyof WrittenPartner)[]): string =>
  textOf(changePartner(text, domain(name), { set: {}, clear: keys }))
const remove = (text: string, name: string): string => textOf(removePartner(text, domain(name)))

/** A list as people write it: comments everywhere, no two entries alike. */
const list = `# yaml-language-server: $schema=partners.schema.json
# Our partners.

partners:   # in order of age
  # The oldest one.
  - primaryDomain:   fabrikam.com      # Supplier
    description: >-  # contract
      Supplier,
      contract 4711
    additionalDomains:
      # their labs
      - corp.fabrikam.com   # head office
      - "it.fabrikam.com"   # machines
    partnerType: 'federated'
    # tlsNegotiation: optional    # once they ask for it

  # Second.
  - { primaryDomain: northwind.example, partnerType: publicVerified,   keepAlive: true }   # by flow

  - description: |
      on two
      lines
    primaryDomain: xn--mnchen-3ya.example
    partnerType: publicUnverified
    saslNegotiation: notSupported # nothing else works
    additionalDomains: [
      a.example,   # the first
      b.example    # the second
    ]
    # the end of it
# The end.
`

/** The lines that differ: those gone with -, those new with +. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  let head = 0
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head++
  let tail = 0
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  return [
    ...old.slice(head, old.length - tail).map(line => `-${line}`),
    ...now.slice(head, now.length - tail).map(line => `+${line}`),
  ]
}

describe('adding a partner', () => {
  test('puts it behind the last one, with keys in the order of the documentation, and touches nothing else', () => {
    expect(
      difference(
        list,
        textOf(addPartners(list, [{ keepAlive: true, additionalDomains: ['a.b', 'c.d'], ...litware }])),
      ),
    ).toEqual([
      '+  - primaryDomain: litware.com',
      '+    additionalDomains: [a.b, c.d]',
      '+    partnerType: federated',
      '+    keepAlive: true',
    ])
  })
  const item = '- primaryDomain: litware.com\n  partnerType: federated\n'
  const indented = item.replaceAll(/^(?=.)/gm, '  ')
  const inJson = '{ "primaryDomain": "litware.com", "partnerType": "federated" }'

  test.each([
    ['an empty list', 'partners: []\n', `partners:\n${indented}`],
    [
      'an empty list with a comment',
      'partners: []   # none\n\n# more\n',
      `partners:   # none\n${indented}\n# more\n`,
    ],
    ['nothing behind the key', 'partners:\n# more\n', `partners:\n${indented}# more\n`],
    ['comments alone', '# none yet\n', `# none yet\npartners:\n${indented}`],
    ['an empty text', '', `partners:\n${indented}`],
    ['no final newline', 'partners: []', `partners:\n${indented.trimEnd()}`],
    [
      'a list that is not indented',
      'partners:\n- primaryDomain: a.b\n# end\n',
      `partners:\n- primaryDomain: a.b\n${item}# end\n`,
    ],
    [
      'a wide indent',
      'partners:\n    -   primaryDomain: a.b',
      `partners:\n    -   primaryDomain: a.b\n${indented.replaceAll(/^/gm, '  ').trimEnd()}`,
    ],
    [
      'Windows line ends',
      'partners: [] # x\r\n# y\r\n',
      `partners: # x\r\n${indented.replaceAll('\n', '\r\n')}# y\r\n`,
    ],
    ['a document start', '---\npartners: []\n', `---\npartners:\n${indented}`],
    ['a byte order mark', '\ufeffpartners: []\n', `\ufeffpartners:\n${indented}`],
    [
      'brackets',
      'partners: [{ primaryDomain: a.b }]\n',
      'partners: [{ primaryDomain: a.b }, { primaryDomain: litware.com, partnerType: federated }]\n',
    ],
    [
      'brackets on lines of their own',
      'partners: [\n  { primaryDomain: a.b }  # a\n]\n',
      'partners: [\n  { primaryDomain: a.b },  # a\n  { primaryDomain: litware.com, partnerType: federated }\n]\n',
    ],
    [
      'JSON',
      '{"partners": [{"primaryDomain": "a.b"}]}',
      `{"partners": [{"primaryDomain": "a.b"}, ${inJson}]}`,
    ],
    ['empty JSON', '{"partners":[]}', `{"partners":[${inJson}]}`],
    [
      'JSON on many lines',
      '{\n  "partners": [\n    {\n      "primaryDomain": "a.b"\n    }\n  ]\n}\n',
      `{\n  "partners": [\n    {\n      "primaryDomain": "a.b"\n    },\n    ${inJson}\n  ]\n}\n`,
    ],
  ])('deals with %s', (_name, before, after) => {
    expect(textOf(addPartners(before, [litware]))).toBe(after)
  })

  test.each([
    'plain',
    'Supplier, contract 4711',
    'a: b',
    '# no comment',
    "it's",
    '"quoted"',
    '- dash',
    '[x]',
    '{x}',
    'yes',
    'null',
    '4711',
    '1e3',
    ' space ',
    'two\nlines',
    'tab\there',
    '\u2028',
    '\u0007',
    'ünï ☎',
    'x'.repeat(300),
    '',
    '&a',
    '*a',
    '!t',
    '%',
    '@',
    '|',
    '>',
    'a #b',
    'back\\slash',
  ])('keeps a description as it is: %j', description => {
    for (const before of [
      'partners: []\n',
      'partners: [{ primaryDomain: a.b }]\n',
      '{"partners":[{ "primaryDomain": "a.b" }]}',
    ]) {
      const added = addPartners(before, [{ ...litware, description }])
      expect(added).toHaveProperty('text')
      expect(set(textOf(added), 'litware.com', { description: 'changed' })).toBe(
        textOf(addPartners(before, [{ ...litware, description: 'changed' }])),
      )
    }
  })

  test('adds many at once, in their order', () => {
    const many = Array.from({ length: 3000 }, (_, at) => ({ ...litware, primaryDomain: `d${at}.example` }))
    const text = textOf(addPartners(list, many))
    expect(text.match(/d\d+\.example/g)).toEqual(many.map(({ primaryDomain }) => primaryDomain))
  })
})

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
      expect(remove(textOf(addPartners(list, [{ ...litware, primaryDomain: name }])), name)).toBe(list)
    }
  })
})
