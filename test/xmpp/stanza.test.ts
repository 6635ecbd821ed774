import { expect, test } from 'vitest'
import { isStanzaKind, mayBounce, stanzaKinds } from '../../src/xmpp/stanza.ts'

test.each([
  ['message', true],
  ['presence', true],
  ['iq', true],
  ['Message', false],
  ['features', false],
  ['', false],
  ['constructor', false],
])('%s is a stanza: %s', (name, isOne) => {
  expect(isStanzaKind(name)).toBe(isOne)
  expect((stanzaKinds as readonly string[]).includes(name)).toBe(isOne)
})

test.each(['message', 'presence', 'iq'])('no %s of type error is answered with an error', name => {
  expect(mayBounce({ name, type: 'error' })).toBe(false)
})
