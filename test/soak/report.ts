import type { Account, Ledger, Way } from './ledger.ts'

/** The daemon at one moment. */
export type Sample = {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly descriptors: number
  readonly cpuSeconds: number
  readonly lagSeconds: number
  readonly droppedErrors: number
  /** Messages not yet accounted for. */
  readonly open: number
}

export type Facts = {
  readonly seconds: number
  /** Before the load; garbage is collected before it, as before the last. */
  readonly first: Sample
  /** A while after the load. */
  readonly rested: Sample
  readonly last: Sample
  readonly samples: readonly Sample[]
  readonly events: Readonly<Record<string, number>>
  readonly flood: { readonly connections: number; readonly bytes: number }
  readonly exitCode: number | null
  /** Lines of the daemon's log that tell of bugs. */
  readonly errors: readonly string[]
  /** What else was not as it should be. */
  readonly faults: readonly string[]
}

export type Report = { readonly lines: readonly string[]; readonly isGood: boolean }

/** How much more memory than at the start is held at the end, at the most. */
const mostGrowthBytes = 60 * 2 ** 20
const shown = 10

/** Puts the account into words, and judges it. */
export function report(ledger: Ledger, facts: Facts): Report {
  const { first, last, samples, flood } = facts
  const accounts = { in: ledger.account('in'), out: ledger.account('out') }
  const growth = last.rssBytes - first.rssBytes
  const faults = [
    ...(['in', 'out'] as const).flatMap(way => faultsOf(way, accounts[way])),
    ...(ledger.unknown.length > 0 ? [`${ledger.unknown.length} arrived that nobody had sent`] : []),
    ...(growth > mostGrowthBytes ? [`memory grew by ${megabytes(growth)}`] : []),
    ...(last.descriptors > first.descriptors + mostNewStreams ? ['descriptors are left'] : []),
    ...(facts.exitCode === 0 ? [] : [`the daemon exited with ${facts.exitCode}`]),
    ...(facts.errors.length > 0
      ? [`errors in the log: ${facts.errors.length}, the first: ${facts.errors[0]}`]
      : []),
    ...facts.faults,
  ]
  const column = (value: string | number) => String(value).padStart(10)
  const row = (what: string, of: (account: Account) => string | number) =>
    `${what.padEnd(34)}${column(of(accounts.in))}${column(of(accounts.out))}`
  const causes = [...new Set(Object.values(accounts).flatMap(account => Object.keys(account.causes)))]
  const peak = Math.max(...samples.map(({ rssBytes }) => rssBytes))
  const lags = samples.map(({ lagSeconds }) => lagSeconds).toSorted((one, other) => one - other)
  const total = accounts.in.sent + accounts.out.sent
  const lines = [
    `${'messages'.padEnd(34)}${column('in')}${column('out')}`,
    row('sent', account => account.sent),
    row('delivered', account => account.delivered),
    row('bounced', account => account.bounced),
    ...causes.map(cause => row(`  ${cause}`, account => account.causes[cause] ?? 0)),
    row('missing', account => account.missing.length),
    row('twice', account => account.duplicates.length),
    row('out of order', account => account.outOfOrder),
    '',
    ...Object.entries(facts.events).map(([event, times]) => `${event.padEnd(34)}${column(times)}`),
    `${'flood: connections'.padEnd(34)}${column(flood.connections)}`,
    `${'flood: bytes'.padEnd(34)}${column(flood.bytes)}`,
    '',
    `rate        ${Math.round(total / facts.seconds)} messages a second, ${last.cpuSeconds.toFixed(1)} s of CPU`,
    `memory      ${megabytes(first.rssBytes)} at the start, ${megabytes(peak)} at most, ${megabytes(facts.rested.rssBytes)} at rest, ${megabytes(last.rssBytes)} without garbage`,
    `heap        ${megabytes(first.heapBytes)} at the start, ${megabytes(last.heapBytes)} without garbage`,
    `descriptors ${first.descriptors} at the start, ${last.descriptors} at the end`,
    `event loop  p99 lag of a second: median ${milliseconds(lags.at(lags.length / 2))}, worst ${milliseconds(lags.at(-1))}`,
    `errors dropped for slow peers: ${last.droppedErrors}`,
    '',
    ...(faults.length === 0 ? ['everything is accounted for'] : faults.map(fault => `FAULT: ${fault}`)),
  ]
  return { lines, isGood: faults.length === 0 }
}

/** At the start the gateway has no streams to partners yet; then one to each, and one for verification at the most. */
const mostNewStreams = 40

function faultsOf(way: Way, { missing, duplicates, outOfOrder }: Account): string[] {
  const list = (ids: readonly string[]) => `${ids.slice(0, shown)}${ids.length > shown ? ' …' : ''}`
  return [
    ...(missing.length > 0 ? [`${missing.length} of ${way} are missing: ${list(missing)}`] : []),
    ...(duplicates.length > 0 ? [`${duplicates.length} of ${way} came twice: ${list(duplicates)}`] : []),
    ...(outOfOrder > 0 ? [`${outOfOrder} of ${way} were out of order`] : []),
  ]
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`
}

function milliseconds(seconds = 0): string {
  return `${Math.round(seconds * 1_000)} ms`
}
