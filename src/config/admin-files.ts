import { dirname, resolve } from 'node:path'
import { readText } from './files.ts'
import { ConfigError, type ConfigProblem } from './problems.ts'
import { reporter, reportIssues } from './report.ts'
import { adminSchema } from './schema.ts'
import { parseYaml } from './yaml-source.ts'

/** The files of a gateway that local commands share with the daemon, absolute. */
export type AdminFiles = { readonly socket: string; readonly tokens: string; readonly audit: string }

/**
 * Where the daemon of this configuration file listens for local commands, and keeps tokens and the audit log. Nothing else of
 * the file has to be right, and no secret at hand: those are the daemon's.
 * @throws {ConfigError} when the file cannot be read, or its section `admin` is wrong
 */
export function readAdminFiles(file: string): AdminFiles {
  const read = readText(file)
  const source = parseYaml(file, 'fault' in read ? '' : read.text)
  const problems: ConfigProblem[] = [...source.problems]
  const report = reporter(source, problems)
  if ('fault' in read) report('error', [], read.fault)
  const checked = adminSchema.safeParse(source.value['admin'] ?? {})
  if (!checked.success) {
    reportIssues((severity, path, message) => report(severity, ['admin', ...path], message), checked.error)
  }
  if (!checked.success || problems.length > 0) throw new ConfigError(problems)
  const absolute = (name: string) => resolve(dirname(resolve(file)), name)
  const { socket, tokens, audit } = checked.data
  return { socket: absolute(socket), tokens: absolute(tokens), audit: absolute(audit) }
}
