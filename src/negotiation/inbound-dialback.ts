import { proveByDialback } from '../identity/proof.ts'
import type { Element } from '../xml/element.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import { admitDialback, type DialbackElement, dialbackMethod, readDialback, writeAnswer } from './dialback.ts'
import {
  closing,
  fail,
  type InboundAction,
  type InboundContext,
  type InboundEvent,
  type InboundStep,
  ignore,
  isSame,
  maxPairs,
  type Negotiating,
  standingOf,
} from './inbound-stream.ts'
import type { Pair } from './stream.ts'

/** Answers a dialback request, or has the authoritative server asked (XEP-0220 §2.2). */
export function receiveDialback(state: Negotiating, element: Element, context: InboundContext): InboundStep {
  const read = readDialback(element)
  if (read === 'malformed') {
    return fail('bad-format', 'protocol-violation', 'a dialback element without valid names or key')
  }
  // XEP-0220 §2.1: answers belong on the streams we asked on. Here nobody was asked.
  if (read.type !== undefined)
    return ignore(state, `an unasked dialback answer from ${read.from} was ignored`)
  const terms = context.termsFor(read.from)
  if (terms === undefined) return fail('policy-violation', 'not-a-partner', `${read.from} is not a partner`)
  const pair = { local: read.to, remote: read.from }
  const sendBack = (answer: Parameters<typeof writeAnswer>[2], step: AttemptStep): InboundStep => ({
    state,
    actions: [
      { do: 'send', text: writeAnswer(read.kind, written(element), answer, read.id) },
      { do: 'tell', step },
    ],
  })
  const refuse = (condition: StanzaCondition, code: ReasonCode, why: string) => {
    const reason = `dialback from ${read.from} to ${read.to} was answered ${condition}: ${why}`
    return sendBack({ condition }, { step: 'failed', code, reason })
  }
  switch (admitDialback(terms, state.channel)) {
    case 'ignore': {
      const reason = `dialback from ${read.from} was ignored: its policy does not permit dialback`
      return ignore(state, reason, 'dialback-not-permitted')
    }
    case 'policy-violation':
      return refuse('policy-violation', 'dialback-not-permitted', 'its policy permits none on this stream')
  }
  if (!context.isLocal(read.to)) {
    return refuse('item-not-found', 'unknown-local-domain', 'that domain is not served here')
  }
  if (read.kind === 'verify') {
    const outcome = judgeKey(read, context)
    return sendBack(outcome, { step: 'dialback', leg: 'peer-ask', outcome })
  }
  if (state.asked.some(asked => isSame(asked, pair)))
    return ignore(state, `${read.from} repeated its dialback key`)
  if (state.asked.length + state.proofs.length >= maxPairs)
    return refuse('resource-constraint', 'limit-pairs', 'there are too many pairs on this stream')
  return {
    state: { ...state, asked: [...state.asked, { ...pair, names: written(element) }] },
    actions: [
      { do: 'tell', step: { step: 'dialback', leg: 'peer-key', outcome: null } },
      { do: 'ask', request: { ...pair, streamId: state.streamId, key: read.key } },
    ],
  }
}

/** The authoritative server's part (XEP-0220 §2.2.2): is this a key that we made? */
function judgeKey(read: DialbackElement, context: InboundContext): 'valid' | 'invalid' {
  const binding = { receiving: read.from, originating: read.to, streamId: read.id ?? '' }
  return context.isOurKey(binding, read.key) ? 'valid' : 'invalid'
}

/** The receiving server's part, last step: tells the initiating server how it ended (XEP-0220 §2.2.1, step 4). */
export function settle(
  state: Negotiating,
  event: InboundEvent & { on: 'key-answer' },
  context: InboundContext,
): InboundStep {
  const { pair, answer } = event
  const question = state.asked.find(other => isSame(other, pair))
  if (event.streamId !== state.streamId || question === undefined) return { state, actions: [] }
  const asked = state.asked.filter(other => !isSame(other, pair))
  const { names } = question
  const method = dialbackMethod(state.channel)
  const send = (text: string): InboundAction => ({ do: 'send', text })
  const condition = refusalOf(pair, state, context)
  if (condition !== undefined) {
    const reason = 'the policy has changed since the question was put, and no longer permits this dialback'
    const text = writeAnswer('result', names, { condition })
    return {
      state: { ...state, asked },
      actions: [{ do: 'report', pair, method, code: 'policy-changed', reason }, send(text)],
    }
  }
  if (answer.outcome === 'valid') {
    const proof = proveByDialback(pair, answer.outcome, state.channel)
    const others = state.proofs.filter(other => !isSame(other, pair))
    const prove: InboundAction = {
      do: 'prove',
      proof,
      certificate: standingOf(state.channel, pair.remote, context),
    }
    return {
      state: { ...state, asked, proofs: [...others, proof] },
      actions: [prove, send(writeAnswer('result', names, 'valid'))],
    }
  }
  const { code, reason }: Why =
    answer.outcome === 'invalid'
      ? {
          code: 'dialback-key-denied',
          reason: 'its authoritative server says that the dialback key is invalid',
        }
      : answer
  const report: InboundAction = { do: 'report', pair, method, code, reason }
  if (answer.outcome === 'invalid' && !context.replyToInvalidKey)
    return { state: { ...state, asked }, actions: [report] }
  if (answer.outcome === 'error')
    return { state: { ...state, asked }, actions: [report, send(writeAnswer('result', names, answer))] }
  const isOnlyPair = asked.length === 0 && state.proofs.length === 0
  const actions = [report, send(writeAnswer('result', names, 'invalid'))]
  // XEP-0220 §2.2.1, step 4: a stream on which nothing else was proven or asked must be closed.
  if (isOnlyPair) return { state: { at: 'closed' }, actions: [...actions, closing(undefined, code, reason)] }
  return { state: { ...state, asked }, actions }
}

/** What a reload makes of a key that was sent before it, whatever the authoritative server says (XEP-0220 §2.4). */
function refusalOf(
  pair: Pair,
  { channel }: Negotiating,
  context: InboundContext,
): StanzaCondition | undefined {
  if (!context.isLocal(pair.local)) return 'item-not-found'
  const terms = context.termsFor(pair.remote)
  const admitted = terms === undefined ? 'ignore' : admitDialback(terms, channel)
  if (admitted === 'admit') return undefined
  return admitted === 'ignore' ? 'not-acceptable' : admitted
}

/** The names of a request as the peer wrote them, swapped: an answer must carry just these. */
function written(element: Element): { local: string; remote: string } {
  return { local: element.attrs['to'] ?? '', remote: element.attrs['from'] ?? '' }
}
