import { escapeText, tag } from '../xml/writer.ts'
import type { Domain } from '../xmpp/address.ts'
import { parseDomain } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { SaslCondition } from '../xmpp/sasl-failure.ts'

/** What becomes of an initial response or response to EXTERNAL. */
export type ExternalVerdict =
  | { readonly is: 'success' }
  | { readonly is: 'challenge' } // no content: asks for the authorization identity (RFC 6120 §6.4.2)
  | { readonly is: 'failure'; readonly condition: SaslCondition }

/**
 * Judges the content of `<auth/>` or `<response/>` (XEP-0178 §3, RFC 6120 §6.3.8): the authorization identity is
 * absent (`=`) or equal to the domain the stream is from.
 */
export function judgeExternal(content: string, remote: Domain, stage: 'auth' | 'response'): ExternalVerdict {
  if (content === '') return stage === 'auth' ? { is: 'challenge' } : { is: 'success' }
  if (content === '=') return { is: 'success' }
  const authzid = decodeBase64(content)
  if (authzid === undefined) return { is: 'failure', condition: 'incorrect-encoding' }
  return parseDomain(authzid) === remote ? { is: 'success' } : { is: 'failure', condition: 'invalid-authzid' }
}

/** `<auth/>` for EXTERNAL; the authorization identity is the stream's own `from` (XEP-0178 §3). */
export const externalAuth = tag('auth', { xmlns: ns.sasl, mechanism: 'EXTERNAL' }, '=')

/** A SASL failure (RFC 6120 §6.5); `text`, where there is one, tells the peer's operator why. */
export function writeSaslFailure(condition: SaslCondition, text = ''): string {
  const why = text === '' ? [] : [tag('text', { 'xml:lang': 'en' }, escapeText(text))]
  return tag('failure', { xmlns: ns.sasl }, tag(condition, {}), ...why)
}

/** Strict base64 of UTF-8, or undefined (RFC 4648 §4; RFC 6120 §6.4.2). */
function decodeBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
