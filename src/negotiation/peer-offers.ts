import { type Element, firstChild } from '../xml/element.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { ReasonCode } from '../xmpp/reason.ts'
import { namesOfOffers, type Offers } from './features.ts'
import type { Outbound, OutboundContext } from './outbound-stream.ts'

/** Reads `<stream:features/>` (RFC 6120 §4.3.2). */
export function readOffers(features: Element, known: Outbound): Offers {
  const starttls = firstChild(features, 'starttls', ns.tls)
  const mechanisms = firstChild(features, 'mechanisms', ns.sasl)?.getChildren('mechanism') ?? []
  return {
    starttls: starttls && (firstChild(starttls, 'required') ? 'required' : 'optional'),
    external: mechanisms.some(mechanism => mechanism.getText().trim() === 'EXTERNAL'),
    dialback: known.declaresDialback || firstChild(features, 'dialback', ns.dialbackFeature) !== undefined,
  }
}

/** Tells the operator why no method is left. */
export function explainNoMethod(channel: string, offers: Offers, context: OutboundContext): string {
  const hint =
    !offers.external && context.terms.methods.includes('sasl-external-tls')
      ? '; a partner that offers no EXTERNAL under TLS usually does not accept our certificate (its trust, its names, or, with ' +
        'older servers, a certificate for server use only)'
      : ''
  return (
    `no permitted method is left: the policy permits ${context.terms.methods.join(', ')}, ` +
    `the partner offers ${namesOfOffers(offers).join(', ') || 'nothing'}, ${channel}${hint}`
  )
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
