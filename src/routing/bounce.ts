import { escapeText, tag } from '../xml/writer.ts'
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
  if (!mayBounce(stanza) || stanza.from === undefined || from === undefined) return undefined
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
