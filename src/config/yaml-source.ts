import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { ConfigProblem } from './problems.ts'
import { faultText, joinCopies, withoutLostAliases } from './yaml-faults.ts'

/** The way to a value in a file: keys and list positions. */
export type Path = readonly (string | number)[]

/** A YAML file, parsed, that knows where everything stands. */
export type YamlSource = {
  readonly file: string
  readonly text: string
  /** What stands in it, every node with the tokens it was made of; null where it holds comments only. */
  readonly root: Node | null
  /** The file's mapping; keys without a value are left out. */
  readonly value: Readonly<Record<string, unknown>>
  /** What the parser found wrong. */
  readonly problems: readonly ConfigProblem[]
  /** Could nothing be read at this key, or around it, for which there is a problem already? */
  readonly isUnread: (path: Path) => boolean
  /** A problem at a key, or at the nearest thing around it that is there. */
  readonly problemAt: (severity: ConfigProblem['severity'], path: Path, message: string) => ConfigProblem
}

const mostAliases = 100 // a few KB of YAML can otherwise unfold to gigabytes

/** Parses a file's text. Never throws: what is wrong stands in `problems`. */
export function parseYaml(file: string, text: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    keepSourceTokens: true,
    logLevel: 'error',
  })
  const problem = (offset: number, key: string, message: string): ConfigProblem => {
    const { line, col } = lines.linePos(offset)
    return { severity: 'error', file, line: Math.max(line, 1), column: Math.max(col, 1), key, message }
  }
  const problems = [...document.errors, ...document.warnings].map(fault => {
    const [offset] = fault.pos
    return problem(offset, fault.code === 'DUPLICATE_KEY' ? keyAt(text, offset) : '', faultText(fault))
  })
  const lost = text.includes('*') ? withoutLostAliases(document) : []
  for (const { node, name, path } of lost) {
    const message = `*${name} stands for what is marked &${name} above it, and nothing is; expected the value itself`
    problems.push(problem(node.range?.[0] ?? 0, formatPath(path), message))
  }
  if (document.errors.length > 0) joinCopies(document)
  const root = document.contents as Node | null
  let value: Readonly<Record<string, unknown>> = {}
  let isRead = true
  try {
    const parsed: unknown = document.toJS({ maxAliasCount: mostAliases })
    isRead = isRecord(parsed) || parsed === null
    if (isRecord(parsed)) value = withoutEmpty(parsed)
    else if (!isRead) problems.push(problem(0, '', 'expected a mapping of keys to values'))
  } catch (error) {
    isRead = false
    problems.push(problem(0, '', error instanceof Error ? error.message : String(error)))
  }
  return {
    file,
    text,
    root,
    value,
    problems,
    isUnread: path =>
      !isRead || lost.some(one => one.path.every((step, at) => String(step) === String(path[at]))),
    problemAt: (severity, path, message) => ({
      ...problem(offsetOf(path), formatPath(path), message),
      severity,
    }),
  }

  function offsetOf(path: Path): number {
    let node: unknown = root
    let offset = 0
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(document)
      if (isMap(node)) {
        // Of a key that is given twice, the last is the one that was read.
        const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step))
        if (pair === undefined || !isScalar(pair.key)) break
        offset = pair.key.range?.[0] ?? offset
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(step)]
        if (node === undefined) break
        offset = (node as Node).range?.[0] ?? offset
      } else break
    }
    return offset
  }
}

/** Is this a mapping? */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `['partners', 0, 'proxy']` as `partners[0].proxy`. */
function formatPath(path: Path): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join('')
}

/** Without the keys behind which everything was commented out: that means the same as leaving them out. */
function withoutEmpty(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== null))
}

function keyAt(text: string, offset: number): string {
  return /^["']?([^\s"':]{1,256})/.exec(text.slice(offset, offset + 260))?.[1] ?? ''
}
