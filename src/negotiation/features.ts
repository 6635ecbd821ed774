import { tag } from '../xml/writer.ts'
import { ns } from '../xmpp/namespaces.ts'
import { type Method, methods, type Terms } from './stream.ts'

/** What a receiving server, we or a peer, offers at one stage of a stream (contract §2). */
export type Offers = {
  readonly starttls: 'required' | 'optional' | undefined
  readonly external: boolean
  readonly dialback: boolean
}

/** Where an inbound stream stands when features are due. */
export type Stage = {
  readonly secure: boolean
  /** The peer's certificate is valid for the domain it named in its header. */
  readonly certificateIsValid: boolean
  readonly authenticated: boolean
}

/** Chooses what to offer: the table of contract §2, "Receiving". */
export function offersFor(terms: Terms, stage: Stage): Offers {
  const permits = (method: Method) => terms.methods.includes(method)
  if (!stage.secure) {
    return {
      starttls: terms.tls === 'notSupported' ? undefined : terms.tls,
      external: false,
      dialback: permits('dialback-tcp'),
    }
  }
  return {
    starttls: undefined,
    external: !stage.authenticated && stage.certificateIsValid && permits('sasl-external-tls'),
    dialback: permits('dialback-tls'),
  }
}

/** The offers by their names, as the journal tells them. */
export function namesOfOffers({ starttls, external, dialback }: Offers): string[] {
  return [
    ...(starttls === undefined ? [] : [`STARTTLS (${starttls})`]),
    ...(external ? ['SASL EXTERNAL'] : []),
    ...(dialback ? ['dialback'] : []),
  ]
}

/** What a peer that has not said who it is may be offered: anything that any of the partners may use. */
export function unionOf(all: readonly Terms[]): Terms {
  const tls = all.every(terms => terms.tls === 'required')
    ? 'required'
    : all.every(terms => terms.tls === 'notSupported')
      ? 'notSupported'
      : 'optional'
  return { tls, methods: methods.filter(method => all.some(terms => terms.methods.includes(method))) }
}

/** The `<stream:features/>` element for these offers (RFC 6120 §4.3.2, XEP-0220 §2.3.2, XEP-0478). */
export function writeFeatures(offers: Offers, limits: { stanzaBytes: number; idleMs: number }): string {
  const children: string[] = []
  if (offers.starttls !== undefined) {
    children.push(
      tag('starttls', { xmlns: ns.tls }, ...(offers.starttls === 'required' ? [tag('required', {})] : [])),
    )
  }
  if (offers.external) children.push(tag('mechanisms', { xmlns: ns.sasl }, tag('mechanism', {}, 'EXTERNAL')))
  if (offers.dialback) children.push(tag('dialback', { xmlns: ns.dialbackFeature }, tag('errors', {})))
  children.push(
    tag(
      'limits',
      { xmlns: ns.streamLimits },
      tag('max-bytes', {}, String(limits.stanzaBytes)),
      tag('idle-seconds', {}, String(Math.round(limits.idleMs / 1000))),
    ),
  )
  return tag('stream:features', {}, ...children)
}
