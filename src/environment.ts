import type { Derived } from './derived.ts'
import type { FederationEnvironment } from './federation/environment.ts'
import { judgeCertificate } from './identity/verdict.ts'
import { unionOf } from './negotiation/features.ts'
import type { ExpiryWatch } from './telemetry/expiry.ts'

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

/** Judges certificates by what is in force, and nobody hears of it. */
export function judgeBy(current: () => Derived): FederationEnvironment['judge'] {
  return (chain, domain, direction) => {
    const { config, trust } = current()
    const own = trust.for(config.partners.find(domain) ?? noTrustOfItsOwn)
    // Who is connected to is a server, and needs no clientAuth.
    const asked = direction === 'in' ? own : { ...own, requireClientAuthEku: false }
    return judgeCertificate(chain, domain, asked, new Date())
  }
}

const noTrustOfItsOwn = { trustAnchorsPem: [], pinnedCertificates: [] }
