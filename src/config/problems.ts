/** One thing wrong with a configuration, and where. Lines and columns count from 1. */
export type ConfigProblem = {
  readonly severity: 'error' | 'warning'
  readonly file: string
  readonly line: number
  readonly column: number
  /** Path of the key, such as `limits.depth` or `partners[0].proxy`; empty for the file as a whole. */
  readonly key: string
  readonly message: string
}

/** A configuration that cannot be used; `problems` is everything found, warnings too. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(
      problems
        .filter(problem => problem.severity === 'error')
        .map(formatProblem)
        .join('\n'),
    )
    this.problems = problems
  }
}

/** The problem on one line: `FILE:LINE:COLUMN: key: message`. Control characters, which a key may hold, do not reach a terminal. */
export function formatProblem({ file, line, column, key, message }: ConfigProblem): string {
  const text = `${file}:${line}:${column}: ${key === '' ? '' : `${key}: `}${message}`
  return text.replace(/\p{C}/gu, '\ufffd')
}

/** A file that is no use as a whole. */
export function unreadable(file: string, message: string): ConfigProblem {
  return { severity: 'error', file, line: 1, column: 1, key: '', message }
}
