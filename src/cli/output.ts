import { styleText } from 'node:util'
import { type ConfigProblem, formatProblem } from '../config/problems.ts'
import type { Host } from './host.ts'

/** Lays out rows in columns two spaces apart; the last column is not padded. Control characters do not reach the terminal. */
export function formatTable(given: readonly (readonly string[])[]): string {
  const rows = given.map(row => row.map(cell => printable(cell.replace(/[\t\r\n]+/g, ' '))))
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, widthOf(cell))
  }
  return rows
    .map(row =>
      row
        .map((cell, at) => cell + ' '.repeat(widths[at]! - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('')
}

/**
 * How many columns of a terminal a text takes: two for a character of the East Asian scripts and an emoji, none for an accent that is
 * put on the letter before. Unicode has a table for it that no regular expression knows; the scripts come to the same but for rare signs.
 */
function widthOf(text: string): number {
  const wide = text.replace(narrowKana, ' ').match(wideCharacters)?.length ?? 0
  const none = text.match(/[\p{Mn}\p{Me}]/gu)?.length ?? 0
  return [...text].length + wide - none
}

const narrowKana = /[\uff61-\uffdc]/g
const wideCharacters =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/gu

/** Text for a terminal: control characters do not reach it. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\ufffd')
}

/** A value as machines read it. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** What a text tells: that all is well, or what is wrong. */
export type Tone = 'good' | 'warning' | 'error'

const colours = { good: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<Tone, string>

/**
 * A text in the colour of what it tells, each of its lines, where the stream shows colours. What it is made of must be printable, and
 * be laid out before: a colour takes no place.
 */
export function toned(tone: Tone, text: string, stream: 'out' | 'err', { isColoured }: Colours): string {
  if (isColoured?.(stream) !== true) return text
  return text.replace(/.+/g, line => styleText(colours[tone], line, { validateStream: false }))
}

/** A report in which each finding is a line that begins with its severity; the others stay as they are. */
export function tonedFindings(text: string, host: Colours): string {
  return text.replace(/^(?:; )?(error|warning): .*/gm, (line, severity: Tone) =>
    toned(severity, line, 'out', host),
  )
}

/** The last line of a check: how much was found. */
export function formatSum(file: string, errors: number, warnings: number, host: Colours): string {
  const tone = errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'good'
  return toned(tone, `${file}: ${count(errors, 'error')}, ${count(warnings, 'warning')}\n`, 'out', host)
}

/** Tells an error, on standard error. */
export function tellError(text: string, host: Colours & Pick<Host, 'err'>): void {
  host.err(toned('error', `${text}\n`, 'err', host))
}

/** Tells a warning, on standard error. */
export function tellWarning(text: string, host: Colours & Pick<Host, 'err'>): void {
  host.err(toned('warning', `${text}\n`, 'err', host))
}

type Colours = Pick<Host, 'isColoured'>

/** Problems for a terminal, one a line, in the order in which they stand in the files; for standard error. */
export function formatProblems(problems: readonly ConfigProblem[], host: Colours = {}): string {
  return inFileOrder(problems)
    .map(problem => {
      const { severity, message } = problem
      const said = severity === 'warning' ? { ...problem, message: `warning: ${message}` } : problem
      return toned(severity, `${formatProblem(said)}\n`, 'err', host)
    })
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
