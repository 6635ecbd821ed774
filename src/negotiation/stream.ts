import type { Certificate } from '../identity/certificate.ts'
import { type Element, firstChild } from '../xml/element.ts'
import type { HeaderSlice } from '../xml/reader.ts'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import { type ContentNamespace, ns } from '../xmpp/namespaces.ts'
import type { ReasonCode } from '../xmpp/reason.ts'
import { StreamError } from '../xmpp/stream-error.ts'

/** The authentication methods, strongest first, by the names of the negotiation matrix. */
export const methods = ['sasl-external-tls', 'dialback-tls', 'dialback-tcp'] as const

export type Method = (typeof methods)[number]

export const requirements = ['required', 'optional', 'notSupported'] as const

/** How a partner's policy treats TLS or SASL. */
export type Requirement = (typeof requirements)[number]

/** What a partner's policy lets a stream negotiate: one row of the matrix, without its notes. */
export type Terms = {
  readonly tls: Requirement
  /** Permitted methods, strongest first; never empty. */
  readonly methods: readonly Method[]
}

/** What a stream runs over; the chain is what the peer presented, leaf first, empty where it presented none. */
export type Channel =
  | { readonly secure: false }
  | { readonly secure: true; readonly chain: readonly Certificate[] }

/** A sender and a target domain, seen from here: `local` is ours, `remote` the partner's. */
export type Pair = { readonly local: Domain; readonly remote: Domain }

/** What a stream header says (RFC 6120 §4.7), names prepared. `invalid` = there, but no domain name. */
export type StreamHeader = {
  readonly from: Domain | 'invalid' | undefined
  readonly to: Domain | 'invalid' | undefined
  readonly id: string | undefined
  /** XMPP 1.0 or later: features will follow. Before that a peer can do dialback alone. */
  readonly isModern: boolean
  /** The peer declared the dialback namespace: it can do dialback without features (XEP-0220 §2.3.1). */
  readonly declaresDialback: boolean
}

/**
 * Reads a stream header (RFC 6120 §4.7).
 * @throws {StreamError} when it is no stream header, or one of another kind of stream (RFC 6120 §4.8)
 */
export function readHeader(header: HeaderSlice, content: ContentNamespace): StreamHeader {
  if (header.namespace !== ns.stream) {
    throw new StreamError('invalid-namespace', `the stream namespace is ${ns.stream}`)
  }
  if (header.name !== 'stream') throw new StreamError('bad-format', 'a stream begins with <stream/>')
  const declared = [...header.declarations.values()]
  // RFC 6120 §4.8.5: the content namespace is the default one, or each stanza declares it by itself.
  const byDefault = header.declarations.get('')
  if (byDefault !== content && byDefault !== ns.stream && !declared.includes(content)) {
    throw new StreamError('invalid-namespace', `the content namespace of this stream is ${content}`)
  }
  const { attributes } = header
  return {
    from: readDomain(attributes.get('from')),
    to: readDomain(attributes.get('to')),
    id: attributes.get('id'),
    isModern: Number(/^(\d{1,5})\.\d{1,5}$/.exec(attributes.get('version') ?? '')?.[1] ?? 0) >= 1,
    declaresDialback: declared.includes(ns.dialback),
  }
}

function readDomain(text: string | undefined): Domain | 'invalid' | undefined {
  if (text === undefined) return undefined
  return parseDomain(text) ?? 'invalid'
}

/** What a peer's `<stream:error/>` says (RFC 6120 §4.9.2), its text cut to what fits a log line. */
export function readStreamError(element: Element): { readonly condition: string; readonly text: string } {
  const names: string[] = []
  for (const child of element.children) {
    if (typeof child !== 'string' && child.getNS() === ns.streams) names.push(child.getName())
  }
  const condition = names.find(name => name !== 'text') ?? 'undefined-condition'
  const said = firstChild(element, 'text', ns.streams)?.getText().slice(0, 200)
  return { condition, text: said ? `${condition} (${said})` : condition }
}

/** The code of a stream that a peer ends so. */
export function codeOfStreamError({ condition, text }: ReturnType<typeof readStreamError>): ReasonCode {
  if (condition === 'host-unknown' || condition === 'host-gone') return 'peer-host-unknown'
  if (condition === 'system-shutdown' || condition === 'reset') return 'peer-stopping'
  const isRefusal = condition === 'not-authorized' || condition === 'policy-violation'
  // COMPAT(Prosody 0.12, and this gateway): what is wrong with the certificate stands in the text alone.
  return isRefusal && /\bcertificate\b/i.test(text) ? 'our-certificate-refused' : 'peer-stream-error'
}
