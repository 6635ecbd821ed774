import type { CertificateVerdict } from '../identity/verdict.ts'
import { type Element, firstChild } from '../xml/element.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import { namesOfOffers, type Offers } from './features.ts'
import type { OutboundContext } from './outbound-stream.ts'

/** Reads `<stream:features/>` (RFC 6120 §4.3.2). */
export function readOffers(features: Element): Offers {
  const starttls = firstChild(features, 'starttls', ns.tls)
  const mechanisms = firstChild(features, 'mechanisms', ns.sasl)?.getChildren('mechanism') ?? []
  return {
    starttls: starttls && (firstChild(starttls, 'required') ? 'required' : 'optional'),
    external: mechanisms.some(mechanism => mechanism.getText().trim() === 'EXTERNAL'),
    dialback: firstChild(features, 'dialback', ns.dialbackFeature) !== undefined,
  }
}

/** Tells the operator why no method is left. */
export function explainNoMethod(channel: string, offers: Offers, context: OutboundContext): string {
  const hint =
    !offers.external && context.terms.methods.includes('sasl-external-tls')
      ? `; a partner that offers no EXTERNAL under TLS ${disliked}`
      : ''
  return (
    `no permitted method is left: the policy permits ${context.terms.methods.join(', ')}, ` +
    `the partner offers ${namesOfOffers(offers).join(', ') || 'nothing'}, ${channel}${hint}`
  )
}

const disliked =
  'usually does not accept our certificate (its trust, its names, or, with older servers, a certificate for server use only)'

/** Why EXTERNAL is not taken under TLS; undefined where it is not permitted, or has been refused before. */
export function whyNoExternal(
  offers: Offers,
  verdict: CertificateVerdict,
  { terms, tryExternal }: OutboundContext,
): Why | undefined {
  if (!tryExternal || !terms.methods.includes('sasl-external-tls')) return undefined
  if (!offers.external)
    return { code: 'external-not-offered', reason: `the partner offers no SASL EXTERNAL: it ${disliked}` }
  return verdict.valid ? undefined : { code: verdict.code, reason: verdict.reason }
}

/** The code for that: the one method that is permitted and missing, where it is one. */
export function codeOfNoMethod(isSecure: boolean, { terms }: Pick<OutboundContext, 'terms'>): ReasonCode {
  const { methods } = terms
  if (!isSecure) return methods.includes('dialback-tcp') ? 'dialback-not-offered' : 'tls-not-offered'
  const mayExternal = methods.includes('sasl-external-tls')
  if (mayExternal && methods.includes('dialback-tls')) return 'no-permitted-method'
  if (mayExternal) return 'external-not-offered'
  return methods.includes('dialback-tls') ? 'dialback-not-offered' : 'no-permitted-method'
}
