import { isDeepStrictEqual } from 'node:util'
import { inChunks, transcript } from '../xml/transcript.ts'
import { explanation, oracle, reading, rewriting, writing } from './oracle.ts'
import { type Random, random, streamDocument } from './streams.ts'

/** What a run found. */
export type FuzzResult = {
  accepted: number
  refused: number
  /** Documents on which the reader and saxes disagree, or the reader with itself when they are cut otherwise. */
  readonly differences: { readonly document: Buffer; readonly what: string }[]
}

/** Compares the reader with saxes on mutated streams, whole and cut, until so many cases are done or 20 differ. */
export function fuzz(cases: number, seed: number): FuzzResult {
  const next = random(seed)
  const result: FuzzResult = { accepted: 0, refused: 0, differences: [] }
  for (let i = 0; i < cases && result.differences.length < 20; i++) {
    const document = streamDocument(next)
    const what = compare(document, next, result)
    if (what !== undefined) result.differences.push({ document, what })
  }
  return result
}

function compare(document: Buffer, next: Random, result: FuzzResult): string | undefined {
  const whole = transcript([document])
  const size = 1 + next(next(4) === 0 ? document.length : 16)
  const cut = transcript(inChunks(document, size))
  if (!isDeepStrictEqual(whole, cut))
    return `cut in chunks of ${size}:\n${whole.join('\n')}\n${cut.join('\n')}`
  const isAccepted = whole.at(-1) === 'end'
  if (isAccepted) result.accepted++
  else result.refused++
  const expected = oracle(document)
  if (explanation(document, whole.at(-1)) !== undefined) return undefined
  if (isAccepted !== (expected !== undefined))
    return `saxes ${expected ? 'accepts' : 'refuses'}: ${whole.at(-1)}`
  if (expected === undefined) return undefined
  const { expected: mapped, rewritten, moved } = rewriting(document)
  return (
    differ('trees', reading(document), expected) ??
    differ('written', writing(document), expected) ??
    differ('rewritten', rewritten, mapped) ??
    differ('moved', moved, mapped)
  )
}

function differ(what: string, actual: unknown, expected: unknown): string | undefined {
  if (isDeepStrictEqual(actual, expected)) return undefined
  return `${what}:\n${JSON.stringify(actual)}\n${JSON.stringify(expected)}`
}

if (import.meta.main) {
  const cases = Number(process.argv[2] ?? 1_000_000)
  const seed = Number(process.argv[3] ?? Date.now() % 1_000_000)
  const started = process.cpuUsage()
  const { accepted, refused, differences } = fuzz(cases, seed)
  const { user, system } = process.cpuUsage(started)
  for (const { document, what } of differences)
    console.log(`${JSON.stringify(document.toString('latin1'))}\n${what}\n`)
  const seconds = ((user + system) / 1e6).toFixed(0)
  console.log(
    `seed ${seed}: ${accepted} accepted, ${refused} refused, ${differences.length} differences, ${seconds} s CPU`,
  )
  if (differences.length > 0) process.exitCode = 1
}
