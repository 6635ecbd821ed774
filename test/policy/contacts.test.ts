import { describe, expect, test } from 'vitest'
import {
  afterNews,
  type ContactNews,
  isLeaving,
  needsContact,
  type Words,
  withoutGrants,
  wordOf,
} from '../../src/policy/contacts.ts'
import { bare } from '../support/contacts.ts'

const states: readonly (Words | undefined)[] = [undefined, 0, 1, 2, 3]

describe('after news of a contact (contract §3)', () => {
  test.each<[ContactNews, (Words | undefined)[]]>([
    // before: not authorised, nothing stands, subscribe, subscribed, both
    ['subscribe', [1, 1, 1, 3, 3]],
    ['subscribed', [2, 2, 3, 2, 3]],
    ['unsubscribe', [undefined, undefined, undefined, 2, 2]],
    ['unsubscribed', [undefined, undefined, undefined, undefined, undefined]],
    ['left', [undefined, 0, 1, 0, 1]],
  ])('%s, there stands %j', (news, expected) => {
    expect(states.map(words => afterNews(words, news))).toEqual(expected)
  })

  test('that could not be written, nobody is authorised who was not, or is to be no longer', () => {
    const after = states.map(next => states.map(before => withoutGrants(before, next)))
    expect(after).toEqual([
      [undefined, undefined, undefined, undefined, undefined], // it was to end
      [undefined, 0, undefined, 0, 0],
      [undefined, 0, 1, undefined, 1],
      [undefined, 0, undefined, 2, 2],
      [undefined, 0, 1, 2, 3],
    ])
  })
})

describe('a word is given', () => {
  test.each(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])('by presence of type %s', type => {
    expect(wordOf({ name: 'presence', type })).toBe(type)
  })

  test.each([
    ['presence', undefined],
    ['presence', 'probe'],
    ['presence', 'Subscribe'],
    ['message', 'subscribe'],
    ['iq', 'subscribed'],
  ])('by no %s of type %s', (name, type) => {
    expect(wordOf({ name, type })).toBeUndefined()
  })
})

test('a contact leaves by presence of type unsubscribe alone', () => {
  const stanzas = [
    ['presence', 'unsubscribe'],
    ['presence', 'unsubscribed'],
    ['presence', undefined],
    ['message', 'unsubscribe'],
  ] as const
  expect(stanzas.map(([name, type]) => isLeaving({ name, type }))).toEqual([true, false, false, false])
})

describe('a contact is asked for', () => {
  test.each([
    ['publicUnverified', 'romeo@contoso.com', true],
    ['publicUnverified', 'contoso.com', false],
    ['publicVerified', 'romeo@contoso.com', false],
    ['federated', 'romeo@contoso.com', false],
  ] as const)('of %s, to %s: %s', (partnerType, to, expected) => {
    expect(needsContact(partnerType, bare(to))).toBe(expected)
  })

  test('where nobody can say who the receiver is', () => {
    expect(needsContact('publicUnverified', undefined)).toBe(true)
  })
})
