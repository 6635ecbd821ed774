import type { Partner } from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import { type AttemptRecord, failureOf } from '../xmpp/attempt.ts'
import { type Reason, type ReasonCode, reasons, type Why } from '../xmpp/reason.ts'
import { failingRank, type WayJson, waysOf } from './ways.ts'

/** How things stand with a partner now. */
export type PartnerState = {
  /** Authenticated streams; `since` in ISO 8601. */
  readonly streams: readonly {
    readonly direction: 'in' | 'out'
    readonly local: string
    readonly remote: string
    readonly method: string
    readonly since: string
  }[]
  /** Attempts under way: who comes has proven nothing yet. */
  readonly negotiating: readonly {
    readonly direction: 'in' | 'out'
    readonly local: string | null
    readonly remote: string
    /** Of who comes. */
    readonly address: string | null
    readonly since: string
    /** What has gone wrong; it may still come to something. */
    readonly soFar: Why | null
  }[]
  /** Stanzas that wait for a stream. */
  readonly waiting: number
  /** Until the next attempt, where one is put off after a failure. */
  readonly nextAttemptMs: number | null
}

/** A domain of a partner that is no component of the server inside, so that nothing passes; and why. */
export type ComponentFault = { readonly domain: string; readonly reason: string }

/** A code, and what it means. */
export type MeaningJson = Reason & { readonly code: ReasonCode }

/** Failures of one code in one direction between two domains, those of peers that proved nothing apart; times in ISO 8601. */
export type FailureCount = {
  readonly code: ReasonCode
  readonly direction: 'in' | 'out'
  readonly local: string | null
  readonly remote: string | null
  readonly claimed: boolean
  readonly count: number
  readonly first: string
  readonly last: string
}

/** Why it fails, if it does; out of the attempts that the journal still has. */
export type Explanation = {
  readonly lastSuccess: AttemptRecord | null
  /**
   * What is to be explained: the last failure. What anybody can bring about by giving the name of the domain, it is only where
   * nothing else has failed, or that has worked since.
   */
  readonly lastFailure: AttemptRecord | null
  /** The last failure of somebody who proved nothing, where that is not `lastFailure`, and it has not worked since. */
  readonly lastClaim: AttemptRecord | null
  /** What the code of the last failure means. */
  readonly meaning: MeaningJson | null
  /** It has worked since the last failure. */
  readonly isMended: boolean
}

/** What is wrong with the file of the journal; `since` in ISO 8601. */
export type JournalTrouble = {
  readonly since: string
  readonly reason: string
  /** False = attempts from before are missing in what is told. */
  readonly isReadable: boolean
}

/** Why it fails with a domain. Of the primary domain of a partner, that is the partner as a whole. */
export type WhyJson = Explanation & {
  readonly domain: string
  /** One of our own domains. */
  readonly isOwn: boolean
  /** The primary domain of the partner; null = nobody's. */
  readonly partner: string | null
  readonly partnerType: string | null
  /** Null = the gateway does not run, or the domain is no partner's. */
  readonly state: PartnerState | null
  /** What is wrong with the server inside; empty where the gateway does not run. */
  readonly inside: readonly ComponentFault[]
  /** Something has failed and not worked since, between this domain and one of ours. */
  readonly isFailing: boolean
  readonly attempts: number
  /** The most frequent first. */
  readonly failures: readonly FailureCount[]
  /** Each pair of domains of the partner and each direction by itself: what is asked about first, and of that what fails. */
  readonly ways: readonly WayJson[]
  /** How many more there are. */
  readonly waysOmitted: number
  /** Null = the file of the journal is written. */
  readonly journal: JournalTrouble | null
}

/** What is known of a domain besides the attempts. */
export type AskedAbout = {
  readonly domain: Domain
  readonly partner: Partner | undefined
  readonly state: PartnerState | undefined
  readonly inside: readonly ComponentFault[]
  readonly isLocal: (domain: string) => boolean
  readonly trouble: JournalTrouble | undefined
}

/** What a code means. */
export function meaningOf(code: ReasonCode): MeaningJson {
  return { code, ...reasons[code] }
}

/** The most ways, and the most counts of failures, in one answer: a partner may have thousands of pairs of domains with us. */
const mostTold = 100

/** Sums up attempts. @param given those of the partner, the newest first */
export function explain(asked: AskedAbout, given: readonly AttemptRecord[]): WhyJson {
  const { domain, partner, state, inside, isLocal, trouble } = asked
  const isAsked = (remote: string | null) =>
    domain === (partner?.primaryDomain ?? domain) || remote === domain
  // A domain that was taken out of the entry is still in its rings.
  const isOurs = (remote: string | null) => partner?.domains.some(of => of === remote) ?? true
  const attempts = given.filter(({ remote }) => isOurs(remote))
  const around = { streams: state?.streams ?? [], isPartner: partner !== undefined, isLocal }
  const ways = waysOf(attempts, around)
    .toSorted((one, other) => failingRank(other) - failingRank(one))
    .map(way => ({
      ...way,
      // What anybody may do in our own name is nothing that a partner list would mend.
      meaning: isLocal(domain) ? null : meaningFor(way.lastFailure),
      isAsked: isAsked(way.remote),
    }))
    .toSorted((one, other) => Number(other.isAsked) - Number(one.isAsked))
  const own = ways.filter(way => way.isAsked)
  const first = own.find(({ lastFailure }) => lastFailure !== null)
  const ofDomain = attempts.filter(({ remote }) => isAsked(remote))
  const successes = own.flatMap(({ lastSuccess }) => lastSuccess ?? [])
  return {
    domain,
    isOwn: isLocal(domain),
    partner: partner?.primaryDomain ?? null,
    partnerType: partner?.partnerType ?? null,
    state: partner === undefined ? null : (state ?? null),
    inside,
    isFailing: own.some(({ isFailing }) => isFailing),
    attempts: ofDomain.length,
    lastSuccess: ofDomain.find(attempt => successes.includes(attempt)) ?? null,
    failures: countFailures(ofDomain).slice(0, mostTold),
    lastFailure: first?.lastFailure ?? null,
    lastClaim: first?.lastClaim ?? null,
    meaning: first?.meaning ?? null,
    isMended: first?.isMended ?? false,
    ways: ways.slice(0, mostTold),
    waysOmitted: Math.max(0, ways.length - mostTold),
    journal: trouble ?? null,
  }
}

function meaningFor(failed: AttemptRecord | null): MeaningJson | null {
  const why = failed === null ? undefined : failureOf(failed)
  return why === undefined ? null : meaningOf(why.code)
}

function countFailures(attempts: readonly AttemptRecord[]): FailureCount[] {
  const counts = new Map<string, FailureCount>()
  for (const attempt of attempts) {
    const code = failureOf(attempt)?.code
    if (code === undefined) continue
    const { direction, claimed, local, remote, started: first } = attempt
    const key = JSON.stringify([direction, claimed, code, local, remote])
    const known = counts.get(key)
    // From the newest to the oldest: the first one seen is the last that was.
    const count = (known?.count ?? 0) + 1
    const last = known?.last ?? first
    counts.set(key, { code, direction, local, remote, claimed, count, first, last })
  }
  return [...counts.values()].toSorted((one, other) => other.count - one.count)
}
