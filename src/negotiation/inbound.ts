import { proveByCertificate } from '../identity/proof.ts'
import type { Element } from '../xml/element.ts'
import { streamHeader, tag } from '../xml/writer.ts'
import { type Domain, toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import type { SaslCondition } from '../xmpp/sasl-failure.ts'
import type { StreamCondition } from '../xmpp/stream-error.ts'
import { namesOfOffers, offersFor, writeFeatures } from './features.ts'
import { receiveDialback, settle } from './inbound-dialback.ts'
import {
  closing,
  fail,
  type InboundAction,
  type InboundContext,
  type InboundEvent,
  type InboundState,
  type InboundStep,
  type Negotiating,
  standingOf,
} from './inbound-stream.ts'
import { judgeExternal, writeSaslFailure } from './sasl-external.ts'
import { type Channel, codeOfStreamError, readStreamError, type StreamHeader } from './stream.ts'

/** The state of a stream on a socket that was just accepted, or on one that direct TLS has just secured. */
export function opened(channel: Channel): InboundState {
  return { at: 'awaiting-header', channel, before: undefined }
}

/** Advances an inbound stream by one event. Pure: no socket, clock, log or randomness. */
export function advance(state: InboundState, event: InboundEvent, context: InboundContext): InboundStep {
  if (state.at === 'closed') return { state, actions: [] }
  if (event.on === 'lost') return { state: { at: 'closed' }, actions: [] }
  if (event.on === 'refuse') return refuse(state, event, context)
  switch (state.at) {
    case 'awaiting-header':
      if (event.on === 'header') return answer(state, event.header, event.streamId, context)
      return event.on === 'key-answer'
        ? { state, actions: [] }
        : fail('bad-format', 'protocol-violation', 'a stream header was due')
    case 'negotiating':
    case 'challenged':
      if (event.on === 'element') return negotiate(state, event.element, context)
      if (event.on === 'key-answer') return settle(state, event, context)
      if (event.on === 'stanza') {
        const reason = 'a stanza came before authentication'
        return fail('not-authorized', 'stanza-before-authentication', reason)
      }
      return fail('bad-format', 'protocol-violation', 'a stream header was not due')
    case 'securing':
      // RFC 6120 §5.4.3.3: the peer starts over; nothing it said in the clear still counts.
      if (event.on === 'secured') {
        return { state: opened({ secure: true, chain: event.chain }), actions: [] }
      }
      return event.on === 'key-answer'
        ? { state, actions: [] }
        : fail('bad-format', 'protocol-violation', 'only TLS may follow <starttls/>')
  }
}

function answer(
  state: InboundState & { at: 'awaiting-header' },
  header: StreamHeader,
  streamId: string,
  context: InboundContext,
): InboundStep {
  const { channel, before } = state
  const isLocal = header.to !== undefined && header.to !== 'invalid' && context.isLocal(header.to)
  const local = isLocal ? (header.to as Domain) : context.mainDomain
  const response = respond(local, header, streamId)
  const failed = (condition: StreamCondition, code: ReasonCode, reason: string) =>
    fail(condition, code, reason, response)
  // After SASL the same peer goes on; after TLS it starts over, and may name others (RFC 6120 §6.4.6, §5.4.3.3).
  if (before !== undefined) {
    const sameFrom = header.from === undefined || header.from === before.remote
    if (!sameFrom || header.to !== before.local) {
      return failed(
        'improper-addressing',
        'protocol-violation',
        'the stream header names other domains than before',
      )
    }
  }
  if (!isLocal) {
    return failed('host-unknown', 'unknown-local-domain', `${header.to ?? 'no domain'} is not served here`)
  }
  if (header.from === 'invalid')
    return failed('invalid-from', 'protocol-violation', 'the stream header has no valid domain in from')
  const remote = before?.remote ?? header.from
  if (remote !== undefined && context.isLocal(remote)) {
    return failed('policy-violation', 'claims-our-domain', `${remote} is one of our own domains`)
  }
  const terms = remote === undefined ? context.anyTerms : context.termsFor(remote)
  if (terms === undefined) {
    return failed('policy-violation', 'not-a-partner', `${remote ?? 'the peer'} is not a partner`)
  }
  // A reload between <success/> and this header may have forbidden what was proven.
  const proofs = (before?.proofs ?? []).filter(proof =>
    context.termsFor(proof.remote)?.methods.includes(proof.method),
  )
  const stage = {
    secure: channel.secure,
    certificateIsValid: remote !== undefined && standingOf(channel, remote, context) === 'valid',
    authenticated: proofs.length > 0,
  }
  const offers = offersFor(terms, stage)
  const features = header.isModern ? writeFeatures(offers, context.limits) : ''
  const known = {
    channel,
    proofs,
    local,
    remote,
    streamId,
    saslFailures: before?.saslFailures ?? 0,
    asked: [],
  }
  const next = { at: 'negotiating', ...known } as const
  const why = stage.certificateIsValid ? undefined : whyNoExternal(next, context)
  return {
    state: next,
    actions: [
      { do: 'send', text: response + features },
      { do: 'tell', step: { step: 'offers', by: 'us', offers: namesOfOffers(offers) } },
      ...(why === undefined ? [] : [{ do: 'note', ...why } as const]),
    ],
  }
}

/** A peer that is not offered EXTERNAL may just leave: the log says why it was not, where its certificate is the cause. */
function whyNoExternal({ channel, remote, proofs }: Negotiating, context: InboundContext): Why | undefined {
  if (!channel.secure || remote === undefined || proofs.length > 0) return undefined
  if (!context.termsFor(remote)?.methods.includes('sasl-external-tls')) return undefined
  const verdict = context.judge(channel.chain, remote)
  if (verdict.valid) return undefined
  return { code: verdict.code, reason: `SASL EXTERNAL is not offered: ${verdict.reason}` }
}

function respond(local: Domain, header: StreamHeader, streamId: string): string {
  const to = header.from === 'invalid' || header.from === undefined ? undefined : toUnicode(header.from)
  return streamHeader({
    content: ns.server,
    from: toUnicode(local),
    ...(to === undefined ? {} : { to }),
    id: streamId,
    version: header.isModern ? '1.0' : undefined,
    dialback: true,
  })
}

function negotiate(state: Negotiating, element: Element, context: InboundContext): InboundStep {
  const name = element.getName()
  switch (element.getNS()) {
    case ns.tls:
      if (name === 'starttls') return startTls(state, context)
      break
    case ns.sasl:
      if (name === 'auth' || name === 'response') return authenticate(state, name, element, context)
      if (name === 'abort') return saslFailure(state, 'aborted', brokenRules('the peer has aborted SASL'))
      break
    case ns.dialback:
      if (name === 'result' || name === 'verify') return receiveDialback(state, element, context)
      break
    case ns.stream:
      if (name === 'error') return peerClosed(element)
      break
  }
  return fail('unsupported-stanza-type', 'protocol-violation', `<${name}/> is not understood here`)
}

function peerClosed(error: Element): InboundStep {
  const said = readStreamError(error)
  const code = codeOfStreamError(said)
  const reason = `the peer closed the stream: ${said.text}`
  return { state: { at: 'closed' }, actions: [closing(undefined, code, reason)] }
}

function startTls(state: Negotiating, context: InboundContext): InboundStep {
  if (state.channel.secure) return fail('policy-violation', 'protocol-violation', 'TLS is already in use')
  const terms = state.remote === undefined ? context.anyTerms : context.termsFor(state.remote)
  if (terms === undefined || terms.tls === 'notSupported') {
    // RFC 6120 §5.4.2.2: after <failure/> the stream is closed.
    const failure: InboundAction = { do: 'send', text: tag('failure', { xmlns: ns.tls }) }
    const reason = 'the peer asked for TLS, which its policy does not support'
    return { state: { at: 'closed' }, actions: [failure, closing(undefined, 'tls-not-permitted', reason)] }
  }
  return {
    state: { at: 'securing' },
    actions: [{ do: 'send', text: tag('proceed', { xmlns: ns.tls }) }, { do: 'secure' }],
  }
}

function authenticate(
  state: Negotiating,
  name: 'auth' | 'response',
  element: Element,
  context: InboundContext,
): InboundStep {
  const { channel, local, remote } = state
  if (!channel.secure) {
    const reason = 'the peer tried SASL EXTERNAL in clear text'
    const failed = { step: 'failed', code: 'external-not-permitted', reason } as const
    const text = writeSaslFailure('encryption-required')
    return {
      state,
      actions: [
        { do: 'send', text },
        { do: 'tell', step: failed },
      ],
    }
  }
  const terms = remote === undefined ? undefined : context.termsFor(remote)
  const isProven = state.proofs.some(proof => proof.method === 'sasl-external-tls')
  const mechanism = name === 'auth' ? element.attrs['mechanism'] : 'EXTERNAL'
  if (name === 'response' && state.at !== 'challenged')
    return saslFailure(state, 'malformed-request', brokenRules('a SASL response was not due'))
  const refused = (condition: SaslCondition, code: ReasonCode, reason: string, text = '') => {
    const method = 'sasl-external-tls'
    const reports: InboundAction[] =
      remote === undefined ? [] : [{ do: 'report', pair: { local, remote }, method, code, reason }]
    return saslFailure(state, condition, { code, reason }, text, reports)
  }
  if (mechanism !== 'EXTERNAL' || isProven) {
    return refused('invalid-mechanism', 'protocol-violation', `${mechanism} is not offered`)
  }
  if (remote === undefined || terms === undefined || !terms.methods.includes('sasl-external-tls')) {
    const reason = 'SASL EXTERNAL is not permitted for this partner'
    return refused('not-authorized', 'external-not-permitted', reason)
  }
  const verdict = context.judge(channel.chain, remote)
  // The reason tells of the peer's own certificates alone: its operator may know.
  if (!verdict.valid) return refused('not-authorized', verdict.code, verdict.reason, verdict.reason)
  const external = judgeExternal(element.getText().trim(), remote, name)
  if (external.is === 'challenge') {
    return {
      state: { ...state, at: 'challenged' },
      actions: [{ do: 'send', text: tag('challenge', { xmlns: ns.sasl }) }],
    }
  }
  if (external.is === 'failure') {
    const reason = 'the authorization identity is not the domain of the stream'
    return refused(external.condition, 'external-wrong-identity', reason)
  }
  const proof = proveByCertificate({ local, remote }, 'valid')
  const { at: _, ...known } = state
  return {
    state: { at: 'awaiting-header', channel, before: { ...known, proofs: [...state.proofs, proof] } },
    actions: [
      { do: 'send', text: tag('success', { xmlns: ns.sasl }) },
      { do: 'restart' },
      { do: 'prove', proof, certificate: 'valid' },
    ],
  }
}

function refuse(
  state: InboundState,
  event: InboundEvent & { on: 'refuse' },
  context: InboundContext,
): InboundStep {
  // A stream error needs a stream around it (RFC 6120 §4.9.1.2).
  const needsHeader = state.at === 'awaiting-header'
  const names = { from: toUnicode(context.mainDomain), id: event.streamId }
  const header = streamHeader({ content: ns.server, ...names, version: '1.0' })
  const isLate = event.condition === 'connection-timeout' && event.code !== 'idle' && 'proofs' in state
  const why = isLate ? whyNoExternal(state, context) : undefined
  const reason = why === undefined ? event.reason : `${event.reason}; ${why.reason}`
  return fail(event.condition, why?.code ?? event.code, reason, needsHeader ? header : '')
}

const maxSaslRetries = 3 // RFC 6120 §6.4.4: 2 to 5; each has the certificate judged

function saslFailure(
  state: Negotiating,
  condition: SaslCondition,
  { code, reason }: Why,
  text = '',
  reports: readonly InboundAction[] = [],
): InboundStep {
  const saslFailures = state.saslFailures + 1
  const actions: InboundAction[] = [{ do: 'send', text: writeSaslFailure(condition, text) }, ...reports]
  if (saslFailures <= maxSaslRetries) return { state: { ...state, at: 'negotiating', saslFailures }, actions }
  const last = `SASL has failed ${saslFailures} times, now because ${reason}`
  return { state: { at: 'closed' }, actions: [...actions, closing('policy-violation', code, last)] }
}

function brokenRules(reason: string): Why {
  return { code: 'protocol-violation', reason }
}
