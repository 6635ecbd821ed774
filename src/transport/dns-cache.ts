import type { DnsAnswer, RecordOf, RecordType } from './dns-answer.ts'

/** An answer to any question. */
export type AnyAnswer = DnsAnswer<RecordOf[RecordType]>

const positiveSeconds = { least: 5, most: 3600 }
const negativeSeconds = { least: 5, most: 300, unknown: 30 } // RFC 2308 §5 recommends a bound
const maxEntries = 4096

type Entry = { readonly answer: AnyAnswer; readonly until: number }

/** Remembers answers for the time DNS gives them: 5 s to 1 h, and 5 min at most that there is nothing. */
export class DnsCache {
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number

  /** @param now a clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The answer, if it is still good. */
  get(question: string): AnyAnswer | undefined {
    const entry = this.#entries.get(question)
    if (entry === undefined || entry.until > this.#now()) return entry?.answer
    this.#entries.delete(question)
    return undefined
  }

  /** Keeps an answer. The oldest goes when there are too many. @param ttl in seconds, undefined where DNS gave none */
  put(question: string, answer: AnyAnswer, ttl: number | undefined): void {
    const bounds = answer.kind === 'records' ? positiveSeconds : negativeSeconds
    const seconds = Math.min(Math.max(ttl ?? negativeSeconds.unknown, bounds.least), bounds.most)
    this.#set(question, { answer, until: this.#now() + seconds * 1000 })
  }

  /** Takes over what another one knows, in place of older answers. Both go by the same clock. */
  take(other: DnsCache): void {
    for (const [question, entry] of other.#entries) this.#set(question, entry)
  }

  #set(question: string, entry: Entry): void {
    this.#entries.delete(question)
    this.#entries.set(question, entry)
    if (this.#entries.size <= maxEntries) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}
