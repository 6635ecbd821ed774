import type { Partner } from './policy/partner.ts'
import type { AttemptFilter, KeptAttempt, Ring } from './store/attempts.ts'
import { networkOf } from './transport/listener.ts'
import type { Domain } from './xmpp/address.ts'
import { type AttemptRecord, failureOf, sourceOf } from './xmpp/attempt.ts'

/** Of a partner. Each pair of domains keeps its last two, as long as there are no more than 200 pairs. */
const mostOf = { failed: 40, authenticated: 10 } as const
const ofEachPair = 2
const mostOfRing = 400

/** Of those who gave a partner's name and proved nothing. */
const mostClaims = { failed: 20, authenticated: 10, ofSource: 3 } as const

/** Whatever names they give, they share one ring; nobody can fill it from one place, nor under one name. */
const strangers: Ring = { name: '', most: 200, ofSource: 10, ofRemote: 10 }

const ways = ['in', 'out', 'verification', 'claimed', 'known'] as const
const outcomes = ['failed', 'authenticated'] as const

/**
 * Where an attempt is kept, and whose it is there. Failures have more room, and rings of their own: what works does not wash them
 * away. Nor does what anybody can bring about by giving a partner's name: attempts without a proof, and the questions about keys
 * that we ask because of them.
 * @param locals how many local domains there are
 * @param isKnown whether the partner has proven itself from this network before
 */
export function placeOf(
  record: AttemptRecord,
  partner: Partner | undefined,
  locals: number,
  isKnown: (network: string) => boolean,
): KeptAttempt {
  const source = sourceNetwork(record)
  if (partner === undefined) return { ring: strangers, source, record }
  const { claimed, purpose, direction, local, remote } = record
  const outcome = failureOf(record) === undefined ? 'authenticated' : 'failed'
  if (claimed) {
    const most = mostClaims[outcome]
    const ring = { name: ringName(partner, isKnown(source) ? 'known' : 'claimed', outcome), most }
    return { ring: { ...ring, ofSource: mostClaims.ofSource, ofRemote: most }, source, record }
  }
  const name = ringName(partner, purpose === 'verification' ? 'verification' : direction, outcome)
  const ofPairs = Math.min(mostOfRing, ofEachPair * locals * partner.domains.length)
  const most = Math.max(mostOf[outcome], ofPairs)
  return { ring: { name, most, ofSource: most, ofRemote: most }, source: `${local} ${remote}`, record }
}

/** What counts as one place that attempts come from: of IPv6 a /48, which one customer of a provider may well have. */
export function sourceNetwork(record: AttemptRecord): string {
  const network = networkOf(sourceOf(record) ?? '')
  return network.endsWith('::/64') ? `${network.split(':').slice(0, 3).join(':')}::/48` : network
}

/** The names of all rings that there may be. */
export function ringNames(partners: readonly Partner[]): string[] {
  return [strangers.name, ...partners.flatMap(ringsOf)]
}

/** What there is of a domain: all of its partner, if it is one's. */
export function filterFor(domain: Domain, partner: Partner | undefined): AttemptFilter {
  return partner === undefined
    ? { rings: [], of: strangers.name, domains: [domain] }
    : { rings: ringsOf(partner), of: strangers.name, domains: partner.domains }
}

/** What a partner has proven itself in. */
export function provenIn(partner: Partner): AttemptFilter {
  return { rings: outcomes.map(outcome => ringName(partner, 'in', outcome)), of: '', domains: [] }
}

function ringsOf(partner: Partner): string[] {
  return ways.flatMap(way => outcomes.map(outcome => ringName(partner, way, outcome)))
}

function ringName(
  { primaryDomain }: Partner,
  way: (typeof ways)[number],
  outcome: (typeof outcomes)[number],
): string {
  return `${primaryDomain} ${way} ${outcome}`
}
