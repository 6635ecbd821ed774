import type { Log } from '../telemetry/log.ts'

/** Called when the disk has been asked. @param isKept it has taken what was noted */
export type Release = (isKept: boolean) => void

/**
 * Puts what was noted on disk, once for all who have noted something in one turn of the event loop: the disk holds up all else that
 * the gateway does. Whoever joins goes on behind that, in the order of joining.
 */
export class GroupCommit {
  readonly #settle: () => Error | undefined
  readonly #log: Log
  readonly #later: (commit: () => void) => void
  #members: Release[] = []
  #isStopped = false

  /** @param later runs it at the end of this turn */
  constructor(settle: () => Error | undefined, log: Log, later: (commit: () => void) => void) {
    this.#settle = settle
    this.#log = log
    this.#later = later
  }

  /** Asks for a write of what was noted. After `stop`, it is made at once. */
  join(release: Release): void {
    this.#members.push(release)
    if (this.#isStopped) this.now()
    else if (this.#members.length === 1) this.#later(() => this.now())
  }

  /** Writes, where somebody waits for it. */
  now(): void {
    if (this.#members.length === 0) return
    const members = this.#members
    this.#members = []
    const isKept = this.#settle() === undefined
    for (const release of members) {
      try {
        release(isKept)
      } catch (error) {
        // What waits for others must not be lost with it.
        this.#log.error('stanzas that had waited for the disk failed on an unexpected error', { err: error })
      }
    }
  }

  /** From now on nothing waits: there may be no next turn. */
  stop(): void {
    this.#isStopped = true
    this.now()
  }
}
