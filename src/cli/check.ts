import { once } from 'node:events'
import { connect } from 'node:net'
import { socketPathFault } from '../admin/socket.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError, type ConfigProblem } from '../config/problems.ts'
import { openReport, type Report } from '../config/report.ts'
import type { Config } from '../config/schema.ts'
import { reportCertificates } from './check-certificates.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, inFileOrder } from './output.ts'

/** `check`: everything that can be found wrong without starting. Warnings leave the exit status at 0. */
export async function check({ config: file, json }: CommandOptions, host: Host): Promise<number> {
  const problems = await findProblems(file, host.env)
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (json) host.out(formatJson({ problems: inFileOrder(problems).map(asPlain) }))
  else {
    host.err(formatProblems(problems))
    host.out(`${file}: ${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}\n`)
  }
  return errors === 0 ? 0 : 1
}

async function findProblems(file: string, env: Host['env']): Promise<readonly ConfigProblem[]> {
  let config: Config
  try {
    config = loadConfig(file, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  const problems = [...config.warnings]
  const inConfig = openReport(config.file, problems)
  reportCertificates(config, { inConfig, inPartners: openReport(config.partnersFile, problems) }, new Date())
  const fault = socketPathFault(config.admin.socket)
  if (fault !== undefined) inConfig('error', ['admin', 'socket'], fault)
  await reportInternal(config, inConfig)
  return problems
}

const internalPatienceMs = 5000

async function reportInternal({ internal, timeouts }: Config, report: Report): Promise<void> {
  if (internal.connector === 'embedded') return
  const { host, port } = internal
  const socket = connect({ host, port })
  try {
    const patience = AbortSignal.timeout(Math.min(timeouts.connectMs, internalPatienceMs))
    await once(socket, 'connect', { signal: patience })
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const cause = why === 'ABORT_ERR' ? 'no answer' : why
    report(
      'warning',
      ['internal', 'port'],
      `the internal server at ${host}, port ${port} cannot be reached: ${cause}`,
    )
  } finally {
    socket.destroy()
  }
}

function asPlain({ severity, file, line, column, key, message }: ConfigProblem): ConfigProblem {
  return { severity, file, line, column, key, message }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
