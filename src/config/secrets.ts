import { resolve } from 'node:path'
import type { Secret } from './fields.ts'
import { modeWarning, openFault, readText } from './files.ts'
import type { Report } from './report.ts'
import type { Path } from './yaml-source.ts'

/** Where a configuration finds what it names. */
export type Origin = {
  /** The file that names it; absolute. */
  readonly file: string
  /** The folder that relative paths start from; absolute. */
  readonly folder: string
  /** Undefined = secrets are not looked for at all: it is another process that has them. */
  readonly env: Environment | 'not ours' | undefined
}

/** The variables of a process; where they are another one's, its files are looked for alone. */
export type Environment = Readonly<Record<string, string | undefined>>

/** How a warning begins that concerns the file itself in which a secret stands, and nothing that is named there. */
export const writtenInPlace = 'is written in place'

/**
 * Finds a secret's value; white space at the end of a file is not part of it.
 * @returns undefined where there is none, which is then reported at the key, or where it is not looked for
 */
export function loadSecret(secret: Secret, path: Path, origin: Origin, report: Report): string | undefined {
  if (origin.env === undefined) return undefined
  if (typeof secret === 'string') {
    const fault = openFault(origin.file)
    if (fault !== undefined) report('warning', path, `${writtenInPlace}, and ${fault}, or use { file: … }`)
    return secret
  }
  if ('env' in secret) {
    if (origin.env === 'not ours') return undefined
    const value = origin.env[secret.env]
    if (value !== undefined && value !== '') return value
    report('error', path, `the environment variable ${secret.env} is not set, or empty`)
    return undefined
  }
  const file = resolve(origin.folder, secret.file)
  const read = readText(file)
  if ('fault' in read) {
    const isCredential = file.startsWith('/run/credentials/')
    report(
      'error',
      path,
      isCredential ? `${read.fault}; systemd has it there while the service runs` : read.fault,
    )
    return undefined
  }
  const warning = modeWarning(file, read.mode)
  if (warning !== undefined) report('warning', path, warning)
  return read.text.trimEnd()
}
