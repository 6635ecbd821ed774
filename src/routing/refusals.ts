import type { Direction } from '../telemetry/events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { StanzaKind } from '../xmpp/stanza.ts'

/** How many refusals of one partner under one rule are told in one window; all of them are counted. */
const mostTold = 10
const windowMs = 60_000
/** Partners times rules: a bound that no configuration of a sane size comes near. */
const mostKept = 10_000

type Window = { readonly startMs: number; told: number; untold: number }

/** Counts refusals, and tells the log of them: of a burst the first ones, and later how many more there were. */
export class Refusals {
  readonly #metrics: Metrics
  readonly #log: Log
  readonly #now: () => number
  readonly #windows = new Map<string, Window>()

  constructor(telemetry: { metrics: Metrics; log: Log }, now: () => number = () => performance.now()) {
    this.#metrics = telemetry.metrics
    this.#log = telemetry.log
    this.#now = now
  }

  add(
    direction: Direction,
    kind: StanzaKind,
    rule: string,
    names: { readonly local?: string | undefined; readonly remote?: string | undefined },
  ): void {
    this.#metrics.stanza(direction, kind, 'refused')
    this.#metrics.refusal(rule)
    const window = this.#windowOf(`${names.remote ?? ''} ${rule}`)
    if (window.told >= mostTold) {
      window.untold++
      return
    }
    const { untold } = window
    window.told++
    window.untold = 0
    this.#log.event({
      event: 'stanza.refused',
      local: names.local ?? null,
      remote: names.remote ?? null,
      rule,
      ...(untold === 0 ? {} : { untold }),
    })
  }

  /** Counts a stanza that goes no further because nothing of it is left: nobody has done anything wrong. */
  addFiltered(
    direction: Direction,
    kind: StanzaKind,
    rule: string,
    names: { local: string; remote: string },
  ): void {
    this.#metrics.stanza(direction, kind, 'filtered')
    this.#metrics.refusal(rule)
    this.#log.debug('stanza filtered', { local: names.local, remote: names.remote, rule })
  }

  #windowOf(key: string): Window {
    const known = this.#windows.get(key)
    const now = this.#now()
    if (known !== undefined && now - known.startMs < windowMs) return known
    if (this.#windows.size >= mostKept) this.#windows.clear()
    const window = { startMs: now, told: 0, untold: known?.untold ?? 0 }
    this.#windows.set(key, window)
    return window
  }
}
