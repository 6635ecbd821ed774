import { type Element, firstChild } from '../xml/element.ts'
import { escapeText, tag } from '../xml/writer.ts'
import { type Domain, parseDomain, toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { Why } from '../xmpp/reason.ts'
import { type StanzaCondition, stanzaConditions } from '../xmpp/stanza-error.ts'
import type { Channel, Method, Pair, Terms } from './stream.ts'

/** A `<db:result/>` or `<db:verify/>` as read from the wire; `from` and `to` as the peer means them. */
export type DialbackElement = {
  readonly kind: 'result' | 'verify'
  readonly from: Domain
  readonly to: Domain
  readonly id: string | undefined
  readonly key: string
  /** Absent in a request. */
  readonly type: 'valid' | 'invalid' | 'error' | undefined
  /** The condition inside an error. */
  readonly condition: StanzaCondition | undefined
}

/** How the verification of a key ended (XEP-0220 §2.2.1, §2.4). */
export type KeyAnswer =
  | { readonly outcome: 'valid' }
  | { readonly outcome: 'invalid' }
  | ({ readonly outcome: 'error'; readonly condition: StanzaCondition } & Why)

/** A key the authoritative server has to be asked about (XEP-0220 §2.1.2). */
export type KeyRequest = Pair & { readonly streamId: string; readonly key: string }

const maxKeyLength = 1024 // ours has 64 digits; others may make theirs as they like

/** Reads a dialback element (XEP-0220 §2), or says what is wrong with it. */
export function readDialback(element: Element): DialbackElement | 'malformed' {
  const kind = element.getName()
  const from = parseDomain(element.attrs['from'] ?? '')
  const to = parseDomain(element.attrs['to'] ?? '')
  const id: string | undefined = element.attrs['id']
  const type: string | undefined = element.attrs['type']
  const key = element.getText().trim()
  if ((kind !== 'result' && kind !== 'verify') || from === undefined || to === undefined) return 'malformed'
  if (kind === 'verify' && (id === undefined || id === '')) return 'malformed'
  if (type !== undefined && type !== 'valid' && type !== 'invalid' && type !== 'error') return 'malformed'
  if (key.length > maxKeyLength || (type === undefined && key === '')) return 'malformed'
  return { kind, from, to, id, key, type, condition: type === 'error' ? readCondition(element) : undefined }
}

/** Which method dialback on this channel would be. */
export function dialbackMethod(channel: Channel): Method {
  return channel.secure ? 'dialback-tls' : 'dialback-tcp'
}

/**
 * Decides whether a dialback request may be answered on this channel (contract §2, §9).
 * `ignore`: no dialback is permitted at all; `policy-violation`: it is, but not on this channel.
 */
export function admitDialback(terms: Terms, channel: Channel): 'admit' | 'ignore' | 'policy-violation' {
  if (terms.methods.includes(dialbackMethod(channel))) return 'admit'
  return terms.methods.some(method => method.startsWith('dialback')) ? 'policy-violation' : 'ignore'
}

/** A dialback request: our key (step 1), or a partner's for its authoritative server to judge (step 2). */
export function writeRequest(kind: 'result' | 'verify', pair: Pair, key: string, id?: string): string {
  return tag(`db:${kind}`, { from: toUnicode(pair.local), to: toUnicode(pair.remote), id }, escapeText(key))
}

/** An answer to a dialback request (steps 3 and 4). */
export function writeAnswer(
  kind: 'result' | 'verify',
  pair: { readonly local: string; readonly remote: string },
  answer: 'valid' | 'invalid' | { readonly condition: StanzaCondition },
  id?: string,
): string {
  const attributes = { from: pair.local, to: pair.remote, id }
  if (typeof answer === 'string') return tag(`db:${kind}`, { ...attributes, type: answer })
  const { condition } = answer
  const error = tag('error', { type: stanzaConditions[condition] }, tag(condition, { xmlns: ns.stanzas }))
  return tag(`db:${kind}`, { ...attributes, type: 'error' }, error)
}

function readCondition(element: Element): StanzaCondition {
  const error = firstChild(element, 'error')
  for (const child of error?.children ?? []) {
    if (typeof child === 'string' || child.getNS() !== ns.stanzas) continue
    const name = child.getName()
    if (Object.hasOwn(stanzaConditions, name)) return name as StanzaCondition
  }
  return 'undefined-condition'
}
