import type { Slice } from '../xml/reader.ts'

/** A stanza on its way, and what was noted of it. */
type Held<Pair, Note> = { readonly slice: Slice; readonly pair: Pair; readonly note: Note }

/**
 * From the first stanza on that changes what is stored, a read is held until that is on disk: what the gateway has said, it must
 * know after kill -9.
 */
export class HeldRead<Pair, Note> {
  readonly #settle: () => Error | undefined
  readonly #pass: (slice: Slice, pair: Pair, note: Note, isKept: boolean) => void
  #held: Held<Pair, Note>[] = []

  /** @param pass lets a stanza go on; `isKept` = nothing is wrong with the disk */
  constructor(
    settle: () => Error | undefined,
    pass: (slice: Slice, pair: Pair, note: Note, isKept: boolean) => void,
  ) {
    this.#settle = settle
    this.#pass = pass
  }

  add(slice: Slice, pair: Pair, note: Note, isDue: boolean): void {
    if (isDue || this.#held.length > 0) this.#held.push({ slice, pair, note })
    else this.#pass(slice, pair, note, true)
  }

  /** The read is over. */
  release(): void {
    if (this.#held.length === 0) return
    const released = this.#held
    this.#held = []
    const isKept = this.#settle() === undefined
    for (const { slice, pair, note } of released) this.#pass(slice, pair, note, isKept)
  }
}
