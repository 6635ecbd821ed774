import { elementsOf } from '../xml/reader.ts'
import type { Kinds, Run } from '../xml/run.ts'
import type { ContentNamespace } from '../xmpp/namespaces.ts'

/** How much may wait for one stream, and how long. */
export type OutboxLimits = {
  readonly stanzas: number
  readonly bytes: number
  readonly waitMs: number
}

type Waiting = {
  readonly bytes: Buffer
  /** Undefined where it is not one that is relayed. */
  readonly kind: keyof Kinds | undefined
  readonly sinceMs: number
  readonly untilMs: number
}

/** Stanzas that wait for a stream, in order: bounded in number, bytes and time. */
export class Outbox {
  readonly #content: ContentNamespace
  readonly #limits: () => OutboxLimits
  readonly #onOverdue: (run: Run) => void
  #waiting: Waiting[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  /** @param onOverdue takes what has waited too long */
  constructor(content: ContentNamespace, limits: () => OutboxLimits, onOverdue: (run: Run) => void) {
    this.#content = content
    this.#limits = limits
    this.#onOverdue = onOverdue
  }

  /** Stanzas waiting. */
  get size(): number {
    return this.#waiting.length
  }

  /** How long the oldest of them has waited, in milliseconds; 0 where none waits. */
  get oldestMs(): number {
    const [oldest] = this.#waiting
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs
  }

  /** How long each of them has waited, in milliseconds, the oldest first. */
  get waitsMs(): number[] {
    const nowMs = performance.now()
    return this.#waiting.map(({ sinceMs }) => nowMs - sinceMs)
  }

  /** One more stanza finds no room, most likely. */
  get isFull(): boolean {
    const { stanzas, bytes } = this.#limits()
    return this.#waiting.length >= stanzas || this.#bytes >= bytes
  }

  /**
   * Holds the stanzas of a run, as copies: a slice would keep the whole buffer it lies in.
   * @returns the stanzas that found no room, if any
   */
  hold(run: Run): Run | undefined {
    const { stanzas, bytes, waitMs } = this.#limits()
    const sinceMs = performance.now()
    const untilMs = sinceMs + waitMs
    const tooMany: Buffer[] = []
    for (const slice of elementsOf(run.bytes, this.#content)) {
      const length = slice.end - slice.start
      const fits = tooMany.length === 0 && this.#waiting.length < stanzas && this.#bytes + length <= bytes
      const copy = Buffer.from(slice.toBuffer())
      if (!fits) {
        tooMany.push(copy)
        continue
      }
      const kind = run.kinds && (slice.name as keyof Kinds)
      this.#waiting.push({ bytes: copy, kind, sinceMs, untilMs })
      this.#bytes += length
    }
    this.#watch()
    return tooMany.length === 0 ? undefined : { bytes: Buffer.concat(tooMany), stanzas: tooMany.length }
  }

  /** Everything that waits, as one run; nothing waits any more. */
  takeAll(): Run | undefined {
    return this.#take(this.#waiting.length)
  }

  #take(stanzas: number): Run | undefined {
    if (stanzas === 0) return undefined
    const taken = this.#waiting.splice(0, stanzas)
    const bytes = Buffer.concat(taken.map(waiting => waiting.bytes))
    this.#bytes -= bytes.length
    if (this.#waiting.length === 0) {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    const count = (kind: keyof Kinds) => taken.filter(waiting => waiting.kind === kind).length
    const kinds = { message: count('message'), presence: count('presence'), iq: count('iq') }
    return { bytes, stanzas, kinds }
  }

  #watch(): void {
    const [oldest] = this.#waiting
    if (oldest === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        const nowMs = performance.now()
        const firstInTime = this.#waiting.findIndex(waiting => waiting.untilMs > nowMs)
        const overdue = this.#take(firstInTime < 0 ? this.#waiting.length : firstInTime)
        this.#watch()
        if (overdue !== undefined) this.#onOverdue(overdue)
      },
      Math.max(1, Math.ceil(oldest.untilMs - performance.now())),
    )
  }
}
