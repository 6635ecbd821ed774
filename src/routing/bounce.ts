import { escapeText, tag } from '../xml/writer.ts'
import { bareAddress } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import { mayBounce, type StanzaEnvelope } from '../xmpp/stanza.ts'
import { type StanzaCondition, stanzaError } from '../xmpp/stanza-error.ts'

/**
 * The error that a stanza's sender gets (RFC 6120 §8.3): the original's id, its addresses swapped.
 * @param from who the error is from, where not the original's receiver
 * @returns undefined where an error would answer an error, or nobody waits for one
 */
export function bounceOf(
  stanza: StanzaEnvelope,
  why: { readonly condition: StanzaCondition; readonly text: string },
  from = stanza.to,
): string | undefined {
  return mayBounce(stanza) ? errorFor(stanza, why, from) : undefined
}

/** As `bounceOf`, but for presence, too: to be used where its sender is waiting. */
export function errorFor(
  stanza: StanzaEnvelope,
  why: { readonly condition: StanzaCondition; readonly text: string },
  from = stanza.to,
): string | undefined {
  if (stanza.type === 'error' || stanza.from === undefined || from === undefined) return undefined
  const { condition, type, text } = stanzaError(why.condition, why.text)
  return tag(
    stanza.name,
    { type: 'error', from, to: stanza.from, id: stanza.id },
    tag(
      'error',
      { type },
      tag(condition, { xmlns: ns.stanzas }),
      tag('text', { xmlns: ns.stanzas, 'xml:lang': 'en' }, escapeText(text)),
    ),
  )
}

/** Declines a subscription in the receiver's name (RFC 6121 §3.1.4). */
export function unsubscribedFor(stanza: StanzaEnvelope): string | undefined {
  if (stanza.from === undefined || stanza.to === undefined) return undefined
  const addresses = { from: bareAddress(stanza.to), to: bareAddress(stanza.from) }
  return tag('presence', { type: 'unsubscribed', ...addresses, id: stanza.id })
}
