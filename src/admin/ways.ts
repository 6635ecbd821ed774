import { type AttemptRecord, failureOf } from '../xmpp/attempt.ts'
import type { Explanation, PartnerState } from './why.ts'

/** How it stands between two domains in one direction: with streams for stanzas, or with those that ask about keys. */
export type WayJson = Explanation & {
  readonly direction: 'in' | 'out'
  readonly purpose: 'stanzas' | 'verification'
  /** One of our domains; null = of none of them, as far as anybody said. */
  readonly local: string | null
  readonly remote: string | null
  /** A stream for stanzas is up. */
  readonly isUp: boolean
  /** It has failed, and not worked since; and a domain of ours is concerned. */
  readonly isFailing: boolean
  /** Of the domain that was asked about. */
  readonly isAsked: boolean
}

/** A way as far as the attempts tell. */
export type Way = Omit<WayJson, 'isAsked' | 'meaning'>

type Around = {
  readonly streams: PartnerState['streams']
  readonly isPartner: boolean
  readonly isLocal: (domain: string) => boolean
}

/** Sorts attempts by their ways, and explains each by itself. @param attempts the newest first */
export function waysOf(attempts: readonly AttemptRecord[], around: Around): readonly Way[] {
  const ways = new Map<string, { readonly of: Names; readonly attempts: AttemptRecord[] }>()
  for (const attempt of attempts) {
    const of = namesOf(attempt, around)
    const way = ways.get(keyOf(of)) ?? { of, attempts: [] }
    way.attempts.push(attempt)
    ways.set(keyOf(of), way)
  }
  return Array.from(ways.values(), ({ of, attempts: own }) => {
    // A question about a key has served its purpose once the one who has sent it is in.
    const also =
      of.purpose === 'stanzas' ? undefined : ways.get(keyOf({ ...of, direction: 'in', purpose: 'stanzas' }))
    return explainWay(of, own, also?.attempts ?? [], around)
  })
}

/** What is to be told first: what has failed by proof, then what is claimed, then what has failed for none of our domains. */
export function failingRank({ isFailing, isMended, lastFailure }: Way): number {
  if (lastFailure === null) return 0
  const rank = isFailing ? (lastFailure.claimed ? 3 : 4) : isMended ? 1 : 2
  // Of equals, the newest.
  return rank * 1e15 + failedAt(lastFailure)
}

type Names = Pick<Way, 'direction' | 'purpose' | 'local' | 'remote'>

function namesOf({ direction, purpose, local, remote }: AttemptRecord, { isLocal }: Around): Names {
  return {
    direction,
    // A probe is for stanzas, as it would be with any.
    purpose: purpose === 'verification' ? 'verification' : 'stanzas',
    local: local !== null && isLocal(local) ? local : null,
    remote,
  }
}

function keyOf({ direction, purpose, local, remote }: Names): string {
  return JSON.stringify([direction, purpose, local, remote])
}

function explainWay(
  way: Names,
  attempts: readonly AttemptRecord[],
  also: readonly AttemptRecord[],
  { streams, isPartner }: Around,
): Way {
  const isUp =
    way.purpose === 'stanzas' &&
    streams.some(
      ({ direction, local, remote }) =>
        direction === way.direction && local === way.local && remote === way.remote,
    )
  const lastSuccess = latest(attempts.filter(isSuccess), succeededAt)
  const workedAt = Math.max(...[...attempts, ...also].filter(isSuccess).map(succeededAt), -1)
  const isMended = (failure: AttemptRecord) => {
    if (workedAt > failedAt(failure)) return true
    if (isPartner && failureOf(failure)?.code === 'not-a-partner') return true // it is one now
    // Whoever is up has not failed where only a stream of his is lost, or somebody else gives his name.
    return isUp && (failure.claimed || failure.outcome.is === 'authenticated')
  }
  const failures = attempts.filter(attempt => failureOf(attempt) !== undefined)
  const proven = latest(
    failures.filter(({ claimed }) => !claimed),
    failedAt,
  )
  const claims = failures.filter(({ claimed, outcome }) => claimed && outcome.is === 'failed')
  const claim = latest(claims, failedAt)
  const openClaim = claim === undefined || isMended(claim) ? undefined : claim
  const lastFailure = (proven !== undefined && !isMended(proven) ? proven : openClaim) ?? proven ?? claim
  const isOpen = lastFailure !== undefined && !isMended(lastFailure)
  return {
    ...way,
    isUp,
    isFailing: isOpen && way.local !== null,
    lastSuccess: lastSuccess ?? null,
    lastFailure: lastFailure ?? null,
    lastClaim: openClaim === undefined || openClaim === lastFailure ? null : openClaim,
    isMended: lastFailure !== undefined && !isOpen,
  }
}

/** By proof: who asks us about a key has proven nothing. */
function isSuccess({ outcome, claimed }: AttemptRecord): boolean {
  return outcome.is === 'authenticated' && !claimed
}

function latest(
  attempts: readonly AttemptRecord[],
  moment: (attempt: AttemptRecord) => number,
): AttemptRecord | undefined {
  const [first, ...rest] = attempts
  return rest.reduce((newest, attempt) => (moment(attempt) > moment(newest!) ? attempt : newest), first)
}

function succeededAt({ started, durationMs }: AttemptRecord): number {
  return Date.parse(started) + durationMs
}

/** When it failed: a stream that has been up, at its end. */
function failedAt({ started, durationMs, outcome, closed }: AttemptRecord): number {
  const at = outcome.is === 'failed' || closed === null ? undefined : closed.at
  return at === undefined ? Date.parse(started) + durationMs : Date.parse(at)
}
