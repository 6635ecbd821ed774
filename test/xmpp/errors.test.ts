import { describe, expect, test } from 'vitest'
import { saslConditions } from '../../src/xmpp/sasl-failure.ts'
import { type StanzaErrorType, stanzaConditions, stanzaError } from '../../src/xmpp/stanza-error.ts'
import { StreamError, streamConditions } from '../../src/xmpp/stream-error.ts'

/** RFC 6120 §8.3.3, in its order of types. */
const byType: Partial<Record<StanzaErrorType, readonly string[]>> = {
  auth: ['forbidden', 'not-authorized', 'registration-required', 'subscription-required'],
  cancel: [
    'conflict',
    'feature-not-implemented',
    'gone',
    'internal-server-error',
    'item-not-found',
    'not-allowed',
    'remote-server-not-found',
    'service-unavailable',
    'undefined-condition',
  ],
  modify: ['bad-request', 'jid-malformed', 'not-acceptable', 'policy-violation', 'redirect'],
  wait: [
    'recipient-unavailable',
    'remote-connection-failed', // XEP-0220 §2.4
    'remote-server-timeout',
    'resource-constraint',
    'unexpected-request',
  ],
}

describe('the conditions', () => {
  test('of stanza errors have the types of RFC 6120 §8.3.3', () => {
    const expected = Object.entries(byType).flatMap(([type, names]) => names.map(name => [name, type]))
    expect(stanzaConditions).toEqual(Object.fromEntries(expected))
  })

  test('of stream errors and SASL failures are as many as RFC 6120 §4.9.3 and §6.5 define, each once', () => {
    expect(new Set(streamConditions).size).toBe(25)
    expect(new Set(saslConditions).size).toBe(11)
  })
})

test('a stanza error gets the type of its condition', () => {
  expect(stanzaError('forbidden', 'no')).toEqual({ condition: 'forbidden', type: 'auth', text: 'no' })
})

test('a stream error keeps what the peer is told apart from what the log is', () => {
  const cause = new Error('inner')
  const detail = { name: 'stanza-too-big', namespace: 'urn:xmpp:errors' }
  const error = new StreamError('policy-violation', 'too big', { cause, detail })
  expect(error).toMatchObject({ condition: 'policy-violation', message: 'too big', cause, detail })
  expect(error).toBeInstanceOf(Error)
  expect(new StreamError('reset')).toMatchObject({ condition: 'reset', message: '', detail: undefined })
})
