/** The defined stanza error conditions with the error type each usually has, RFC 6120 §8.3.3. */
export const stanzaConditions = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-connection-failed': 'wait', // XEP-0220 §2.4 alone
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
} as const

export type StanzaCondition = keyof typeof stanzaConditions
export type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

/** Why one stanza comes back to its sender. The text names the cause, never a host of the far side. */
export type StanzaError = {
  readonly condition: StanzaCondition
  readonly type: StanzaErrorType
  readonly text: string
}

/** A stanza error with the type RFC 6120 §8.3.3 gives its condition. */
export function stanzaError(condition: StanzaCondition, text: string): StanzaError {
  return { condition, type: stanzaConditions[condition], text }
}
