import { parsePem } from './identity/certificate.ts'
import type { ExpiryWatch } from './telemetry/expiry.ts'
import type { Credential } from './transport/tls.ts'

// As often as this, for the warning of the last day to come while most of it is left.
const lookMs = 3_600_000

/** The hourly look at certificates. */
export type ExpiryLooks = {
  /** Looks now: there may be other certificates. */
  look(): void
  stop(): void
}

/**
 * Looks at once and every hour at the certificates of the local domains, and at those that partners have shown last, for
 * the log to tell of an end that comes near.
 */
export function watchCertificates(watch: ExpiryWatch, credentials: () => readonly Credential[]): ExpiryLooks {
  const look = () => {
    const at = new Date()
    for (const { domain, certificatePem } of credentials()) {
      const [leaf] = parsePem(certificatePem)
      if (leaf !== undefined) watch.ours(domain, leaf.notAfter, at)
    }
    watch.look(at)
  }
  look()
  const hourly = setInterval(look, lookMs).unref()
  return { look, stop: () => clearInterval(hourly) }
}
