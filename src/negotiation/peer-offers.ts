import { type Element, firstChild } from '../xml/element.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { Outbound, OutboundContext } from './outbound-stream.ts'

/** What the peer offers. */
export type PeerOffers = {
  readonly starttls: 'required' | 'optional' | undefined
  readonly external: boolean
  readonly dialback: boolean
}

/** Reads `<stream:features/>` (RFC 6120 §4.3.2). */
export function readOffers(features: Element, known: Outbound): PeerOffers {
  const starttls = firstChild(features, 'starttls', ns.tls)
  const mechanisms = firstChild(features, 'mechanisms', ns.sasl)?.getChildren('mechanism') ?? []
  return {
    starttls: starttls && (firstChild(starttls, 'required') ? 'required' : 'optional'),
    external: mechanisms.some(mechanism => mechanism.getText().trim() === 'EXTERNAL'),
    dialback: known.declaresDialback || firstChild(features, 'dialback', ns.dialbackFeature) !== undefined,
  }
}

/** Tells the operator why no method is left. */
export function explainNoMethod(channel: string, offers: PeerOffers, context: OutboundContext): string {
  const offered = [
    ...(offers.starttls === undefined ? [] : [`STARTTLS (${offers.starttls})`]),
    ...(offers.external ? ['SASL EXTERNAL'] : []),
    ...(offers.dialback ? ['dialback'] : []),
  ]
  const hint =
    !offers.external && context.terms.methods.includes('sasl-external-tls')
      ? '; a partner that offers no EXTERNAL under TLS usually does not accept our certificate (its trust, its names, or, with ' +
        'older servers, a certificate for server use only)'
      : ''
  return (
    `no permitted method is left: the policy permits ${context.terms.methods.join(', ')}, ` +
    `the partner offers ${offered.join(', ') || 'nothing'}, ${channel}${hint}`
  )
}
