import { createHash } from 'node:crypto'
import type { Element } from '../xml/element.ts'
import { streamHeader, tag } from '../xml/writer.ts'
import { type Domain, toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { StreamCondition } from '../xmpp/stream-error.ts'
import { readStreamError, type StreamHeader } from './stream.ts'

/** Where a stream to the internal server stands (XEP-0114 §3). */
export type ComponentState =
  | { readonly at: 'connecting' }
  | { readonly at: 'awaiting-header' }
  | { readonly at: 'awaiting-handshake' }
  | { readonly at: 'accepted' }
  | { readonly at: 'closed' }

export type ComponentEvent =
  | { readonly on: 'connected' }
  | { readonly on: 'header'; readonly header: StreamHeader }
  | { readonly on: 'element'; readonly element: Element }
  | { readonly on: 'stanza' }
  | { readonly on: 'lost'; readonly reason: string }

export type ComponentAction =
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'accepted' }
  | { readonly do: 'close'; readonly condition: StreamCondition | undefined; readonly reason: string }

export type ComponentStep = { readonly state: ComponentState; readonly actions: readonly ComponentAction[] }

/** The partner's domain as the internal server knows it, and the secret shared with that server. */
export type ComponentContext = { readonly domain: Domain; readonly secret: string }

/** Advances a component stream by one event. Pure: no socket, clock, log or randomness. */
export function advance(
  state: ComponentState,
  event: ComponentEvent,
  context: ComponentContext,
): ComponentStep {
  if (state.at === 'closed') return { state, actions: [] }
  if (event.on === 'lost') return close(event.reason)
  if (event.on === 'element' && event.element.is('error', ns.stream)) return close(describe(event.element))
  switch (state.at) {
    case 'connecting': {
      if (event.on !== 'connected') return close('the internal server spoke first', 'bad-format')
      const text = streamHeader({ content: ns.component, to: toUnicode(context.domain) })
      return { state: { at: 'awaiting-header' }, actions: [{ do: 'send', text }] }
    }
    case 'awaiting-header': {
      if (event.on !== 'header') return close('a stream header was due', 'bad-format')
      const id = event.header.id
      if (id === undefined) return close('the internal server gave no stream id', 'bad-format')
      const text = tag('handshake', {}, componentHandshake(id, context.secret))
      return { state: { at: 'awaiting-handshake' }, actions: [{ do: 'send', text }] }
    }
    case 'awaiting-handshake':
      if (event.on === 'element' && event.element.is('handshake', ns.component)) {
        return { state: { at: 'accepted' }, actions: [{ do: 'accepted' }] }
      }
      return close('the answer to the handshake was due', 'bad-format')
    case 'accepted':
      return event.on === 'header'
        ? close('a second stream header', 'bad-format')
        : close('an element that is not a stanza', 'unsupported-stanza-type')
  }
}

/** The handshake of XEP-0114 §3: lower-case hex SHA-1 of stream id and secret. */
export function componentHandshake(streamId: string, secret: string): string {
  return createHash('sha1').update(streamId).update(secret).digest('hex')
}

function describe(error: Element): string {
  const { condition, text } = readStreamError(error)
  const hint = hints.get(condition)
  return `the internal server closed the stream: ${text}${hint === undefined ? '' : `; ${hint} (docs/inside.md)`}`
}

/** What a refused component mostly wants. ejabberd says not-authorized of a domain that it does not know, too. */
const hints: ReadonlyMap<string, string> = new Map([
  ['host-unknown', 'it has to be told of this domain'],
  [
    'not-authorized',
    'is internal.secret (or componentSecret of the partner) the one it knows, and has it been told of this domain?',
  ],
  ['conflict', 'another gateway is connected as this domain, or the domain is one of its own'],
])

function close(reason: string, condition?: StreamCondition): ComponentStep {
  return { state: { at: 'closed' }, actions: [{ do: 'close', condition, reason }] }
}
