import { mostSessions, type SessionJson, type SessionsJson } from '../admin/sessions.ts'
import { good, withApi } from './api-answer.ts'
import { ApiError, type GatewayApi, openRunningApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { operatorOf } from './operator.ts'
import { formatJson, formatTable } from './output.ts'
import { isSessionId } from './session-id.ts'

/** `session list`: the streams with partners that there are now. */
export function listSessions(
  domain: string | undefined,
  { config, json }: CommandOptions,
  host: Host,
): Promise<number> {
  return withApi(running(config, host), host, async api => {
    const sessions = await sessionsIn(api, domain)
    if (json) host.out(formatJson(sessions))
    else host.out(sessions.length === 0 ? 'no streams\n' : formatSessions(sessions))
  })
}

/** `session close`: closes a stream, or all those of a domain, in good order. */
export function closeSessions(what: string, { config, json }: CommandOptions, host: Host): Promise<number> {
  return withApi(running(config, host), host, async api => {
    const closed: SessionJson[] = []
    if (isSessionId(what)) closed.push((await good(close(api, what))) as SessionJson)
    else {
      for (const { id } of await sessionsIn(api, what)) {
        const answer = await close(api, id)
        // Another has ended meanwhile: that is what was asked for.
        if (answer.status !== 404) closed.push((await good(Promise.resolve(answer))) as SessionJson)
      }
    }
    if (closed.length === 0) throw new ApiError(`there is no stream of ${what}`)
    if (json) host.out(formatJson(closed))
    else for (const session of closed) host.out(`closed: ${nameOf(session)}\n`)
  })
}

async function running(config: string, host: Host): Promise<GatewayApi> {
  const api = await openRunningApi(config, operatorOf(host))
  if (api === undefined) throw new ApiError('the gateway is not running; streams are those of one that runs')
  return api
}

async function sessionsIn(api: GatewayApi, domain: string | undefined): Promise<readonly SessionJson[]> {
  const sessions: SessionJson[] = []
  let after: string | null = null
  do {
    const query = new URLSearchParams({ limit: String(mostSessions) })
    if (domain !== undefined) query.set('domain', domain)
    if (after !== null) query.set('after', after)
    const page = (await good(api.ask({ method: 'GET', url: `/sessions?${query}` }))) as SessionsJson
    sessions.push(...page.sessions)
    after = page.next
  } while (after !== null)
  return sessions
}

function close(api: GatewayApi, id: string): ReturnType<GatewayApi['ask']> {
  return api.ask({ method: 'DELETE', url: `/sessions/${encodeURIComponent(id)}` })
}

function nameOf({ id, direction, pairs: [pair] }: SessionJson): string {
  return `${id} (${direction}, ${pair?.local ?? '?'}, ${pair?.remote ?? '?'})`
}

function formatSessions(sessions: readonly SessionJson[]): string {
  const head = [
    'id',
    'dir',
    'local',
    'remote',
    'method',
    'state',
    'TLS',
    'certificate',
    'since',
    'in',
    'out',
    'address',
  ]
  return formatTable([head, ...sessions.flatMap(rowsOf)])
}

/** A line for each pair of domains; what concerns the stream stands in the first. */
function rowsOf(session: SessionJson): string[][] {
  const { id, direction, pairs, state, tls, certificate, since, stanzasIn, stanzasOut, address } = session
  return pairs.map(({ local, remote, method }, at) => {
    const names = [local ?? '?', remote ?? '?', method ?? '-']
    if (at > 0) return ['', '', ...names]
    const security = [tls === null ? 'none' : `${tls.version} ${tls.cipher}`, certificate ?? '-']
    const figures = [since.replace(/\.\d+Z$/, 'Z'), String(stanzasIn), String(stanzasOut), address ?? '?']
    return [id, direction, ...names, state, ...security, ...figures]
  })
}
