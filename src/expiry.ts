import { parsePem } from './identity/certificate.ts'
import type { ExpiryWatch } from './telemetry/expiry.ts'
import type { Credential } from './transport/tls.ts'

const dayMs = 86_400_000

/** The daily look at our own certificates. */
export type OwnExpiry = {
  /** Looks now: there may be other certificates. */
  look(): void
  stop(): void
}

/** Looks at the certificates of the local domains at once and once a day, for the log to tell of an end that comes near. */
export function watchOwnCertificates(
  watch: ExpiryWatch,
  credentials: () => readonly Credential[],
): OwnExpiry {
  const look = () => {
    for (const { domain, certificatePem } of credentials()) {
      const [leaf] = parsePem(certificatePem)
      if (leaf !== undefined) watch.ours(domain, leaf.notAfter, new Date())
    }
  }
  look()
  const daily = setInterval(look, dayMs).unref()
  return { look, stop: () => clearInterval(daily) }
}
