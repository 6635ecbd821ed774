import type { WayJson } from '../admin/ways.ts'
import {
  type ComponentFault,
  type FailureCount,
  type JournalTrouble,
  meaningOf,
  type PartnerState,
  type WhyJson,
} from '../admin/why.ts'
import { type AttemptRecord, failureOf } from '../xmpp/attempt.ts'
import { formatMeaning, formatStep, headWords, isOutcome, outcomeWords, timeWords } from './attempt-words.ts'
import { formatTable, printable } from './output.ts'

/** What `why` has found, for people. */
export function formatWhy(told: WhyJson): string {
  const { partner, state, inside, attempts, lastSuccess, failures, ways, waysOmitted, journal } = told
  const now =
    partner === null
      ? ''
      : `Now            ${state === null ? 'the gateway does not run' : stateWords(told, state)}\n`
  const within = inside.length === 0 ? '' : `Inside         ${insideWords(inside)}\n`
  const success =
    lastSuccess === null ? 'none in the journal' : `${headWords(lastSuccess)}, ${outcomeWords(lastSuccess)}`
  const known = `${troubleWords(journal)}Attempts       ${attempts} in the journal\nLast success   ${success}\n`
  const more =
    waysOmitted === 0 ? '' : `${waysOmitted} more are not shown; ask about one domain of the partner\n`
  const table = ways.length === 0 ? '' : `\n${formatWays(ways)}${more}`
  const head = `${whoWords(told)}\n${now}${within}${known}`
  if (failures.length === 0) return `${head}Failures       none in the journal\n${table}`
  return `${head}${table}\n${formatCounts(failures)}${formatFailures(told)}`
}

/** An attempt step by step. */
export function formatAttempt(attempt: AttemptRecord): string {
  const mark = failureOf(attempt) === undefined ? '' : ' (failed)'
  const last = attempt.steps.at(-1)
  const told = last !== undefined && isOutcome(last, attempt) ? attempt.steps.slice(0, -1) : attempt.steps
  const steps = told.map(formatStep).join('')
  return `\n${headWords(attempt)}${mark}\n${steps}${`${attempt.durationMs} ms`.padStart(10)}  ${outcomeWords(attempt)}\n`
}

function whoWords({ domain, isOwn, partner, partnerType }: WhyJson): string {
  if (isOwn)
    return `${domain} is one of our own domains, and no partner.\nFor its records ask gatehouse dns, for its certificate gatehouse cert check.`
  if (partner === null) return `${domain} is not a partner: it is in nobody's entry of the partner list.`
  return `${domain}: ${partner === domain ? 'a partner' : `a domain of the partner ${partner}`}, ${partnerType}`
}

function stateWords({ domain, partner }: WhyJson, state: PartnerState): string {
  const { waiting, nextAttemptMs } = state
  const isAsked = ({ remote }: { readonly remote: string }) => domain === partner || domain === remote
  const streams = state.streams.filter(isAsked)
  const negotiating = state.negotiating.filter(isAsked)
  const up = streams.map(
    ({ method, since, ...way }) =>
      `${way.direction} (${betweenWords(way)}) up by ${method} since ${timeWords(since)}`,
  )
  const under = negotiating.map(({ since, address, soFar, ...way }) => {
    const from = address === null ? '' : ` from ${address}`
    const wrong = soFar === null ? '' : `, so far: ${soFar.code}`
    return `${way.direction} (${betweenWords(way)}) negotiating${from} since ${timeWords(since)}${wrong}`
  })
  const down = (['out', 'in'] as const)
    .filter(direction => ![...streams, ...negotiating].some(stream => stream.direction === direction))
    .map(direction => `${direction} down`)
  const queue = waiting === 0 ? [] : [waiting === 1 ? '1 stanza waits' : `${waiting} stanzas wait`]
  const next =
    nextAttemptMs === null ? [] : [`next attempt in ${Math.ceil(nextAttemptMs / 1000)} s at the latest`]
  return [...up, ...under, ...down, ...queue, ...next].join('; ')
}

/** Domains that the server inside refuses alike are told together. */
function insideWords(inside: readonly ComponentFault[]): string {
  return [...Map.groupBy(inside, ({ reason }) => reason)]
    .map(([reason, of]) => `${of.map(({ domain }) => domain).join(', ')} down: ${printable(reason)}`)
    .join('; ')
}

function troubleWords(journal: JournalTrouble | null): string {
  if (journal === null) return ''
  const { since, reason, isReadable } = journal
  const missing = isReadable ? '' : '; what it has is missing here'
  return `Journal        in memory alone since ${timeWords(since)}, its file cannot be used: ${reason}${missing}\n`
}

function formatWays(ways: readonly WayJson[]): string {
  return formatTable([
    ['way', 'between', 'stands', 'last success'],
    ...ways.map(way => [
      way.purpose === 'stanzas' ? way.direction : `${way.direction}, ${way.purpose}`,
      betweenWords(way),
      standWords(way),
      way.lastSuccess === null ? 'none' : timeWords(way.lastSuccess.started),
    ]),
  ])
}

function standWords({ isUp, isMended, lastFailure, lastSuccess }: WayJson): string {
  const good = isUp ? ['up'] : lastSuccess === null ? [] : ['idle']
  const code = lastFailure === null || isMended ? undefined : failureOf(lastFailure)?.code
  if (code === undefined) return good.join('') || 'nothing has failed'
  const failed = lastFailure?.claimed ? `somebody unproven fails: ${code}` : `fails: ${code}`
  return [...(isUp ? good : []), failed].join(', ')
}

function betweenWords({ direction, local, remote }: Pick<WayJson, 'direction' | 'local' | 'remote'>): string {
  const ours = local ?? 'none of ours'
  return direction === 'in' ? `${remote ?? '?'} to ${ours}` : `${ours} to ${remote}`
}

function formatCounts(failures: readonly FailureCount[]): string {
  return formatTable([
    ['failures', 'way', 'code', 'first', 'last', 'between'],
    ...failures.map(({ count, claimed, code, first, last, ...way }) => [
      String(count),
      claimed ? `${way.direction}, unproven` : way.direction,
      code,
      timeWords(first),
      timeWords(last),
      betweenWords(way),
    ]),
  ])
}

/** Each that has not worked since; where there is none, the last one, and that it has. */
function formatFailures({ isOwn, partner, ways, lastFailure }: WhyJson): string {
  const own = ways.filter(({ isAsked }) => isAsked)
  const open = own.flatMap(way => (way.lastFailure === null || way.isMended ? [] : [way.lastFailure]))
  const claims = [...open, ...own.flatMap(({ lastClaim }) => lastClaim ?? [])].filter(
    ({ claimed }) => claimed,
  )
  const groups = [...groupsOf(open.filter(({ claimed }) => !claimed)), ...groupsOf(claims)]
  // What anybody may do in our own name is nothing that a partner list would mend.
  const words = (attempt: AttemptRecord) => (isOwn ? '' : meaningWords(attempt))
  if (groups.length > 0) return groups.map(group => formatGroup(group) + words(group[0])).join('')
  if (lastFailure === null) return ''
  const isPartnerNow = partner !== null && failureOf(lastFailure)?.code === 'not-a-partner'
  const mended = isPartnerNow ? 'It is a partner’s now.' : 'It has worked since.'
  return `${formatGroup([lastFailure])}\n${mended}\n${words(lastFailure)}`
}

type Group = readonly [AttemptRecord, ...AttemptRecord[]]

/** Those that failed alike: what to do about them is the same. */
function groupsOf(failed: readonly AttemptRecord[]): readonly Group[] {
  const groups = Map.groupBy(failed, attempt => failureOf(attempt)?.code)
  return [...groups.values()] as unknown as readonly Group[]
}

function formatGroup([first, ...others]: Group): string {
  const head = first.claimed
    ? '\nThe last one that proved nothing, and may be of anybody:\n'
    : '\nThe last one that failed:\n'
  const alike = others.map(attempt => `${headWords(attempt)}, ${outcomeWords(attempt)}\n`)
  return `${head}${formatAttempt(first)}${alike.length === 0 ? '' : `\nSo did:\n${alike.join('')}`}`
}

function meaningWords(failed: AttemptRecord): string {
  const why = failureOf(failed)
  return why === undefined ? '' : formatMeaning(meaningOf(why.code))
}
