import { describe, expect, test } from 'vitest'
import { bounceOf } from '../../src/routing/bounce.ts'
import { type StanzaCondition, stanzaConditions } from '../../src/xmpp/stanza-error.ts'

const message = {
  name: 'message',
  from: 'romeo@contoso.com/orchard',
  to: 'juliet@fabrikam.com',
  type: 'chat',
  id: '1',
}
const why = { condition: 'remote-server-not-found', text: 'no such service in DNS' } as const

describe('a stanza that cannot be delivered', () => {
  test('comes back with its id, its addresses swapped, and the cause (RFC 6120 §8.3)', () => {
    expect(bounceOf(message, why)).toBe(
      "<message type='error' from='juliet@fabrikam.com' to='romeo@contoso.com/orchard' id='1'><error type='cancel'>" +
        "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no such service in DNS</text></error></message>",
    )
  })

  test('comes back without an id where it had none', () => {
    expect(bounceOf({ ...message, id: undefined }, why)).toMatch(
      /^<message type='error' from='[^']*' to='[^']*'><error/,
    )
  })

  test('may come back from another address than it went to', () => {
    expect(bounceOf({ ...message, to: undefined }, why, 'fabrikam.com')).toContain("from='fabrikam.com'")
  })

  test('cannot come back where there is no address for it', () => {
    expect(bounceOf({ ...message, from: undefined }, why)).toBeUndefined()
    expect(bounceOf({ ...message, to: undefined }, why)).toBeUndefined()
  })

  test('writes no markup of its sender', () => {
    const bounce = bounceOf({ ...message, id: "'><x/>", from: 'a@b/<&>' }, { ...why, text: '<y/>' })
    expect(bounce).toContain("id='&apos;&gt;&lt;x/&gt;'")
    expect(bounce).toContain("to='a@b/&lt;&amp;&gt;'")
    expect(bounce).toContain('&lt;y/&gt;')
  })

  test.each(Object.entries(stanzaConditions))('for %s has the error type %s', (condition, type) => {
    const bounce = bounceOf(message, { condition: condition as StanzaCondition, text: '' })
    expect(bounce).toContain(`<error type='${type}'><${condition} xmlns=`)
  })

  test.each([
    ['message', undefined, true],
    ['message', 'chat', true],
    ['message', 'groupchat', true],
    ['message', 'headline', true],
    ['message', 'made-up', true],
    ['message', 'error', false],
    ['iq', 'get', true],
    ['iq', 'set', true],
    ['iq', 'result', false],
    ['iq', 'error', false],
    ['iq', undefined, false],
    ['presence', undefined, false],
    ['presence', 'subscribe', false],
    ['presence', 'probe', false],
    ['presence', 'error', false],
  ])('comes back as %s of type %s: %s', (name, type, comesBack) => {
    expect(bounceOf({ ...message, name, type }, why) !== undefined).toBe(comesBack)
  })
})
