import type { Method, Terms } from '../../src/negotiation/stream.ts'

/** What a peer's certificate is to us. */
export const certificateKinds = [
  'none',
  'expired',
  'self-signed',
  'unknown-authority',
  'wrong-name',
  'valid',
] as const

export type CertificateKind = (typeof certificateKinds)[number]

/** A peer that opens a stream to us. */
export type InitiatingPeer = {
  /** `none` = cannot do TLS; `offered` = uses it where we offer it; `required` = goes on with nothing else. */
  readonly tls: 'none' | 'offered' | 'required'
  readonly certificate: CertificateKind
  /** Whether it authenticates by SASL EXTERNAL: never, where we offer it, or without being asked. */
  readonly external: 'never' | 'whenOffered' | 'always'
  /** It sends a dialback key where nothing stronger has succeeded. */
  readonly dialback: boolean
}

/** A peer that we open a stream to. */
export type ReceivingPeer = {
  /** `required` = offers nothing else before it. */
  readonly tls: 'none' | 'offered' | 'required'
  readonly certificate: Exclude<CertificateKind, 'none'>
  /** What it makes of EXTERNAL under TLS; `dropped` = refuses it, and closes the stream. */
  readonly external: 'notOffered' | 'accepted' | 'refused' | 'dropped'
  readonly dialback: boolean
}

/** How a stream ends up, and what was refused on the way without ending it. */
export type Outcome = { readonly told: readonly Refusal[]; readonly end: Method | Failure }

export type Refusal =
  | 'sasl encryption-required' // a SASL failure: EXTERNAL in the clear
  | 'sasl not-authorized' // a SASL failure: we, or the peer, do not accept the certificate
  | 'dialback policy-violation' // a dialback error: this policy wants TLS first
  | 'dialback ignored' // no answer: this policy permits no dialback

export type Failure =
  | 'connection-timeout' // the stream error of a stream that is not authenticated at its time limit
  | 'peer-leaves' // the peer insists on TLS, which this policy does not support
  | 'remote-server-timeout' // no permitted method is left: what waits for the stream bounces

/** What becomes of a stream that a peer opens to us, under a policy (contract §2, "Receiving"). */
export function inboundOutcome(terms: Terms, peer: InitiatingPeer): Outcome {
  const permits = (method: Method) => terms.methods.includes(method)
  const isSecure = terms.tls !== 'notSupported' && peer.tls !== 'none'
  if (peer.tls === 'required' && !isSecure) return { told: [], end: 'peer-leaves' }
  const offersExternal = isSecure && permits('sasl-external-tls') && peer.certificate === 'valid'
  if (offersExternal && peer.external !== 'never') return { told: [], end: 'sasl-external-tls' }
  const told: Refusal[] = []
  if (peer.external === 'always') told.push(isSecure ? 'sasl not-authorized' : 'sasl encryption-required')
  if (peer.dialback) {
    const method = isSecure ? 'dialback-tls' : 'dialback-tcp'
    if (permits(method)) return { told, end: method }
    const isPermittedElsewhere = permits('dialback-tls') || permits('dialback-tcp')
    told.push(isPermittedElsewhere ? 'dialback policy-violation' : 'dialback ignored')
  }
  return { told, end: 'connection-timeout' }
}

/** What becomes of a stream that we open to a peer, under a policy (contract §2, "Initiating"). */
export function outboundOutcome(terms: Terms, peer: ReceivingPeer): Outcome {
  const permits = (method: Method) => terms.methods.includes(method)
  const isSecure = terms.tls !== 'notSupported' && peer.tls !== 'none'
  if (!isSecure) {
    const isOffered = peer.dialback && peer.tls !== 'required'
    return { told: [], end: permits('dialback-tcp') && isOffered ? 'dialback-tcp' : 'remote-server-timeout' }
  }
  const isTried =
    permits('sasl-external-tls') && peer.certificate === 'valid' && peer.external !== 'notOffered'
  if (isTried && peer.external === 'accepted') return { told: [], end: 'sasl-external-tls' }
  return {
    told: isTried ? ['sasl not-authorized'] : [],
    end: permits('dialback-tls') && peer.dialback ? 'dialback-tls' : 'remote-server-timeout',
  }
}

/** Every peer that opens streams. */
export const initiatingPeers: readonly InitiatingPeer[] = product({
  tls: ['none', 'offered', 'required'],
  certificate: certificateKinds,
  external: ['never', 'whenOffered', 'always'],
  dialback: [false, true],
})

/** Every peer that streams are opened to. */
export const receivingPeers: readonly ReceivingPeer[] = product({
  tls: ['none', 'offered', 'required'],
  certificate: certificateKinds.filter(kind => kind !== 'none'),
  external: ['notOffered', 'accepted', 'refused', 'dropped'],
  dialback: [false, true],
})

function product<P extends InitiatingPeer | ReceivingPeer>(
  choices: {
    readonly [K in keyof P]: readonly P[K][]
  },
): P[] {
  const { tls, certificate, external, dialback } = choices
  return tls.flatMap(t =>
    certificate.flatMap(c =>
      external.flatMap(e => dialback.map(d => ({ tls: t, certificate: c, external: e, dialback: d }) as P)),
    ),
  )
}
