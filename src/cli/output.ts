import { type ConfigProblem, formatProblem } from '../config/problems.ts'

/** Lays out rows in columns two spaces apart; the last column is not padded. Control characters do not reach the terminal. */
export function formatTable(given: readonly (readonly string[])[]): string {
  const rows = given.map(row => row.map(printable))
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  }
  return rows
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('')
}

/** Text for a terminal: control characters do not reach it. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\ufffd')
}

/** A value as machines read it. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** Problems for a terminal, one a line, in the order in which they stand in the files. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return inFileOrder(problems)
    .map(problem =>
      problem.severity === 'warning' ? { ...problem, message: `warning: ${problem.message}` } : problem,
    )
    .map(problem => `${formatProblem(problem)}\n`)
    .join('')
}

/** Problems sorted by line within their files; the files keep their order. */
export function inFileOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const files = [...new Set(problems.map(({ file }) => file))]
  return problems.toSorted(
    (one, other) =>
      files.indexOf(one.file) - files.indexOf(other.file) ||
      one.line - other.line ||
      one.column - other.column,
  )
}

/** A problem by the fields that machines are promised. */
export function asPlain({ severity, file, line, column, key, message }: ConfigProblem): ConfigProblem {
  return { severity, file, line, column, key, message }
}

/** A number with its noun. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
