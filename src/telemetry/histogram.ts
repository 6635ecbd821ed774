/** How many observations fell under each bound. */
export type Histogram = {
  readonly bounds: readonly number[]
  /** Observations by the first bound they do not exceed; the last is for those above all. */
  readonly counts: Float64Array
  sum: number
}

/** Makes an empty histogram. */
export function createHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 }
}

/** Counts one observation. */
export function observe(histogram: Histogram, value: number): void {
  let at = 0
  while (at < histogram.bounds.length && value > histogram.bounds[at]!) at += 1
  histogram.counts[at]! += 1
  histogram.sum += value
}

/** The lines of a histogram in the text format of Prometheus; its buckets are cumulative. */
export function renderHistogram(name: string, help: string, { bounds, counts, sum }: Histogram): string[] {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
  let total = 0
  for (const [at, count] of counts.entries()) {
    total += count
    lines.push(`${name}_bucket{le="${bounds[at] ?? '+Inf'}"} ${total}`)
  }
  return [...lines, `${name}_sum ${sum}`, `${name}_count ${total}`]
}
