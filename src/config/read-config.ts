import { dirname, isAbsolute, join } from 'node:path'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import { readText } from './files.ts'
import { ConfigError, type ConfigProblem, unreadable } from './problems.ts'
import { reporter, reportIssues } from './report.ts'
import { configSchema } from './schema.ts'
import { parseYaml } from './yaml-source.ts'

/**
 * Reads a configuration's own text, and nothing that it names.
 * @returns the text parsed, what the schema makes of it, and what both find wrong
 * @throws {ConfigError} when the file cannot be read
 */
export function readConfigFile(file: string) {
  const read = readText(file)
  if ('fault' in read) throw new ConfigError([unreadable(file, read.fault)])
  const source = parseYaml(file, read.text)
  const problems: ConfigProblem[] = [...source.problems]
  const checked = configSchema.safeParse(source.value)
  reportIssues(reporter(source, problems), checked.error)
  return { source, problems, checked }
}

/** The file that a configuration file names, from its folder. */
export function beside(file: string, named: string): string {
  return isAbsolute(named) ? named : join(dirname(file), named)
}

/** The local domains by name: one whose certificate is faulty is a local one all the same. */
export function localNames(section: unknown): ReadonlySet<Domain | undefined> {
  return new Set(Object.keys(section ?? {}).map(parseDomain))
}
