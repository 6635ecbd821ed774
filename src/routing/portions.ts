import type { Pair } from './ways.ts'

/** Of each pair of domains, in one turn of the event loop: more would hold up all else. */
const stepsAtOnce = 500
/** What one pair may still have to be told; each is of one presence, to all who see it. */
const mostQueued = 1_000

type Queue = { readonly pair: Pair; readonly tasks: Iterator<() => void>[] }

/** Does long tasks some steps at a time, those of one pair of domains one after the other. What finds no room is left out. */
export class Portions {
  readonly #hasRoom: (pair: Pair) => boolean
  readonly #later: (work: () => void) => void
  readonly #queues = new Map<string, Queue>()
  #isDue = false
  /** Steps left out. */
  dropped = 0

  /** @param later runs it at the end of this turn */
  constructor(hasRoom: (pair: Pair) => boolean, later: (work: () => void) => void) {
    this.#hasRoom = hasRoom
    this.#later = later
  }

  /** Begins at once, unless others of this pair are not done yet. */
  add(pair: Pair, task: Iterator<() => void>): void {
    const key = `${pair.local} ${pair.remote}`
    const queue = this.#queues.get(key)
    if (queue === undefined) {
      const made = { pair, tasks: [task] }
      this.#queues.set(key, made)
      this.#goOn(key, made)
    } else if (queue.tasks.length < mostQueued) queue.tasks.push(task)
    else this.#drop(task)
  }

  #goOn(key: string, { pair, tasks }: Queue): void {
    for (let steps = 0; steps < stepsAtOnce && tasks.length > 0; steps++) {
      if (!this.#hasRoom(pair)) for (const task of tasks.splice(0)) this.#drop(task)
      const next = tasks[0]?.next()
      if (next?.done === true) tasks.shift()
      else next?.value()
    }
    if (tasks.length === 0) this.#queues.delete(key)
    else this.#beDue()
  }

  #beDue(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#later(() => {
      this.#isDue = false
      for (const [key, queue] of this.#queues) this.#goOn(key, queue)
    })
  }

  #drop(task: Iterator<() => void>): void {
    while (task.next().done !== true) this.dropped++
  }
}
