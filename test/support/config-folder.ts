import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError, type ConfigProblem } from '../../src/config/problems.ts'
import type { Config } from '../../src/config/schema.ts'

/** The least that a configuration needs: one test domain, nothing inside, no partners. */
export const leastConfig =
  'domains:\n  contoso.com: { selfSigned: true }\ninternal: { connector: embedded }\n'

/** A folder with a configuration, removed when the test ends. */
export type ConfigFolder = {
  /** `config/gatehouse.yaml` in it. */
  readonly file: string
  /** The absolute name of a file in it. */
  readonly at: (name: string) => string
  readonly load: (env?: Readonly<Record<string, string>>) => Config
  /** What is wrong with it, shortened to `FILE:LINE:COLUMN SEVERITY KEY: MESSAGE`; files by their names in the folder. */
  readonly problems: (env?: Readonly<Record<string, string>>) => string[]
}

/**
 * Writes a configuration folder. Names are relative to it; `config/gatehouse.yaml` and `config/partners.yaml` are
 * there unless given otherwise. Files are written with mode 0600.
 */
export function configFolder(files: Readonly<Record<string, string>> = {}): ConfigFolder {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): string => join(folder, name)
  const all = { 'config/gatehouse.yaml': leastConfig, 'config/partners.yaml': 'partners: []\n', ...files }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(at(name)), { recursive: true })
    writeFileSync(at(name), text)
    chmodSync(at(name), 0o600)
  }
  const file = at('config/gatehouse.yaml')
  const describe = (problem: ConfigProblem): string =>
    `${problem.file}:${problem.line}:${problem.column} ${problem.severity} ${problem.key}: ${problem.message}`
      .replaceAll(`${folder}/config/`, '')
      .replaceAll(`${folder}/`, '../')
  return {
    file,
    at,
    load: (env = {}) => loadConfig(file, env),
    problems: (env = {}) => {
      try {
        return loadConfig(file, env).warnings.map(describe)
      } catch (error) {
        if (error instanceof ConfigError) return error.problems.map(describe)
        throw error
      }
    },
  }
}
