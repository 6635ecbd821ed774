import { statSync } from 'node:fs'
import { socketPathFault } from '../admin/socket.ts'
import { modeWarning } from '../config/files.ts'
import { loadIdentities } from '../config/identities.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError, type ConfigProblem } from '../config/problems.ts'
import { openReport } from '../config/report.ts'
import type { Config } from '../config/schema.ts'
import { readTokens } from '../config/tokens.ts'
import { reportCertificates, reportPartnerAnchors } from './check-certificates.ts'
import { reportInside } from './check-inside.ts'
import type { CommandOptions, Host } from './host.ts'
import { asPlain, count, formatJson, formatProblems, inFileOrder } from './output.ts'

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
    if (error instanceof ConfigError) return [...error.problems, ...certificateProblems(file)]
    throw error
  }
  const problems = [...config.warnings, ...certificateProblems(file)]
  reportPartnerAnchors(config.partners, openReport(config.partnersFile, problems), new Date())
  const inConfig = openReport(config.file, problems)
  const fault = socketPathFault(config.admin.socket)
  if (fault !== undefined) inConfig('error', ['admin', 'socket'], fault)
  for (const [path, file] of [
    [['store', 'sqlite'], config.store.sqlite],
    [['admin', 'tokens'], config.admin.tokens],
  ] as const) {
    const { mode } = statSync(file, { throwIfNoEntry: false }) ?? { mode: 0 }
    const open = modeWarning(file, mode & 0o777)
    if (open !== undefined) inConfig('warning', path, open)
  }
  problems.push(...tokenProblems(config.admin.tokens))
  await reportInside(config, inConfig)
  return problems
}

// The gateway starts with a certificate that proves nothing, so these are warnings; `cert check` is stricter.
function certificateProblems(file: string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  try {
    reportCertificates(loadIdentities(file), openReport(file, problems), new Date(), 'warning')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error // the whole load has told of it
  }
  return problems
}

/** The daemon starts with a file of tokens that is wrong, and accepts none. */
function tokenProblems(file: string): readonly ConfigProblem[] {
  try {
    readTokens(file)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
