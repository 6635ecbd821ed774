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
  /** Must this stanza wait, and with it all behind it? `resume` is called then, when it is to be asked about again. */
  readonly mustWait: (slice: Slice, pair: Pair, resume: () => void) => boolean
  readonly pass: (slice: Slice, pair: Pair) => void
  /** Nothing more passes for now: all has that had to wait, or what is next has to. */
  readonly flush: () => void
}

/** So many of those that wait are asked about at a time: each may be another question. */
const mostAhead = 100

/**
 * The stanzas of one source in their order, where one may have to wait for something that has to be asked first. Its source is paused
 * meanwhile: no more waits than was read at once. What waits outlives the source.
 */
export class Queue<Pair> {
  readonly #valve: Pausable
  readonly #steps: QueueSteps<Pair>
  readonly #waiting: { readonly slice: Slice; readonly pair: Pair }[] = []
  /** So many of those that wait have been asked about, the first ones. */
  #asked = 0
  #isHeld = false
  /** Stanzas pass, or are asked about, right now; what happens on that is looked at behind it. */
  #isGoing = false
  #isDue = false

  constructor(valve: Pausable, steps: QueueSteps<Pair>) {
    this.#valve = valve
    this.#steps = steps
  }

  add(slice: Slice, pair: Pair): void {
    this.#waiting.push({ slice, pair })
    if (!this.#isHeld || this.#isGoing) this.#go()
    else this.#askAhead()
  }

  // One for all: stanzas that need not wait are many.
  readonly #resume = (): void => this.#go()

  #go(): void {
    this.#isDue = true
    if (this.#isGoing) return
    this.#isGoing = true
    try {
      while (this.#isDue) {
        this.#isDue = false
        this.#passOn()
        if (!this.#isDue && (this.#isHeld || this.#waiting.length > 0)) this.#steps.flush()
      }
    } finally {
      this.#isGoing = false
    }
    const mustHold = this.#waiting.length > 0
    if (mustHold === this.#isHeld) return
    this.#isHeld = mustHold
    if (mustHold) this.#valve.pause()
    else this.#valve.resume()
  }

  /** Lets by what need not wait, each before the next is asked about. */
  #passOn(): void {
    for (;;) {
      const first = this.#waiting[0]
      if (first === undefined) return
      if (this.#steps.mustWait(first.slice, first.pair, this.#resume)) return this.#askAhead()
      this.#waiting.shift()
      if (this.#asked > 0) this.#asked--
      this.#steps.pass(first.slice, first.pair)
    }
  }

  /** Not one after the other: each would make all behind it wait as long again. */
  #askAhead(): void {
    // The first one has just been asked about.
    for (this.#asked = Math.max(this.#asked, 1); this.#asked < mostAhead; this.#asked++) {
      const next = this.#waiting[this.#asked]
      if (next === undefined) return
      this.#steps.mustWait(next.slice, next.pair, this.#resume)
    }
  }
}
