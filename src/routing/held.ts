import type { Slice } from '../xml/reader.ts'
import type { Pausable } from '../xml/run.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Source } from './ways.ts'

/** What is known of the stream that a stanza was read from; a new header of the stream changes it. */
export type Context = Pick<Source, 'declarations'>

/** A stanza on its way, and what was noted of it. */
type Held<Pair, Note> = {
  readonly slice: Slice
  readonly pair: Pair
  readonly note: Note
  readonly context: Context
}

/** How held stanzas go on. */
export type HeldSteps<Pair, Note> = {
  /** @param isKept nothing is wrong with the disk */
  readonly pass: (slice: Slice, pair: Pair, note: Note, isKept: boolean, context: Context) => void
  /** A read is over, or what was held has passed. */
  readonly flush: () => void
}

/**
 * From the first stanza on that changes what is stored, those of one source are held until that is on disk: what the gateway has
 * said, it must know after kill -9. The source is paused meanwhile: no more is held than was read at once. What is held outlives it.
 */
export class HeldRead<Pair, Note> {
  readonly #context: Context
  readonly #valve: Pausable
  readonly #commit: GroupCommit
  readonly #steps: HeldSteps<Pair, Note>
  #held: Held<Pair, Note>[] = []
  #isWaiting = false

  constructor(context: Context, valve: Pausable, commit: GroupCommit, steps: HeldSteps<Pair, Note>) {
    this.#context = context
    this.#valve = valve
    this.#commit = commit
    this.#steps = steps
  }

  add(slice: Slice, pair: Pair, note: Note, isDue: boolean): void {
    if (!isDue && this.#held.length === 0) return this.#steps.pass(slice, pair, note, true, this.#context)
    const { declarations } = this.#context
    this.#held.push({ slice, pair, note, context: { declarations } })
  }

  /** The read is over. */
  release(): void {
    this.#steps.flush()
    if (this.#held.length === 0 || this.#isWaiting) return
    this.#isWaiting = true
    this.#valve.pause()
    this.#commit.join(isKept => this.#goOn(isKept))
  }

  #goOn(isKept: boolean): void {
    const released = this.#held
    this.#held = []
    this.#isWaiting = false
    const failures: unknown[] = []
    for (const { slice, pair, note, context } of released) {
      try {
        this.#steps.pass(slice, pair, note, isKept, context)
      } catch (error) {
        failures.push(error) // those behind it are not lost with it
      }
    }
    try {
      this.#steps.flush()
    } finally {
      this.#valve.resume()
    }
    if (failures.length > 0) throw new AggregateError(failures, 'held stanzas could not go on')
  }
}
