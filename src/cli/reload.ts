import type { Caller } from '../admin/api.ts'
import type { ReloadOutcome } from '../admin/reload.ts'
import { ConfigError } from '../config/problems.ts'
import { ApiError, openRunningApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { operatorOf } from './operator.ts'
import { formatJson, formatProblems } from './output.ts'

/** What the running gateway has made of a reload. */
export type ReloadReport = {
  /** refused = the configuration is of no use; failed = there is something else in the way. */
  readonly outcome: 'reloaded' | 'refused' | 'failed' | 'not running' | 'not reached'
  /** What is wrong. */
  readonly problems: readonly string[]
  /** What there is to know besides. */
  readonly warnings: readonly string[]
}

/** `reload`: the running gateway reads configuration, partner list and certificates anew. */
export async function reload({ config, json }: CommandOptions, host: Host): Promise<number> {
  try {
    const report = await requestReload(config, operatorOf(host))
    if (json) host.out(formatJson(report))
    else if (report.outcome === 'not running') host.err('gatehouse: the gateway is not running\n')
    else tellReload(report, host)
    return report.outcome === 'reloaded' ? 0 : 1
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    host.err(formatProblems(error.problems))
    return 1
  }
}

/** Asks the running gateway for a reload. @throws {ConfigError} when the configuration does not tell where it is */
export async function requestReload(config: string, operator: Pick<Caller, 'os'>): Promise<ReloadReport> {
  try {
    const api = await openRunningApi(config, operator)
    if (api === undefined) return { outcome: 'not running', problems: [], warnings: [] }
    const { status, value } = await api.ask({ method: 'POST', url: '/reload' })
    const {
      problems = [],
      warnings = [],
      error,
    } = value as Partial<ReloadOutcome> & { error?: { message: string } }
    if (status === 200) return { outcome: 'reloaded', problems, warnings }
    const why = problems.length > 0 ? problems : [error?.message ?? `${status}`]
    return { outcome: status === 409 ? 'refused' : 'failed', problems: why, warnings }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { outcome: 'not reached', problems: [error.message], warnings: [] }
  }
}

/** Tells people of a reload; what went wrong goes to standard error. */
export function tellReload({ outcome, problems, warnings }: ReloadReport, { out, err }: Host): void {
  const lines = [...problems, ...warnings.map(warning => `warning: ${warning}`)]
    .map(line => `${line}\n`)
    .join('')
  switch (outcome) {
    case 'reloaded':
      out('the gateway has reloaded its configuration\n')
      return err(lines)
    case 'not running':
      return out('the gateway is not running\n')
    case 'refused':
      return err(
        `${lines}gatehouse: the gateway cannot use this configuration, and goes on with the old one\n`,
      )
    case 'failed':
      return err(`gatehouse: the gateway has not reloaded its configuration: ${problems.join('; ')}\n`)
    case 'not reached':
      return err(`gatehouse: the gateway cannot be told to reload: ${problems.join('; ')}\n`)
  }
}
