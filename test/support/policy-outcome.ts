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
  readonly tls: 'none' | 'offered' | 'required'
  readonly certificate: Exclude<CertificateKind, 'none'>
  readonly external: 'notOffered' | 'accepted' | 'refused'
  readonly dialback: boolean
}

/** How a stream ends up: authenticated by a method, or what the peer was told last before it was over. */
export type Outcome =
  | { readonly is: 'authenticated'; readonly method: Method; readonly afterRefusedExternal: boolean }
  | { readonly is: 'refused'; readonly by: Refusal }

export type Refusal =
  | 'dialback-policy-violation' // a dialback error: this policy wants TLS first
  | 'sasl-not-authorized' // a SASL failure, then the time limit
  | 'connection-timeout' // nothing that the peer did could succeed: the stream ends at its time limit
  | 'peer-leaves' // the peer insists on TLS, which this policy does not support
  | 'no-method' // we leave: no permitted method is offered

/** What becomes of a stream that a peer opens to us, under a policy (contract §2, "Receiving"). */
export function inboundOutcome(terms: Terms, peer: InitiatingPeer): Outcome {
  const isSecure = terms.tls !== 'notSupported' && peer.tls !== 'none'
  if (!isSecure && peer.tls === 'required') return refused('peer-leaves')
  const permits = (method: Method) => terms.methods.includes(method)
  const offersExternal = isSecure && peer.certificate === 'valid' && permits('sasl-external-tls')
  const triesExternal =
    isSecure && (peer.external === 'always' || (peer.external === 'whenOffered' && offersExternal))
  if (triesExternal && offersExternal) return authenticated('sasl-external-tls')
  if (peer.dialback) {
    const method = isSecure ? 'dialback-tls' : 'dialback-tcp'
    if (permits(method)) return authenticated(method, triesExternal)
    const isPermittedElsewhere = permits('dialback-tls') || permits('dialback-tcp')
    if (isPermittedElsewhere) return refused('dialback-policy-violation')
  }
  return refused(triesExternal ? 'sasl-not-authorized' : 'connection-timeout')
}

/** What becomes of a stream that we open to a peer, under a policy (contract §2, "Initiating"). */
export function outboundOutcome(terms: Terms, peer: ReceivingPeer): Outcome {
  const permits = (method: Method) => terms.methods.includes(method)
  const isSecure = terms.tls !== 'notSupported' && peer.tls !== 'none'
  if (!isSecure) {
    // A peer that requires TLS offers nothing else before it.
    const offersDialback = peer.dialback && peer.tls !== 'required'
    return permits('dialback-tcp') && offersDialback ? authenticated('dialback-tcp') : refused('no-method')
  }
  const usesExternal =
    permits('sasl-external-tls') && peer.external !== 'notOffered' && peer.certificate === 'valid'
  if (usesExternal && peer.external === 'accepted') return authenticated('sasl-external-tls')
  return permits('dialback-tls') && peer.dialback
    ? authenticated('dialback-tls', usesExternal)
    : refused('no-method')
}

function authenticated(method: Method, afterRefusedExternal = false): Outcome {
  return { is: 'authenticated', method, afterRefusedExternal }
}

function refused(by: Refusal): Outcome {
  return { is: 'refused', by }
}
