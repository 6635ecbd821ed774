import type { Caller } from '../admin/api.ts'
import type { ReloadOutcome } from '../admin/reload.ts'
import { ConfigError } from '../config/problems.ts'
import { ApiError, openRunningApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { operatorOf } from './operator.ts'
import { formatJson, formatProblems, tellError, tellWarning } from './output.ts'

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
    else if (report.outcome === 'not running') tellError('gatehouse: the gateway is not running', host)
    else tellReload(report, host)
    return report.outcome === 'reloaded' ? 0 : 1
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    host.err(formatProblems(error.problems, host))
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
export function tellReload({ outcome, problems, warnings }: ReloadReport, host: Host): void {
  switch (outcome) {
    case 'reloaded':
      host.out('the gateway has reloaded its configuration\n')
      return tellLines(problems, warnings, host)
    case 'not running':
      return host.out('the gateway is not running\n')
    case 'refused':
      tellLines(problems, warnings, host)
      return tellError(
        'gatehouse: the gateway cannot use this configuration, and goes on with the old one',
        host,
      )
    case 'failed':
      return tellError(
        `gatehouse: the gateway has not reloaded its configuration: ${problems.join('; ')}`,
        host,
      )
    case 'not reached':
      return tellError(`gatehouse: the gateway cannot be told to reload: ${problems.join('; ')}`, host)
  }
}

function tellLines(problems: readonly string[], warnings: readonly string[], host: Host): void {
  for (const problem of problems) tellError(problem, host)
  for (const warning of warnings) tellWarning(`warning: ${warning}`, host)
}
