import type { Log } from '../telemetry/log.ts'
import type { ReasonCode } from '../xmpp/reason.ts'

const mostTold = 10
const windowMs = 60_000

/** Tells the log of refused connections: ten in a minute, and with the first of the next how many more there were. */
export class RefusedConnections {
  readonly #log: Log
  readonly #now: () => number
  #startMs = Number.NEGATIVE_INFINITY
  #told = 0
  #untold = 0

  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  /** @param port of the listener, as configured */
  add(port: number, remoteAddress: string, reason: string, code?: ReasonCode): void {
    const now = this.#now()
    if (now - this.#startMs >= windowMs) {
      this.#startMs = now
      this.#told = 0
    }
    if (this.#told >= mostTold) {
      this.#untold++
      return
    }
    this.#told++
    const untold = this.#untold === 0 ? {} : { untold: this.#untold }
    this.#untold = 0
    this.#log.warn('connection refused', { port, remoteAddress, ...(code && { code }), reason, ...untold })
  }
}
