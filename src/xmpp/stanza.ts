/** The three kinds of stanza, RFC 6120 §8.2. */
export const stanzaKinds = ['message', 'presence', 'iq'] as const

export type StanzaKind = (typeof stanzaKinds)[number]

/** What routing and policy read of a stanza; the rest of it stays bytes. */
export type StanzaEnvelope = {
  readonly name: string
  readonly from: string | undefined
  readonly to: string | undefined
  readonly type: string | undefined
  readonly id: string | undefined
}

/** Is this local name one of a stanza? */
export function isStanzaKind(name: string): name is StanzaKind {
  return name === 'message' || name === 'iq' || name === 'presence'
}

/**
 * May its sender be answered with an error? Never for an error, nor for an IQ result, which would loop
 * (RFC 6120 §8.3.1), nor for presence, whose senders do not wait for an answer.
 */
export function mayBounce(stanza: { readonly name: string; readonly type: string | undefined }): boolean {
  switch (stanza.name) {
    case 'message':
      return stanza.type !== 'error'
    case 'iq':
      return stanza.type === 'get' || stanza.type === 'set'
    default:
      return false
  }
}
