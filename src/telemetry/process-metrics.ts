import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

/** What is read of the process; `process` itself fits. */
export type ProcessFigures = {
  readonly cpuUsage: () => { readonly user: number; readonly system: number }
  readonly memoryUsage: () => { readonly rss: number; readonly heapUsed: number }
  readonly uptime: () => number
}

const sampleMs = 20 // between two looks at the event loop; what Node measures includes it

/**
 * Adds the metrics of the process, by the names that Prometheus client libraries use.
 * @returns the function that ends the measuring of the event loop
 */
export function addProcessMetrics(metrics: Metrics, figures: ProcessFigures): () => void {
  const startedAt = Date.now() / 1000 - figures.uptime()
  const delay = monitorEventLoopDelay({ resolution: sampleMs })
  delay.enable()
  metrics.counter('process_cpu_seconds_total', 'User and system CPU time spent.', () => {
    const { user, system } = figures.cpuUsage()
    return [{ value: (user + system) / 1e6 }]
  })
  metrics.gauge('process_start_time_seconds', 'Start of the process, since the epoch.', () => [
    { value: startedAt },
  ])
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => [
    { value: figures.memoryUsage().rss },
  ])
  metrics.gauge('process_open_fds', 'Open file descriptors.', () => {
    const open = openDescriptors()
    return open === undefined ? [] : [{ value: open }]
  })
  metrics.gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => [
    { value: figures.memoryUsage().heapUsed },
  ])
  metrics.gauge(
    'nodejs_eventloop_lag_p99_seconds',
    'Event loop lag, 99th percentile since the last scrape.',
    () => {
      const value = Math.max(0, delay.percentile(99) / 1e9 - sampleMs / 1000)
      delay.reset()
      return [{ value }]
    },
  )
  return () => {
    delay.disable()
  }
}

/** Only Linux tells; elsewhere the metric has no value. */
function openDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
