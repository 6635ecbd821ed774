import { describe, expect, test } from 'vitest'
import { partnerTypes } from '../../src/policy/partner.ts'
import {
  denials,
  inwardVerdict,
  outwardVerdict,
  stanzaRules,
  type Verdict,
} from '../../src/policy/verdict.ts'

/** Contract §3, in words: what a stranger's stanza comes to with a publicUnverified partner, and what bears notes outward. */
const table = [
  ['message', undefined, 'refuse stranger-message', 'pass-without-notes'],
  ['message', 'normal', 'refuse stranger-message', 'pass-without-notes'],
  ['message', 'chat', 'refuse stranger-message', 'pass-without-notes'],
  ['message', 'groupchat', 'refuse stranger-message', 'pass-without-notes'],
  ['message', 'headline', 'refuse stranger-message', 'pass-without-notes'],
  ['message', 'error', 'drop stranger-error', 'pass-without-notes'],
  ['presence', undefined, 'drop stranger-presence', 'pass-without-notes'],
  ['presence', 'unavailable', 'drop stranger-presence', 'pass-without-notes'],
  ['presence', 'subscribe', 'refuse stranger-subscribe', 'pass'],
  ['presence', 'subscribed', 'drop stranger-presence', 'pass'],
  ['presence', 'unsubscribe', 'drop stranger-presence', 'pass'],
  ['presence', 'unsubscribed', 'drop stranger-presence', 'pass'],
  ['presence', 'probe', 'drop stranger-presence', 'pass'],
  ['presence', 'error', 'drop stranger-presence', 'pass'],
  ['iq', 'get', 'refuse stranger-request', 'pass'],
  ['iq', 'set', 'refuse stranger-request', 'pass'],
  ['iq', 'result', 'drop unasked-answer', 'pass-without-notes'],
  ['iq', 'error', 'drop unasked-answer', 'pass-without-notes'],
  // Types that RFC 6120 and RFC 6121 do not know; the names of what every object has are nothing special.
  ['message', 'constructor', 'refuse stranger-message', 'pass-without-notes'],
  ['presence', '__proto__', 'drop stranger-presence', 'pass-without-notes'],
  ['iq', 'toString', 'drop unasked-answer', 'pass-without-notes'],
  ['iq', undefined, 'drop unasked-answer', 'pass-without-notes'],
] as const

describe.each(table)('%s of type %s', (name, type, fromStranger, outward) => {
  const stanza = { name, type }

  test.each([true, false])('passes both ways with a federated partner, contact or not (%s)', isContact => {
    expect(words(inwardVerdict('federated', stanza, isContact))).toBe('pass')
    expect(words(outwardVerdict('federated', stanza))).toBe('pass')
  })

  test.each([true, false])('passes in from a publicVerified partner, contact or not (%s)', isContact => {
    expect(words(inwardVerdict('publicVerified', stanza, isContact))).toBe('pass')
  })

  test('passes in from a contact with a publicUnverified partner', () => {
    expect(words(inwardVerdict('publicUnverified', stanza, true))).toBe('pass')
  })

  test(`from a stranger with a publicUnverified partner: ${fromStranger}`, () => {
    expect(words(inwardVerdict('publicUnverified', stanza, false))).toBe(fromStranger)
  })

  test('from one of whom nothing can be known now: no refusal, and an error for whom one may come', () => {
    const verdict = words(inwardVerdict('publicUnverified', stanza, undefined))
    const expected = fromStranger
      .replace(/stranger-(message|request)/, 'unknown-contact')
      .replace(/\w+ stranger-(presence|subscribe)/, 'drop unknown-presence')
    expect(verdict).toBe(expected)
  })

  test.each(['publicVerified', 'publicUnverified'] as const)(
    `out to a %s partner: ${outward}`,
    partnerType => {
      expect(words(outwardVerdict(partnerType, stanza))).toBe(outward)
    },
  )
})

describe('the rules', () => {
  test('are for every type of stanza that there is, each with every column', () => {
    const listed = table.map(([name, type]) => `${name} ${type ?? ''}`)
    const kinds = Object.entries(stanzaRules).flatMap(([kind, types]) =>
      Object.entries(types).map(([type, row]) => ({ name: `${kind} ${type}`, columns: row.length })),
    )
    for (const { name, columns } of kinds) {
      expect(columns).toBe(8)
      if (name !== 'presence available') expect(listed).toContain(name)
    }
    expect(kinds).toHaveLength(17)
  })

  test('answer a stranger with nothing but what contract §3 says', () => {
    expect(denials['stranger-subscribe']).toBe('unsubscribed')
    expect(denials['stranger-message']).toMatchObject({ condition: 'forbidden' })
    expect(denials['stranger-request']).toEqual(denials['stranger-message'])
    expect(denials['unknown-contact']).toMatchObject({ condition: 'remote-server-timeout' })
  })

  test('hold nothing of what is no stanza', () => {
    for (const partnerType of partnerTypes) {
      expect(() => inwardVerdict(partnerType, { name: 'constructor', type: undefined }, true)).toThrow(
        RangeError,
      )
    }
  })
})

function words(verdict: Verdict): string {
  return 'rule' in verdict ? `${verdict.do} ${verdict.rule}` : verdict.do
}
