import { isFailure, type ReasonCode, reasons } from '../xmpp/reason.ts'
import type { Direction, MethodName } from './events.ts'
import { createHistogram, type Histogram, observe, renderHistogram } from './histogram.ts'

const directions = ['in', 'out'] as const
const kinds = ['message', 'presence', 'iq'] as const
const stanzaOutcomes = ['relayed', 'bounced', 'dropped', 'refused', 'filtered'] as const
const methods = ['sasl-external-tls', 'dialback-tls', 'dialback-tcp'] as const
const authenticationOutcomes = ['success', 'failure'] as const
const failures = (Object.keys(reasons) as ReasonCode[]).filter(isFailure)
const failureAt = new Map(failures.map((code, at) => [code, at]))

/** One value of a metric, told apart from the others by its labels. */
export type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number }

/** What is timed, in seconds. */
export const histograms = {
  gatehouse_stream_establishment_seconds: {
    help: 'From a peer’s connection, or our search for a partner’s server, to authenticated: streams for stanzas.',
    bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  gatehouse_queue_wait_seconds: {
    help: 'How long stanzas waited for a partner’s stream that came.',
    bounds: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
} as const

type Collector = {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly collect: () => Iterable<Sample>
}

/**
 * The gateway's counters, kept as plain numbers and put into words only when somebody asks:
 * counting is on the way of every stanza.
 */
export class Metrics {
  readonly #stanzas = new Float64Array(directions.length * kinds.length * stanzaOutcomes.length)
  readonly #authentications = new Float64Array(
    directions.length * methods.length * authenticationOutcomes.length,
  )
  readonly #refusals = new Map<string, number>()
  readonly #failures = new Float64Array(directions.length * failures.length)
  readonly #histograms = new Map<string, Histogram>(
    Object.entries(histograms).map(([name, { bounds }]) => [name, createHistogram(bounds)]),
  )
  readonly #collectors: Collector[] = []

  /** Counts stanzas; `direction` is the partner's side: `in` = from a partner, `out` = to one. */
  stanza(
    direction: Direction,
    kind: (typeof kinds)[number],
    outcome: (typeof stanzaOutcomes)[number],
    count = 1,
  ): void {
    const kindAt = directions.indexOf(direction) * kinds.length + kinds.indexOf(kind)
    this.#stanzas[kindAt * stanzaOutcomes.length + stanzaOutcomes.indexOf(outcome)]! += count
  }

  /** Counts what a stream has taken. */
  relayed(direction: Direction, counts: Readonly<Record<(typeof kinds)[number], number>> | undefined): void {
    if (counts === undefined) return
    const first = direction === 'in' ? 0 : kinds.length * stanzaOutcomes.length
    for (let at = 0; at < kinds.length; at++)
      this.#stanzas[first + at * stanzaOutcomes.length]! += counts[kinds[at]!]
  }

  /** Counts stanzas refused under a rule; the rules are the program's own words. */
  refusal(rule: string, count = 1): void {
    this.#refusals.set(rule, (this.#refusals.get(rule) ?? 0) + count)
  }

  /** Counts a stream, or an attempt to have one, that has failed for this reason; an end in good order is none. */
  failure(direction: Direction, code: ReasonCode): void {
    const at = failureAt.get(code)
    if (at !== undefined) this.#failures[directions.indexOf(direction) * failures.length + at]! += 1
  }

  /** Counts an attempt to authenticate, ours (`out`) or a partner's (`in`). */
  authentication(
    direction: Direction,
    method: MethodName,
    outcome: (typeof authenticationOutcomes)[number],
  ): void {
    const at = (directions.indexOf(direction) * methods.length + methods.indexOf(method)) * 2
    this.#authentications[outcome === 'success' ? at : at + 1]! += 1
  }

  /** Counts one duration. */
  observe(name: keyof typeof histograms, seconds: number): void {
    observe(this.#histograms.get(name)!, seconds)
  }

  /** Adds a value that goes up and down; `collect` is asked at every scrape. */
  gauge(name: string, help: string, collect: () => Iterable<Sample>): void {
    this.#collectors.push({ name, type: 'gauge', help, collect })
  }

  /** Adds a value that only grows; `collect` is asked at every scrape. */
  counter(name: string, help: string, collect: () => Iterable<Sample>): void {
    this.#collectors.push({ name, type: 'counter', help, collect })
  }

  /** Everything in the text format of Prometheus, version 0.0.4. */
  render(): string {
    const out: string[] = []
    const counters: readonly Collector[] = [
      {
        name: 'gatehouse_stanzas_total',
        type: 'counter',
        help: 'Stanzas by what became of them; `in` = from partners, `out` = to them.',
        collect: () =>
          samples(this.#stanzas, [
            ['direction', directions],
            ['kind', kinds],
            ['outcome', stanzaOutcomes],
          ]),
      },
      {
        name: 'gatehouse_refusals_total',
        type: 'counter',
        help: 'Stanzas refused, by the rule they broke.',
        collect: () => Array.from(this.#refusals, ([rule, value]) => ({ labels: { rule }, value })),
      },
      {
        name: 'gatehouse_stream_failures_total',
        type: 'counter',
        help: 'Streams, and attempts to have one, that failed; the codes are those of docs/reasons.md.',
        collect: () =>
          samples(this.#failures, [
            ['direction', directions],
            ['code', failures],
          ]),
      },
      {
        name: 'gatehouse_authentications_total',
        type: 'counter',
        help: 'Attempts to authenticate, partners’ (`in`) and ours (`out`).',
        collect: () =>
          samples(this.#authentications, [
            ['direction', directions],
            ['method', methods],
            ['outcome', authenticationOutcomes],
          ]),
      },
    ]
    for (const { name, type, help, collect } of [...counters, ...this.#collectors]) {
      out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
      for (const { labels, value } of collect()) out.push(`${name}${formatLabels(labels)} ${value}`)
    }
    for (const [name, { help }] of Object.entries(histograms)) {
      out.push(...renderHistogram(name, help, this.#histograms.get(name)!))
    }
    return `${out.join('\n')}\n`
  }
}

type Dimension = readonly [label: string, values: readonly string[]]

/** Gives each counter of a flat array its labels; the last dimension varies fastest. */
function samples(counts: Float64Array, dimensions: readonly Dimension[]): Sample[] {
  return Array.from(counts, (value, index) => {
    const labels: Record<string, string> = {}
    let rest = index
    for (const [label, values] of dimensions.toReversed()) {
      labels[label] = values[rest % values.length]!
      rest = Math.floor(rest / values.length)
    }
    return { labels: Object.fromEntries(dimensions.map(([label]) => [label, labels[label]!])), value }
  })
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

function formatLabels(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, mark => escapes[mark]!)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
