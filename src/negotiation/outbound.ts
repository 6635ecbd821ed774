import type { CertificateStanding } from '../identity/proof.ts'
import type { Element } from '../xml/element.ts'
import { streamHeader, tag } from '../xml/writer.ts'
import { toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { Why } from '../xmpp/reason.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import type { StreamCondition } from '../xmpp/stream-error.ts'
import { dialbackMethod, readDialback, writeRequest } from './dialback.ts'
import { mayTake, sendKey, take, tell } from './outbound-choice.ts'
import {
  giveUp,
  type OutboundAction,
  type OutboundContext,
  type OutboundEvent,
  type OutboundState,
  type OutboundStep,
} from './outbound-stream.ts'
import { readOffers } from './peer-offers.ts'
import { type Channel, codeOfStreamError, readStreamError, type StreamHeader } from './stream.ts'

/** Advances an outbound stream by one event. Pure: no socket, clock, log or randomness. */
export function advance(state: OutboundState, event: OutboundEvent, context: OutboundContext): OutboundStep {
  if (state.at === 'closed') return { state, actions: [] }
  if (event.on === 'lost') return lose(state, event, false)
  if (event.on === 'stanza')
    return unexpected('a stanza on a stream that goes the other way', 'not-authorized')
  if (event.on === 'element' && event.element.is('error', ns.stream)) return peerClosed(state, event.element)
  switch (state.at) {
    case 'connecting':
      return event.on === 'connected' ? open(event.channel, context) : unexpected('the peer spoke first')
    case 'awaiting-header':
      return event.on === 'header'
        ? greet(state, event.header, context)
        : unexpected('a stream header was due')
    case 'awaiting-features': {
      const isFeatures = event.on === 'element' && event.element.is('features', ns.stream)
      return isFeatures
        ? take(state, readOffers(event.element), context)
        : unexpected('stream features were due')
    }
    case 'awaiting-pause':
      return event.on === 'paused'
        ? take(state, offersOfOld, context)
        : unexpected('nothing was due behind a header without version')
    case 'awaiting-proceed':
      if (event.on !== 'element' || event.element.getNS() !== ns.tls)
        return unexpected('the answer to <starttls/> was due')
      if (event.element.getName() === 'proceed')
        return { state: { at: 'securing' }, actions: [{ do: 'secure' }] }
      return giveUp('tls-refused', 'the partner offered TLS and then refused it')
    case 'securing':
      return event.on === 'secured'
        ? open({ secure: true, chain: event.chain }, context)
        : unexpected('only TLS may follow <proceed/>')
    case 'awaiting-sasl':
      return event.on === 'element'
        ? readOutcome(state, event.element, context)
        : unexpected('the outcome of SASL was due')
    case 'awaiting-dialback':
      return event.on === 'element'
        ? readResult(state, event.element, context)
        : unexpected('a dialback answer was due')
    case 'ready':
    case 'authenticated':
      return serve(state, event)
  }
}

function open(channel: Channel, context: OutboundContext): OutboundStep {
  const text = header(context)
  return { state: { at: 'awaiting-header', channel, isProven: false }, actions: [{ do: 'send', text }] }
}

function header(context: OutboundContext): string {
  return streamHeader({
    content: ns.server,
    from: toUnicode(context.local),
    to: toUnicode(context.remote),
    version: '1.0',
    dialback: true,
  })
}

type AwaitingHeader = OutboundState & { at: 'awaiting-header' }

function greet(state: AwaitingHeader, header: StreamHeader, context: OutboundContext): OutboundStep {
  // COMPAT(Openfire, older peers): from and to may be missing in the answer; a from that is another domain may not.
  if (header.from !== undefined && header.from !== context.remote) {
    return unexpected(`the stream header is from ${header.from}, not from ${context.remote}`, 'invalid-from')
  }
  if (header.id === undefined || header.id === '')
    return unexpected('the stream header has no id', 'bad-format')
  const { channel, isProven } = state
  const known = { channel, streamId: header.id, declaresDialback: header.declaresDialback }
  if (header.isModern) return { state: { at: 'awaiting-features', isProven, ...known }, actions: [] }
  return { state: { at: 'awaiting-pause', isProven, ...known }, actions: [] }
}

/** Before XMPP 1.0 there are no features: dialback is all that such a peer can do (contract §2). */
const offersOfOld = { starttls: undefined, external: false, dialback: true } as const

type AwaitingSasl = OutboundState & { at: 'awaiting-sasl' }

function readOutcome(state: AwaitingSasl, element: Element, context: OutboundContext): OutboundStep {
  if (element.is('success', ns.sasl)) {
    const text = header(context)
    return {
      state: { at: 'awaiting-header', channel: state.channel, isProven: true },
      actions: [
        { do: 'restart' },
        { do: 'send', text },
        tell({ step: 'sasl', by: 'peer', outcome: 'accepted', reason: null }),
      ],
    }
  }
  if (element.is('challenge', ns.sasl)) {
    // COMPAT(servers that ask once more for the authorization identity, XEP-0178 §3): it is the stream's own.
    return { state, actions: [{ do: 'send', text: tag('response', { xmlns: ns.sasl }, '=') }] }
  }
  if (!element.is('failure', ns.sasl)) return unexpected('the outcome of SASL was due')
  const [condition] = element.children.filter(child => typeof child !== 'string')
  const name = typeof condition === 'object' ? condition.getName() : 'no condition'
  const said = element.getChildText('text')
  const reason =
    `the partner refused SASL EXTERNAL (${name}${said ? `: ${said.slice(0, 200)}` : ''}): it does not accept our certificate; ` +
    'older servers refuse one for server use only (no clientAuth)'
  const why = { code: 'external-refused', reason } as const
  if (!context.terms.methods.includes('dialback-tls') || !mayTake(state, state.offersDialback)) {
    return giveUp(why.code, reason, { method: 'sasl-external-tls' })
  }
  const step = sendKey(state, state.offersDialback, why, context)
  return {
    state: step.state,
    actions: [{ do: 'report', method: 'sasl-external-tls', ...why }, ...step.actions],
  }
}

type AwaitingDialback = OutboundState & { at: 'awaiting-dialback' }

function readResult(state: AwaitingDialback, element: Element, context: OutboundContext): OutboundStep {
  const read = element.getNS() === ns.dialback ? readDialback(element) : undefined
  if (read === undefined) return unexpected('a dialback answer was due')
  if (read === 'malformed') return unexpected('a dialback element without valid names', 'bad-format')
  const isOurs = read.kind === 'result' && read.from === context.remote && read.to === context.local
  if (!isOurs || read.type === undefined) {
    return {
      state,
      actions: [{ do: 'note', reason: `an unasked dialback element from ${read.from} was ignored` }],
    }
  }
  const method = dialbackMethod(state.channel)
  const outcome = read.condition ?? read.type
  const answered = tell({ step: 'dialback', leg: 'peer-answer', outcome })
  if (read.type === 'valid') {
    const certificate = standing(state.channel, context)
    return {
      state: { at: 'authenticated' },
      actions: [answered, { do: 'authenticated', method, certificate }],
    }
  }
  if (read.type === 'invalid') {
    const reason =
      'the partner says that our dialback key is invalid: do all our gateways share one dialback secret, and does DNS lead to them?'
    return after(
      answered,
      giveUp('dialback-invalid-key', reason, { condition: 'internal-server-error', method }),
    )
  }
  // XEP-0220 §2.4: what waits returns with remote-server-timeout, whatever the condition.
  const reason = `the partner answered dialback with the error ${read.condition}`
  return after(answered, refusedKey(state, unreachable.has(outcome), reason))
}

/** XEP-0220 §2.4: the partner could not ask us about our key. */
const unreachable: ReadonlySet<string> = new Set<StanzaCondition>([
  'remote-server-not-found',
  'remote-connection-failed',
  'remote-server-timeout',
])

/** Who has refused EXTERNAL before does not want us, unless he says that he cannot reach us. */
function refusedKey(state: AwaitingDialback, isUnreachable: boolean, reason: string): OutboundStep {
  const method = dialbackMethod(state.channel)
  if (isUnreachable) return giveUp('dialback-cannot-reach-us', reason, { method })
  const { noExternal } = state
  if (noExternal?.code !== 'external-refused') return giveUp('dialback-refused', reason, { method })
  return giveUp(noExternal.code, `${noExternal.reason}; then ${reason}`, { method })
}

function after(first: OutboundAction, { state, actions }: OutboundStep): OutboundStep {
  return { state, actions: [first, ...actions] }
}

/** A stream that is up: answers about keys come in, questions about keys go out. */
function serve(state: OutboundState & { at: 'ready' | 'authenticated' }, event: OutboundEvent): OutboundStep {
  if (event.on === 'verify') {
    const { request } = event
    return {
      state,
      actions: [{ do: 'send', text: writeRequest('verify', request, request.key, request.streamId) }],
    }
  }
  if (event.on !== 'element') return unexpected('a second stream header')
  const { element } = event
  if (element.is('features', ns.stream)) return { state, actions: [] }
  const read = element.getNS() === ns.dialback ? readDialback(element) : undefined
  if (read === undefined)
    return unexpected(`<${element.getName()}/> is not understood here`, 'unsupported-stanza-type')
  if (read === 'malformed' || read.kind !== 'verify' || read.type === undefined || read.id === undefined) {
    return { state, actions: [{ do: 'note', reason: 'an unasked dialback element was ignored' }] }
  }
  const pair = { local: read.to, remote: read.from }
  const answer =
    read.type === 'error'
      ? ({
          outcome: 'error',
          condition: 'remote-server-not-found', // XEP-0220 §2.4: an error in step 3
          code: 'dialback-unverified',
          reason: `its authoritative server answered with the error ${read.condition}`,
        } as const)
      : { outcome: read.type }
  return { state, actions: [{ do: 'key-answer', pair, streamId: read.id, answer }] }
}

function standing(channel: Channel, context: OutboundContext): CertificateStanding {
  if (!channel.secure || channel.chain.length === 0) return 'none'
  return context.judge(channel.chain).valid ? 'valid' : 'invalid'
}

/** The peer ended the stream with an error. */
function peerClosed(state: OutboundState, element: Element): OutboundStep {
  const said = readStreamError(element)
  const code = codeOfStreamError(said)
  const why = { code, reason: `the partner closed the stream: ${said.text}` }
  return lose(state, why, code === 'peer-host-unknown')
}

/** The stream is gone. What that means depends on what was awaited. */
function lose(state: OutboundState, { code, reason }: Why, isUnknownHost: boolean): OutboundStep {
  const end = { code, reason }
  const isByPeer = code === 'peer-left' || code === 'peer-stream-error'
  if (state.at === 'awaiting-sasl') {
    const why = `${reason}, instead of an answer to SASL EXTERNAL`
    return giveUp(isByPeer ? 'external-refused' : code, why, {
      method: 'sasl-external-tls',
      retryWithoutExternal: true,
      end,
    })
  }
  if (state.at === 'awaiting-dialback') {
    const { noExternal, offersDialback } = state
    const wasRefused = noExternal?.code === 'external-refused'
    const rest = { method: dialbackMethod(state.channel), retryWithoutExternal: wasRefused, end }
    const isRefused = wasRefused && (isByPeer || code === 'connection-lost')
    // Dialback was tried for want of better, with a partner that had not offered it: what kept us from EXTERNAL is the cause.
    const isIgnored = !offersDialback && (isByPeer || code === 'dialback-unanswered')
    if (noExternal !== undefined && (isRefused || isIgnored))
      return giveUp(noExternal.code, `${noExternal.reason}; then ${reason}`, rest)
    return giveUp(code === 'peer-left' ? 'dialback-unanswered' : code, reason, rest)
  }
  return giveUp(code, reason, { isUnknownHost })
}

function unexpected(reason: string, streamError: StreamCondition = 'bad-format'): OutboundStep {
  return giveUp('protocol-violation', `the partner broke the protocol: ${reason}`, { streamError })
}
