import type { Domain } from '../xmpp/address.ts'
import type { Log } from './log.ts'

const dayMs = 86_400_000

/** So many days before a certificate's end somebody is told; at 0 it has expired. */
const warningDays = [0, 1, 7, 14, 30] as const

/** Whole days until a certificate ends; negative once it has. */
export function daysLeft(notAfter: Date, at: Date): number {
  return Math.floor((notAfter.getTime() - at.getTime()) / dayMs)
}

/**
 * How near a certificate's end is.
 * @returns the smallest of 30, 14, 7, 1 and 0 days that it lies within; undefined where it is farther away
 */
export function expiryThreshold(notAfter: Date, at: Date): number | undefined {
  const leftMs = notAfter.getTime() - at.getTime()
  return warningDays.find(days => leftMs <= days * dayMs)
}

/** A certificate that a partner has shown, and that was valid for its domain. */
export type ShownCertificate = { readonly domain: Domain; readonly notAfter: Date }

/** What was told of a domain last, and the latest end that was told of. */
type Told = { readonly notAfter: Date; readonly threshold: number; readonly latest: Date }

/** Tells the log of certificates that come to their end: once for each threshold and domain. */
export class ExpiryWatch {
  readonly #log: Pick<Log, 'event'>
  readonly #told = new Map<string, Told>()
  readonly #shown = new Map<Domain, ShownCertificate>()

  constructor(log: Pick<Log, 'event'>) {
    this.#log = log
  }

  /** The certificates that partners have shown last, a domain each. */
  get shown(): Iterable<ShownCertificate> {
    return this.#shown.values()
  }

  /** Looks at a certificate of our own. */
  ours(domain: Domain, notAfter: Date, at: Date): void {
    this.#look('local', domain, notAfter, at)
  }

  /** Looks at a partner's valid certificate; the domain must be one of the partner list, which bounds what is kept. */
  theirs(shown: ShownCertificate, at: Date): void {
    this.#shown.set(shown.domain, shown)
    this.#look('partner', shown.domain, shown.notAfter, at)
  }

  /** Looks again at what partners have shown last: a stream may stay up until its certificate has ended. */
  look(at: Date): void {
    for (const { domain, notAfter } of this.#shown.values()) this.#look('partner', domain, notAfter, at)
  }

  /** Forgets who is no partner any more. */
  keep(isPartner: (domain: Domain) => boolean): void {
    for (const domain of this.#shown.keys()) {
      if (isPartner(domain)) continue
      this.#shown.delete(domain)
      this.#told.delete(`partner ${domain}`)
    }
  }

  #look(owner: 'local' | 'partner', domain: Domain, notAfter: Date, at: Date): void {
    const threshold = expiryThreshold(notAfter, at)
    const key = `${owner} ${domain}`
    const told = this.#told.get(key)
    if (told !== undefined && isTakenBack(told, notAfter, threshold)) this.#told.delete(key)
    else if (told !== undefined && !isNews(told, notAfter, threshold)) return
    if (threshold === undefined) return
    const latest = told !== undefined && told.latest > notAfter ? told.latest : notAfter
    this.#told.set(key, { notAfter, threshold, latest })
    this.#log.event({
      event: 'certificate.expiring',
      owner,
      domain,
      notAfter: notAfter.toISOString(),
      daysLeft: daysLeft(notAfter, at),
    })
  }
}

/** The same end is farther away than it was: the clock had been wrong. */
function isTakenBack(told: Told, notAfter: Date, threshold = Number.POSITIVE_INFINITY): boolean {
  return notAfter.getTime() === told.notAfter.getTime() && threshold > told.threshold
}

function isNews(told: Told, notAfter: Date, threshold = Number.POSITIVE_INFINITY): boolean {
  // Nodes of one pool show different certificates in turn: only one that ends days later is a renewed one.
  const isRenewed = notAfter.getTime() - told.latest.getTime() > dayMs
  return isRenewed || threshold < told.threshold
}
