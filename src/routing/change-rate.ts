import type { Domain } from '../xmpp/address.ts'

/** Changes a second that each partner domain may cause; as many at once. */
const changesPerSecond = 50

/** How much a partner domain may still change now, and when that was reckoned. */
type Allowance = { changes: number; atMs: number }

/**
 * Bounds what each partner domain has written to disk. What ends is always taken, and counts: what begins has to wait for it.
 */
export class ChangeRate {
  readonly #allowances = new Map<Domain, Allowance>()

  /** May this partner domain begin something? */
  has(remote: Domain): boolean {
    return this.#of(remote).changes >= 1
  }

  /** It changes something. */
  take(remote: Domain): void {
    this.#of(remote).changes--
  }

  #of(remote: Domain): Allowance {
    const atMs = performance.now()
    const known = this.#allowances.get(remote)
    const earned = known === undefined ? changesPerSecond : ((atMs - known.atMs) / 1000) * changesPerSecond
    const changes = Math.min(changesPerSecond, (known?.changes ?? 0) + earned)
    const now = { changes, atMs }
    this.#allowances.set(remote, now)
    return now
  }
}
