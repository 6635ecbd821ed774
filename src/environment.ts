import type { Derived } from './derived.ts'
import type { FederationEnvironment } from './federation/environment.ts'
import type { Certificate } from './identity/certificate.ts'
import { type CertificateVerdict, judgeCertificate } from './identity/verdict.ts'
import { unionOf } from './negotiation/features.ts'
import type { Direction } from './telemetry/events.ts'
import type { ExpiryWatch } from './telemetry/expiry.ts'
import type { Domain } from './xmpp/address.ts'

/** What streams with partners need besides what follows from the configuration. */
export type Surroundings = Pick<
  FederationEnvironment,
  'log' | 'metrics' | 'tls' | 'admission' | 'record' | 'authenticated' | 'openSink' | 'bounce'
> & {
  /** For a configuration without a secret of its own. */
  readonly dialbackSecret: string
  readonly expiry: ExpiryWatch
}

/**
 * What streams with partners see of the gateway: the daemon's, or those of a probe without one.
 * @param current what is in force; another after a reload
 */
export function environmentOf(current: () => Derived, around: Surroundings): FederationEnvironment {
  const { dialbackSecret, expiry, ...rest } = around
  const judge = judgeBy(current)
  return {
    ...rest,
    get dialer() {
      return current().dialer
    },
    limits: () => current().config.limits,
    timeouts: () => current().config.timeouts,
    mainDomain: () => current().mainDomain,
    isLocal: domain => current().config.domains.has(domain),
    peerFor: domain => current().config.partners.find(domain),
    anyTerms: () => {
      const { all } = current().config.partners
      return all.length === 0 ? undefined : unionOf(all.map(partner => partner.terms))
    },
    judge: (chain, domain, direction) => {
      const verdict = judge(chain, domain, direction)
      const partner = current().config.partners.find(domain)
      const [leaf] = chain
      if (verdict.valid && partner !== undefined && leaf !== undefined)
        expiry.theirs({ domain, notAfter: leaf.notAfter }, new Date())
      return verdict
    },
    dialbackSecret: () => current().config.dialback.secret ?? dialbackSecret,
    replyToInvalidKey: () => current().config.dialback.replyToInvalidKey,
  }
}

/**
 * Judges certificates by what is in force, and nobody hears of it. One stream asks several times about one chain, and whoever presents it
 * makes it as dear as may be: it is judged once, for as long as a verdict may stand.
 */
export function judgeBy(current: () => Derived): FederationEnvironment['judge'] {
  const last = new WeakMap<readonly Certificate[], Judged>()
  return (chain, domain, direction) => {
    const by = current()
    const atMs = Date.now()
    const known = last.get(chain)
    const isSame = known?.by === by && known.domain === domain && known.direction === direction
    if (isSame && Math.abs(atMs - known.atMs) < verdictMs) return known.verdict
    const own = by.trust.for(by.config.partners.find(domain) ?? noTrustOfItsOwn)
    // Who is connected to is a server, and needs no clientAuth.
    const asked = direction === 'in' ? own : { ...own, requireClientAuthEku: false }
    const verdict = judgeCertificate(chain, domain, asked, new Date(atMs))
    last.set(chain, { by, domain, direction, atMs, verdict })
    return verdict
  }
}

/** The last verdict about a chain, and for whom. */
type Judged = {
  readonly by: Derived
  readonly domain: Domain
  readonly direction: Direction
  readonly atMs: number
  readonly verdict: CertificateVerdict
}

const verdictMs = 10_000 // certificates expire

const noTrustOfItsOwn = { trustAnchorsPem: [], pinnedCertificates: [] }
