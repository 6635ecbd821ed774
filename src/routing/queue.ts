import type { Slice } from '../xml/reader.ts'
import type { Pausable } from '../xml/run.ts'

/** A source that several can make to wait: it goes on once none of them does. */
export class Valve implements Pausable {
  readonly #source: Pausable
  #holding = 0

  constructor(source: Pausable) {
    this.#source = source
  }

  pause(): void {
    if (++this.#holding === 1) this.#source.pause()
  }

  resume(): void {
    if (--this.#holding === 0) this.#source.resume()
  }
}

/** How a queue asks and goes on. */
export type QueueSteps<Pair> = {
  /** Must this stanza wait, and with it all behind it? `resume` is called once then, when it is to be asked about again. */
  readonly mustWait: (slice: Slice, pair: Pair, resume: () => void) => boolean
  readonly pass: (slice: Slice, pair: Pair) => void
  /** All that had to wait has passed. */
  readonly flush: () => void
}

/**
 * The stanzas of one source in their order, where one may have to wait for something that has to be asked first. Its source is paused
 * meanwhile: no more waits than was read at once. What waits outlives the source.
 */
export class Queue<Pair> {
  readonly #valve: Pausable
  readonly #steps: QueueSteps<Pair>
  readonly #waiting: { readonly slice: Slice; readonly pair: Pair }[] = []
  #isHeld = false

  constructor(valve: Pausable, steps: QueueSteps<Pair>) {
    this.#valve = valve
    this.#steps = steps
  }

  add(slice: Slice, pair: Pair): void {
    if (!this.#isHeld && !this.#steps.mustWait(slice, pair, this.#resume))
      return this.#steps.pass(slice, pair)
    this.#waiting.push({ slice, pair })
    if (this.#isHeld) return
    this.#isHeld = true
    this.#valve.pause()
  }

  // One for all: stanzas that need not wait are many.
  readonly #resume = (): void => {
    for (const [at, { slice, pair }] of this.#waiting.entries()) {
      if (this.#steps.mustWait(slice, pair, this.#resume)) {
        this.#waiting.splice(0, at)
        return
      }
      this.#steps.pass(slice, pair)
    }
    this.#waiting.length = 0
    this.#isHeld = false
    this.#steps.flush()
    this.#valve.resume()
  }
}
