import type { Domain } from '../xmpp/address.ts'

declare const minted: unique symbol

/** How a domain pair was proven; the names are those of the negotiation matrix. */
export type ProofMethod = 'sasl-external-tls' | 'dialback-tls' | 'dialback-tcp'

/** That the far end of one stream speaks for `remote` towards `local`. Made in this file alone. */
export type Proof = {
  readonly local: Domain
  readonly remote: Domain
  readonly method: ProofMethod
  readonly [minted]: true
}

/** What a certificate was judged to be, for the domain it must cover. */
export type CertificateStanding = 'valid' | 'invalid' | 'none'

/**
 * Proves a pair from a certificate that is valid for `remote` (XEP-0178 §3).
 * @throws {Error} when the certificate is not: a caller that gets here has skipped the judgement
 */
export function proveByCertificate(
  pair: { local: Domain; remote: Domain },
  standing: CertificateStanding,
): Proof {
  if (standing !== 'valid') throw new Error(`no valid certificate for ${pair.remote}`)
  return mint(pair, 'sasl-external-tls')
}

/** Proves a pair from the authoritative server's word that the key is valid (XEP-0220 §2.2). */
export function proveByDialback(
  pair: { local: Domain; remote: Domain },
  answer: 'valid',
  channel: { secure: boolean },
): Proof {
  if (answer !== 'valid') throw new Error(`no valid dialback key for ${pair.remote}`)
  return mint(pair, channel.secure ? 'dialback-tls' : 'dialback-tcp')
}

function mint(pair: { local: Domain; remote: Domain }, method: ProofMethod): Proof {
  return Object.freeze({ local: pair.local, remote: pair.remote, method }) as Proof
}
