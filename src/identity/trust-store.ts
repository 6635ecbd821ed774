import { type Certificate, parsePem } from './certificate.ts'
import { type TrustAnchors, trustAnchors } from './chain.ts'
import type { Trust } from './verdict.ts'

/** Where a partner's own trust is written down. */
export type OwnTrust = {
  readonly trustAnchorsPem: readonly string[]
  readonly pinnedCertificates: readonly string[]
}

/** The trust of every partner, parsed once: certificates are not read anew for each stream. */
export class TrustStore {
  readonly #anchors: TrustAnchors
  readonly #requireClientAuthEku: boolean
  readonly #byPartner = new Map<OwnTrust, Trust>()

  /** @throws {Error} when an anchor is not a certificate */
  constructor(anchors: readonly Certificate[], requireClientAuthEku: boolean) {
    this.#anchors = trustAnchors(anchors)
    this.#requireClientAuthEku = requireClientAuthEku
  }

  /** What certificates of this partner are measured against. */
  for(partner: OwnTrust): Trust {
    const known = this.#byPartner.get(partner)
    if (known !== undefined) return known
    const own = partner.trustAnchorsPem.flatMap(pem => parsePem(pem))
    const trust: Trust = {
      anchors: this.#anchors,
      ownAnchors: own.length === 0 ? undefined : trustAnchors(own),
      pins: partner.pinnedCertificates,
      requireClientAuthEku: this.#requireClientAuthEku,
    }
    this.#byPartner.set(partner, trust)
    return trust
  }
}
