/** Calls back once nothing has happened for a time; costs one timer, however much happens. */
export class IdleWatch {
  readonly #idleMs: number
  readonly #lastMs: () => number
  readonly #onIdle: () => void
  #timer: NodeJS.Timeout

  /** @param lastMs when something last happened, in milliseconds of `performance.now()` */
  constructor(idleMs: number, lastMs: () => number, onIdle: () => void) {
    this.#idleMs = idleMs
    this.#lastMs = lastMs
    this.#onIdle = onIdle
    this.#timer = setTimeout(() => this.#look(), idleMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const leftMs = this.#lastMs() + this.#idleMs - performance.now()
    if (leftMs <= 0) return this.#onIdle()
    this.#timer = setTimeout(() => this.#look(), Math.ceil(leftMs))
  }
}
