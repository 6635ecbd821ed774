import { describe, expect, test } from 'vitest'
import { add, difference, list, litware, set, textOf } from './edited-lists.ts'

describe('adding a partner', () => {
  test('puts it behind the last one, with keys in the order of the documentation, and touches nothing else', () => {
    expect(
      difference(
        list,
        textOf(add(list, [{ keepAlive: true, additionalDomains: ['a.b', 'c.d'], ...litware }])),
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
    ['null behind the key', 'partners: null\n# more\n', `partners:\n${indented}# more\n`],
    [
      'a tilde behind the key',
      'partners: ~ # none\r\n',
      `partners: # none\r\n${indented.replaceAll('\n', '\r\n')}`,
    ],
    ['an empty mapping', '# c\n{}\n# more\n', `# c\npartners:\n${indented}# more\n`],
    ['an empty mapping over two lines', '{\n} # none', ` # none\npartners:\n${indented.trimEnd()}`],
    ['null alone', 'null\n', `partners:\n${indented}`],
    ['a document that holds nothing', '# c\n---\n', `# c\n---\npartners:\n${indented}`],
    ['one with a comment', '--- # c\n', `--- # c\npartners:\n${indented}`],
    ['one that ends', '---\n...\n', `---\npartners:\n${indented}...\n`],
    ['null in JSON', '{ "partners": null }', `{ "partners": [${inJson}] }`],
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
    expect(textOf(add(before, [litware]))).toBe(after)
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
      const added = add(before, [{ ...litware, description }])
      expect(added).toHaveProperty('text')
      expect(set(textOf(added), 'litware.com', { description: 'changed' })).toBe(
        textOf(add(before, [{ ...litware, description: 'changed' }])),
      )
    }
  })

  test('adds many at once, in their order', () => {
    const many = Array.from({ length: 3000 }, (_, at) => ({ ...litware, primaryDomain: `d${at}.example` }))
    const text = textOf(add(list, many))
    expect(text.match(/d\d+\.example/g)).toEqual(many.map(({ primaryDomain }) => primaryDomain))
  })
})
