import { existsSync } from 'node:fs'
import { answerApi } from '../admin/api.ts'
import { type AttemptsJson, journalRoutes, mostAttempts } from '../admin/journal.ts'
import { localOperator } from '../admin/socket.ts'
import type { FailureCount, PartnerState, WhyJson } from '../admin/why.ts'
import { ConfigError } from '../config/problems.ts'
import { readStoreSettings } from '../config/store-settings.ts'
import { openJournal } from '../journal.ts'
import { inMemory } from '../store/attempts.ts'
import { silent } from '../telemetry/log.ts'
import { type AttemptRecord, failureOf } from '../xmpp/attempt.ts'
import { formatMeaning, formatStep, headWords, isOutcome, outcomeWords, timeWords } from './attempt-words.ts'
import { ApiError, type GatewayApi, openRunningApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, formatTable } from './output.ts'

/** `why DOMAIN`: how it stands with a partner, what failed last, why, and what to do about it. */
export async function why(
  domain: string,
  { all, ...options }: CommandOptions & { readonly all: boolean },
  host: Host,
): Promise<number> {
  let api: GatewayApi | undefined
  try {
    api = (await openRunningApi(options.config)) ?? openOnFile(options.config)
    const query = new URLSearchParams({ domain })
    const answer = await api.ask({ method: 'GET', url: `/why?${query}` })
    if (answer.status !== 200) {
      host.err(`gatehouse: ${(answer.value as { error: { message: string } }).error.message}\n`)
      return answer.status === 400 ? 2 : 1
    }
    const told = answer.value as WhyJson
    const list = all
      ? await api.ask({ method: 'GET', url: `/attempts?${query}&limit=${mostAttempts}` })
      : undefined
    const attempts = (list?.value as AttemptsJson | undefined)?.attempts
    if (options.json) host.out(formatJson(attempts === undefined ? told : { ...told, all: attempts }))
    else host.out(formatWhy(told) + (attempts ?? []).map(formatAttempt).join(''))
    return 0
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems))
    else if (error instanceof ApiError) host.err(`gatehouse: ${error.message}\n`)
    else throw error
    return 1
  } finally {
    api?.close()
  }
}

/** The journal of a gateway that does not run. */
function openOnFile(file: string): GatewayApi {
  const { store, partners } = readStoreSettings(file)
  const path = existsSync(store.journal) ? store.journal : inMemory
  const journal = openJournal(path, () => partners, { ...silent, warn: cannotRead })
  const routes = journalRoutes(
    journal,
    () => ({ partners }),
    () => undefined,
  )
  return {
    ask: async ({ method, url }) => {
      const request = { method, url, readBody: async () => undefined }
      const { status, body } = await answerApi(routes, localOperator, request)
      return { status, value: JSON.parse(body) as unknown }
    },
    close: () => journal.close(),
  }
}

function cannotRead(message: string, fields: Readonly<Record<string, unknown>> = {}): never {
  throw new ApiError(`${message}: ${fields['reason']}`)
}

function formatWhy(told: WhyJson): string {
  const { domain, partner, partnerType, state, attempts, lastSuccess, failures, lastFailure, meaning } = told
  const { isMended, lastClaim } = told
  const isAnother = partner !== null && partner !== domain
  const who =
    partner === null
      ? `${domain} is not a partner: it is in nobody's entry of the partner list.`
      : `${domain}: ${isAnother ? `a domain of the partner ${partner}` : 'a partner'}, ${partnerType}`
  const now =
    partner === null
      ? ''
      : `Now            ${state === null ? 'the gateway does not run' : stateWords(state)}\n`
  const success =
    lastSuccess === null ? 'none in the journal' : `${headWords(lastSuccess)}, ${outcomeWords(lastSuccess)}`
  const known = `Attempts       ${attempts} in the journal\nLast success   ${success}\n`
  if (lastFailure === null) return `${who}\n${now}${known}Failures       none in the journal\n`
  const mended = isMended ? '\nIt has worked since.\n' : ''
  const means = meaning === null ? '' : formatMeaning(meaning)
  const claim =
    lastClaim === null
      ? ''
      : `\nThe last one that proved nothing, and may be of anybody:\n${formatAttempt(lastClaim)}`
  return `${who}\n${now}${known}\n${formatCounts(failures)}\nThe last one that failed:\n${formatAttempt(lastFailure)}${mended}${means}${claim}`
}

function stateWords({ streams, waiting, nextAttemptMs }: PartnerState): string {
  const up = streams.map(
    ({ direction, local, remote, method, since }) =>
      `${direction} (${direction === 'in' ? `${remote} to ${local}` : `${local} to ${remote}`}) up by ${method} since ${timeWords(since)}`,
  )
  const down = (['out', 'in'] as const)
    .filter(direction => !streams.some(stream => stream.direction === direction))
    .map(direction => `${direction} down`)
  const queue = waiting === 0 ? [] : [`${waiting} stanzas wait`]
  const next =
    nextAttemptMs === null ? [] : [`next attempt in ${Math.ceil(nextAttemptMs / 1000)} s at the latest`]
  return [...up, ...down, ...queue, ...next].join('; ')
}

function formatCounts(failures: readonly FailureCount[]): string {
  return formatTable([
    ['failures', 'way', 'code', 'first', 'last'],
    ...failures.map(({ count, direction, claimed, code, first, last }) => [
      String(count),
      claimed ? `${direction}, unproven` : direction,
      code,
      timeWords(first),
      timeWords(last),
    ]),
  ])
}

function formatAttempt(attempt: AttemptRecord): string {
  const mark = failureOf(attempt) === undefined ? '' : ' (failed)'
  const last = attempt.steps.at(-1)
  const told = last !== undefined && isOutcome(last, attempt) ? attempt.steps.slice(0, -1) : attempt.steps
  const steps = told.map(formatStep).join('')
  return `\n${headWords(attempt)}${mark}\n${steps}${`${attempt.durationMs} ms`.padStart(10)}  ${outcomeWords(attempt)}\n`
}
