/** One instruction of a Dockerfile: its word in capitals, and what follows, on one line. */
export type Instruction = { readonly word: string; readonly rest: string }

/** A stage: what it is made from, its name, and its instructions. */
export type Stage = { readonly base: string; readonly name: string; readonly steps: readonly Instruction[] }

/** Reads a Dockerfile as far as ours goes: no directives, no ARG, no here-documents. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { base: string; name: string; steps: Instruction[] }[] = []
  for (const line of logicalLines(text)) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (word === 'FROM') {
      const [, base = '', name = String(stages.length)] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? []
      stages.push({ base, name, steps: [] })
    } else if (word === '' || stages.length === 0) throw new Error(`not understood: ${line}`)
    else stages.at(-1)!.steps.push({ word, rest })
  }
  return stages
}

/** The words of `["node", "main.js"]`. @throws {Error} for the other form, which is for a shell */
export function words(rest: string): string[] {
  const parsed: unknown = JSON.parse(rest)
  if (Array.isArray(parsed) && parsed.every(word => typeof word === 'string')) return parsed
  throw new Error(`not a list of words: ${rest}`)
}

/** The options `--name=value` at the start, and what follows them. */
export function options(rest: string): {
  readonly given: ReadonlyMap<string, string>
  readonly rest: string
} {
  const given = new Map<string, string>()
  let left = rest
  for (let found = option.exec(left); found !== null; found = option.exec(left)) {
    given.set(found[1] ?? '', found[2] ?? '')
    left = left.slice(found[0].length)
  }
  return { given, rest: left }
}

const option = /^--([a-z-]+)=(\S+)\s+/

function logicalLines(text: string): string[] {
  return text
    .split('\n')
    .filter(line => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
}
