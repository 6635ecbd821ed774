import type { Method, Requirement, Terms } from '../../src/negotiation/stream.ts'

/** What goes over the wire in these transcripts, as the RFCs and XEPs write it. */

export const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
export const starttlsRequired = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
export const proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
export const tlsFailure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

export const external =
  "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
export const challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
export const success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
export const abort = "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"

export const dialback = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"

export const message = "<message from='juliet@fabrikam.com' to='romeo@contoso.com'><body>Hi</body></message>"

export function auth(content: string, mechanism = 'EXTERNAL'): string {
  return `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='${mechanism}'>${content}</auth>`
}

export function response(content: string): string {
  return `<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${content}</response>`
}

export function saslFailure(condition: string, text?: string): string {
  const why = text === undefined ? '' : `<text xml:lang='en'>${text}</text>`
  return `<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><${condition}/>${why}</failure>`
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A dialback element without `type`: a request. */
export function result(key: string, from = 'fabrikam.com', to = 'contoso.com'): string {
  return `<db:result from='${from}' to='${to}'>${key}</db:result>`
}

export function verify(id: string, key: string, from = 'fabrikam.com', to = 'contoso.com'): string {
  return `<db:verify from='${from}' to='${to}' id='${id}'>${key}</db:verify>`
}

/** A dialback answer; `id` makes it one to a `<db:verify/>`. */
export function answer(
  type: 'valid' | 'invalid',
  from = 'contoso.com',
  to = 'fabrikam.com',
  id?: string,
): string {
  return id === undefined
    ? `<db:result from='${from}' to='${to}' type='${type}'/>`
    : `<db:verify from='${from}' to='${to}' id='${id}' type='${type}'/>`
}

/** A dialback error (XEP-0220 §2.4). */
export function dialbackError(
  condition: string,
  type: string,
  { from = 'contoso.com', to = 'fabrikam.com', id }: { from?: string; to?: string; id?: string } = {},
): string {
  const kind = id === undefined ? 'result' : 'verify'
  const names = `from='${from}' to='${to}'${id === undefined ? '' : ` id='${id}'`}`
  const error = `<error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
  return `<db:${kind} ${names} type='error'>${error}</db:${kind}>`
}

/** Terms by name, as rows of the matrix have them. */
export function terms(tls: Requirement, ...methods: Method[]): Terms {
  return { tls, methods }
}

export const externalOnly = terms('required', 'sasl-external-tls')
export const externalOrDialback = terms('required', 'sasl-external-tls', 'dialback-tls')
export const dialbackOverTls = terms('required', 'dialback-tls')
export const anything = terms('optional', 'sasl-external-tls', 'dialback-tls', 'dialback-tcp')
export const clearOnly = terms('notSupported', 'dialback-tcp')
