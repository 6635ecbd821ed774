import type { Partner } from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import { type AttemptRecord, failureOf } from '../xmpp/attempt.ts'
import { type Reason, type ReasonCode, reasons } from '../xmpp/reason.ts'

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
  /** Stanzas that wait for a stream. */
  readonly waiting: number
  /** Until the next attempt, where one is put off after a failure. */
  readonly nextAttemptMs: number | null
}

/** A code, and what it means. */
export type MeaningJson = Reason & { readonly code: ReasonCode }

/** Failures of one code in one direction, those of peers that proved nothing apart; times in ISO 8601. */
export type FailureCount = {
  readonly code: ReasonCode
  readonly direction: 'in' | 'out'
  readonly claimed: boolean
  readonly count: number
  readonly first: string
  readonly last: string
}

/** Why it fails with a domain, if it does; out of the attempts that the journal still has. */
export type WhyJson = {
  readonly domain: string
  /** The primary domain of the partner; null = nobody's. */
  readonly partner: string | null
  readonly partnerType: string | null
  /** Null = the gateway does not run, or the domain is no partner's. */
  readonly state: PartnerState | null
  readonly attempts: number
  readonly lastSuccess: AttemptRecord | null
  /** The most frequent first. */
  readonly failures: readonly FailureCount[]
  /** What anybody can bring about by giving the name of the domain, it is only where nothing else has failed. */
  readonly lastFailure: AttemptRecord | null
  /** The last failure of somebody who proved nothing, where that is not `lastFailure`. */
  readonly lastClaim: AttemptRecord | null
  /** What the code of the last failure means. */
  readonly meaning: MeaningJson | null
  /** It has worked since, in the direction of the last failure. */
  readonly isMended: boolean
}

/** What a code means. */
export function meaningOf(code: ReasonCode): MeaningJson {
  return { code, ...reasons[code] }
}

/** Sums up the attempts of a domain. @param attempts the newest first */
export function explain(
  domain: Domain,
  partner: Partner | undefined,
  attempts: readonly AttemptRecord[],
  state: PartnerState | undefined,
): WhyJson {
  const isSuccess = ({ outcome }: AttemptRecord) => outcome.is === 'authenticated' && outcome.method !== null
  const failed = attempts.filter(attempt => failureOf(attempt) !== undefined)
  const lastClaim = failed.find(({ claimed }) => claimed)
  const lastFailure = failed.find(({ claimed }) => !claimed) ?? lastClaim
  const code = lastFailure && failureOf(lastFailure)?.code
  const isMended = attempts.some(
    attempt =>
      lastFailure !== undefined &&
      isSuccess(attempt) &&
      failureOf(attempt) === undefined &&
      attempt.direction === lastFailure.direction &&
      attempt.started > lastFailure.started,
  )
  return {
    domain,
    partner: partner?.primaryDomain ?? null,
    partnerType: partner?.partnerType ?? null,
    state: partner === undefined ? null : (state ?? null),
    attempts: attempts.length,
    lastSuccess: attempts.find(isSuccess) ?? null,
    failures: countFailures(attempts),
    lastFailure: lastFailure ?? null,
    lastClaim: lastClaim === lastFailure ? null : (lastClaim ?? null),
    meaning: code === undefined ? null : meaningOf(code),
    isMended,
  }
}

function countFailures(attempts: readonly AttemptRecord[]): FailureCount[] {
  const counts = new Map<string, FailureCount>()
  for (const attempt of attempts) {
    const code = failureOf(attempt)?.code
    if (code === undefined) continue
    const { direction, claimed, started: first } = attempt
    const key = `${direction} ${claimed} ${code}`
    const known = counts.get(key)
    // From the newest to the oldest: the first one seen is the last that was.
    const count = (known?.count ?? 0) + 1
    counts.set(key, { code, direction, claimed, count, first, last: known?.last ?? first })
  }
  return [...counts.values()].toSorted((one, other) => other.count - one.count)
}
