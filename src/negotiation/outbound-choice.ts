import { tag } from '../xml/writer.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { Why } from '../xmpp/reason.ts'
import { writeRequest } from './dialback.ts'
import { namesOfOffers, type Offers } from './features.ts'
import {
  giveUp,
  type Outbound,
  type OutboundAction,
  type OutboundContext,
  type OutboundStep,
} from './outbound-stream.ts'
import { codeOfNoMethod, explainNoMethod, whyNoExternal } from './peer-offers.ts'
import { externalAuth } from './sasl-external.ts'

/** Takes note of what the peer offers, and the strongest permitted method of it; TLS is used whenever both sides can (contract §2). */
export function take(
  known: Outbound & { isProven: boolean },
  offers: Offers,
  context: OutboundContext,
): OutboundStep {
  const { state, actions } = choose(known, offers, context)
  return { state, actions: [tell({ step: 'offers', by: 'peer', offers: namesOfOffers(offers) }), ...actions] }
}

/** Something for the journal. */
export function tell(step: AttemptStep): OutboundAction {
  return { do: 'tell', step }
}

function choose(
  known: Outbound & { isProven: boolean },
  offers: Offers,
  context: OutboundContext,
): OutboundStep {
  const { terms, purpose } = context
  const { channel } = known
  if (known.isProven) {
    return {
      state: { at: 'authenticated' },
      actions: [{ do: 'authenticated', method: 'sasl-external-tls', certificate: 'valid' }],
    }
  }
  if (!channel.secure) {
    if (offers.starttls !== undefined && terms.tls !== 'notSupported') {
      return {
        state: { at: 'awaiting-proceed' },
        actions: [{ do: 'send', text: tag('starttls', { xmlns: ns.tls }) }],
      }
    }
    if (terms.tls === 'required') {
      return giveUp('tls-not-offered', 'the policy requires TLS, and the partner does not offer it')
    }
  }
  if (purpose === 'verification') return { state: { at: 'ready' }, actions: [{ do: 'ready' }] }
  if (!channel.secure) {
    // RFC 6120 §5.3.1: TLS, or nothing. That the header declares dialback does not offer it in the clear.
    if (offers.starttls === 'required') {
      return giveUp('tls-required-by-peer', 'the partner requires TLS, which the policy does not support')
    }
    if (terms.methods.includes('dialback-tcp') && mayTake(known, offers.dialback))
      return sendKey(known, offers.dialback, undefined, context)
    const reason = explainNoMethod('the stream is in clear text', offers, context)
    return giveUp(codeOfNoMethod(false, context), reason)
  }
  const verdict = context.judge(channel.chain)
  const mayUseExternal = terms.methods.includes('sasl-external-tls') && context.tryExternal
  if (mayUseExternal && offers.external && verdict.valid) {
    const { streamId, declaresDialback } = known
    return {
      state: { at: 'awaiting-sasl', channel, streamId, declaresDialback, offersDialback: offers.dialback },
      actions: [
        { do: 'send', text: externalAuth },
        tell({ step: 'sasl', by: 'us', outcome: 'tried', reason: null }),
      ],
    }
  }
  if (terms.methods.includes('dialback-tls') && mayTake(known, offers.dialback)) {
    const step = sendKey(known, offers.dialback, whyNoExternal(offers, verdict, context), context)
    if (verdict.valid) return step
    const reason = `dialback goes on under a certificate that is not valid: ${verdict.reason}`
    return { state: step.state, actions: [{ do: 'note', reason }, ...step.actions] }
  }
  const code = codeOfNoMethod(true, context)
  if (verdict.valid) return giveUp(code, explainNoMethod('its certificate is valid', offers, context))
  const reason = explainNoMethod(verdict.reason, offers, context)
  if (!mayUseExternal || !offers.external) return giveUp(code, reason)
  // XEP-0178 §3 leaves in silence. But most such certificates are mistakes, which their owner can mend only if he knows.
  return giveUp(verdict.code, reason, { streamError: 'not-authorized', text: verdict.reason })
}

/** Whether dialback may be tried. COMPAT(servers that never list the feature): that the header declares it will do (XEP-0220 §2.3.1). */
export function mayTake({ declaresDialback }: Outbound, offersDialback: boolean): boolean {
  return offersDialback || declaresDialback
}

/**
 * Sends our dialback key (XEP-0220 §2.1.1), whatever the certificate is worth.
 * @param noExternal why it is not EXTERNAL, where that is permitted
 */
export function sendKey(
  known: Outbound,
  offersDialback: boolean,
  noExternal: Why | undefined,
  context: OutboundContext,
): OutboundStep {
  const { channel, streamId, declaresDialback } = known
  const text = writeRequest('result', context, context.keyFor(streamId))
  const sent = tell({ step: 'dialback', leg: 'us-key', outcome: null })
  return {
    state: { at: 'awaiting-dialback', channel, streamId, declaresDialback, offersDialback, noExternal },
    actions: [{ do: 'send', text }, ...(offersDialback ? [] : [tell(declaredAlone)]), sent],
  }
}

const declaredAlone = {
  step: 'note',
  reason: 'the partner declares dialback, and does not offer it: it may not permit it, and stay silent',
} as const
