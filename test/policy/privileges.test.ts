import { describe, expect, test } from 'vitest'
import { needsNoWord, privilegesIn } from '../../src/policy/privileges.ts'
import { toElement } from '../../src/xml/element.ts'
import { slicesOf } from '../xml/transcript.ts'

const read = (content: string) =>
  privilegesIn(
    toElement(slicesOf(`<message from='contoso.com' to='f.com'>${content}</message>`)[0]!, new Map()),
  )
const perm = (access: string, type: string) => `<perm access='${access}' type='${type}'/>`
const privilege = (perms: string, version = 2) =>
  `<privilege xmlns='urn:xmpp:privilege:${version}'>${perms}</privilege>`

describe('an advertisement of privileges (XEP-0356)', () => {
  test.each([
    ['presence', 'managed_entity', { presence: true, roster: false }],
    ['presence', 'roster', { presence: true, roster: false }],
    ['presence', 'none', { presence: false, roster: false }],
    ['presence', 'both', { presence: false, roster: false }],
    ['roster', 'get', { presence: false, roster: true }],
    ['roster', 'both', { presence: false, roster: true }],
    ['roster', 'set', { presence: false, roster: false }],
    ['roster', 'none', { presence: false, roster: false }],
    ['message', 'outgoing', { presence: false, roster: false }],
  ])('of %s %s', (access, type, expected) => {
    expect(read(privilege(perm(access, type)))).toEqual(expected)
    expect(read(privilege(perm(access, type), 1))).toEqual(expected)
  })

  test('may grant several, or nothing', () => {
    const all = perm('message', 'none') + perm('roster', 'both') + perm('presence', 'managed_entity')
    expect(read(`<x/>${privilege(all)}`)).toEqual({ presence: true, roster: true })
    expect(read(privilege(''))).toEqual({ presence: false, roster: false })
  })

  test.each([
    ['another message', '<body>hi</body>'],
    ['one of another name', "<privileges xmlns='urn:xmpp:privilege:2'/>"],
    ['one of another namespace', "<privilege xmlns='urn:xmpp:privilege:3'/>"],
    ['one further down', `<x>${privilege(perm('presence', 'roster'))}</x>`],
  ])('is not %s', (_, content) => {
    expect(read(content)).toBeUndefined()
  })
})

test.each([
  ['federated', true],
  ['publicVerified', true],
  ['publicUnverified', false],
  [undefined, false],
] as const)('users of a %s partner need no word of a local user: %s', (type, expected) => {
  expect(needsNoWord(type)).toBe(expected)
})
