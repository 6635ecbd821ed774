import { socketFault } from '../admin/socket.ts'
import { ownFileFault } from '../config/files.ts'
import { identitiesIn } from '../config/identities.ts'
import { completeConfig } from '../config/load.ts'
import { ConfigError, type ConfigProblem } from '../config/problems.ts'
import { openReport, reporter } from '../config/report.ts'
import { type Survey, surveyConfig } from '../config/survey.ts'
import { tokenModeWarning, tokenProblems } from '../config/tokens.ts'
import { attemptFileFault } from '../store/attempt-file.ts'
import { reportCertificates, reportPartnerAnchors } from './check-certificates.ts'
import { reportInside } from './check-inside.ts'
import { reportUnreadable } from './check-readable.ts'
import type { CommandOptions, Host } from './host.ts'
import { asPlain, formatJson, formatProblems, formatSum, inFileOrder } from './output.ts'

/** `check`: everything that can be found wrong without starting. Warnings leave the exit status at 0. */
export async function check({ config: file, json }: CommandOptions, host: Host): Promise<number> {
  const problems = await findProblems(file, host)
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (json) host.out(formatJson({ problems: inFileOrder(problems).map(asPlain) }))
  else {
    host.err(formatProblems(problems, host))
    host.out(formatSum(file, errors, problems.length - errors, host))
  }
  return errors === 0 ? 0 : 1
}

/** Everything at once: what is wrong in one place hides nothing in another. */
async function findProblems(file: string, host: Host): Promise<readonly ConfigProblem[]> {
  let survey: Survey
  try {
    survey = surveyConfig(file, host.env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  const { source, own, inside, partners, partnersFile } = survey
  const problems = [...survey.problems]
  const inConfig = reporter(source, problems)
  const at = new Date()
  // The gateway starts with a certificate that proves nothing, so these are warnings; `cert check` is stricter.
  const identities = identitiesIn(source)
  reportCertificates(identities, inConfig, at, 'warning')
  reportPartnerAnchors(partners, openReport(partnersFile, problems), at)
  const taken = own.socket === undefined ? undefined : socketFault(own.socket)
  if (taken !== undefined) inConfig('error', ['admin', 'socket'], taken)
  for (const [section, key, isNeeded] of ownFiles) {
    const file = own[key]
    const ofMode = key === 'tokens' ? tokenModeWarning : undefined
    const fault = file === undefined ? undefined : ownFileFault(file, isNeeded, ofMode)
    if (fault !== undefined) inConfig(fault.severity, [section, key], fault.message)
  }
  const unusable = own.journal === undefined ? undefined : attemptFileFault(own.journal)
  if (unusable !== undefined)
    inConfig(
      'warning',
      ['store', 'journal'],
      `${own.journal} cannot be used, and attempts would be kept in memory: ${unusable}`,
    )
  // The daemon starts with a file of tokens that is wrong, and accepts none.
  if (own.tokens !== undefined) problems.push(...tokenProblems(own.tokens))
  if (inside !== undefined) await reportInside(inside, completeConfig(survey), inConfig)
  // Last, for it gives rights away.
  if (own.sqlite !== undefined) reportUnreadable(identities, own.sqlite, inConfig, host)
  return problems
}

/** What the gateway makes, and whether it starts without. */
const ownFiles = [
  ['store', 'sqlite', true],
  ['store', 'journal', false],
  ['admin', 'socket', true],
  ['admin', 'tokens', false],
  ['admin', 'audit', false],
] as const
