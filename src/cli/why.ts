import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { answerApi } from '../admin/api.ts'
import { type AttemptsJson, journalRoutes, mostAttempts } from '../admin/journal.ts'
import { localOperator } from '../admin/socket.ts'
import type { WhyJson } from '../admin/why.ts'
import { ConfigError } from '../config/problems.ts'
import { readStoreSettings } from '../config/store-settings.ts'
import { ownerOf } from '../files/own-files.ts'
import { openJournal } from '../journal.ts'
import { inMemory } from '../store/attempts.ts'
import { silent } from '../telemetry/log.ts'
import { ApiError, type GatewayApi, openRunningApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, tellError } from './output.ts'
import { formatAttempt, formatWhy } from './why-words.ts'

/**
 * `why DOMAIN`: how it stands with a partner, what failed last, why, and what to do about it. The exit status is 0 where nothing has
 * failed that has not worked since, and the server inside serves it.
 */
export async function why(
  domain: string,
  { all, ...options }: CommandOptions & { readonly all: boolean },
  host: Host,
): Promise<number> {
  let api: GatewayApi | undefined
  try {
    api = (await openRunningApi(options.config)) ?? openOnFile(options.config, host)
    const query = new URLSearchParams({ domain })
    const answer = await api.ask({ method: 'GET', url: `/why?${query}` })
    if (answer.status !== 200) {
      tellError(`gatehouse: ${(answer.value as { error: { message: string } }).error.message}`, host)
      return answer.status === 400 ? 2 : 1
    }
    const told = answer.value as WhyJson
    const list = all
      ? await api.ask({ method: 'GET', url: `/attempts?${query}&limit=${mostAttempts}` })
      : undefined
    const attempts = (list?.value as AttemptsJson | undefined)?.attempts
    if (options.json) host.out(formatJson(attempts === undefined ? told : { ...told, all: attempts }))
    else host.out(formatWhy(told) + (attempts ?? []).map(formatAttempt).join(''))
    const isWell = told.partner !== null && !told.isFailing && told.inside.length === 0
    return isWell && told.journal?.isReadable !== false ? 0 : 1
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems, host))
    else if (error instanceof ApiError) tellError(`gatehouse: ${error.message}`, host)
    else throw error
    return 1
  } finally {
    api?.close()
  }
}

/** The journal of a gateway that does not run. */
function openOnFile(file: string, host: Host): GatewayApi {
  const settings = readStoreSettings(file)
  const path = settings.store.journal
  const isThere = existsSync(path)
  if (isThere) host.goOnAs(ownerOf(dirname(path)))
  const journal = openJournal(isThere ? path : inMemory, () => settings, silent)
  if (journal.trouble !== undefined)
    throw new ApiError(`the journal of attempts cannot be read: ${path}: ${journal.trouble.reason}`)
  const routes = journalRoutes(
    journal,
    () => settings,
    () => undefined,
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
