import { describe, expect, test } from 'vitest'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { addProcessMetrics } from '../../src/telemetry/process-metrics.ts'
import { isFailure, type ReasonCode, reasons } from '../../src/xmpp/reason.ts'

const linesOf = (metrics: Metrics): string[] => metrics.render().split('\n')
const sampleOf = (metrics: Metrics, name: string): string | undefined =>
  linesOf(metrics)
    .find(line => line.startsWith(`${name} `))
    ?.slice(name.length + 1)

describe('the metrics', () => {
  const directions = ['in', 'out'] as const
  const kinds = ['message', 'presence', 'iq'] as const
  const outcomes = ['relayed', 'bounced', 'dropped', 'refused'] as const
  const each = directions.flatMap(direction =>
    kinds.flatMap(kind => outcomes.map(outcome => [direction, kind, outcome] as const)),
  )

  test('count each direction, kind and outcome of stanzas by itself', () => {
    const metrics = new Metrics()
    for (const [at, labels] of each.entries()) metrics.stanza(...labels, at + 1)
    metrics.stanza('in', 'message', 'relayed')
    for (const [at, [direction, kind, outcome]] of each.entries()) {
      const name = `gatehouse_stanzas_total{direction="${direction}",kind="${kind}",outcome="${outcome}"}`
      expect(sampleOf(metrics, name)).toBe(String(at === 0 ? 2 : at + 1))
    }
  })

  test('count attempts to authenticate by method', () => {
    const metrics = new Metrics()
    metrics.authentication('in', 'sasl-external-tls', 'success')
    metrics.authentication('out', 'dialback-tcp', 'failure')
    metrics.authentication('out', 'dialback-tcp', 'failure')
    const counted = linesOf(metrics).filter(line => /^gatehouse_authentications_total.* [1-9]/.test(line))
    expect(counted).toEqual([
      'gatehouse_authentications_total{direction="in",method="sasl-external-tls",outcome="success"} 1',
      'gatehouse_authentications_total{direction="out",method="dialback-tcp",outcome="failure"} 2',
    ])
  })

  test('show each code of a failure from the start, so that the first is seen as a rise', () => {
    const metrics = new Metrics()
    const name = (direction: string, code: string) =>
      `gatehouse_stream_failures_total{direction="${direction}",code="${code}"}`
    const codes = (Object.keys(reasons) as ReasonCode[]).filter(isFailure)
    const counted = () =>
      ['in', 'out'].flatMap(direction => codes.map(code => sampleOf(metrics, name(direction, code))))
    expect(counted()).toEqual(counted().map(() => '0'))
    metrics.failure('out', 'dns-failed')
    expect(sampleOf(metrics, name('out', 'dns-failed'))).toBe('1')
    expect(counted().filter(count => count !== '0')).toEqual(['1'])
  })

  test('count no end in good order as a failure', () => {
    const metrics = new Metrics()
    const before = metrics.render()
    metrics.failure('in', 'idle')
    expect(metrics.render()).toBe(before)
  })

  test('ask for a gauge at every scrape', () => {
    const metrics = new Metrics()
    let streams = 1
    metrics.gauge('gatehouse_queue_stanzas', 'Waiting.', () => [{ value: streams++ }])
    expect(sampleOf(metrics, 'gatehouse_queue_stanzas')).toBe('1')
    expect(sampleOf(metrics, 'gatehouse_queue_stanzas')).toBe('2')
    expect(linesOf(metrics)).toContain('# TYPE gatehouse_queue_stanzas gauge')
  })

  test('escape what a label holds', () => {
    const metrics = new Metrics()
    metrics.gauge('g', 'G.', () => [{ labels: { domain: 'a"b\\c\nd' }, value: 1 }])
    expect(linesOf(metrics)).toContain('g{domain="a\\"b\\\\c\\nd"} 1')
  })

  test('put durations into cumulative buckets, bounds included', () => {
    const metrics = new Metrics()
    for (const seconds of [0.01, 0.02, 31]) metrics.observe('gatehouse_stream_establishment_seconds', seconds)
    const bucket = (bound: string): string | undefined =>
      sampleOf(metrics, `gatehouse_stream_establishment_seconds_bucket{le="${bound}"}`)
    expect([bucket('0.01'), bucket('0.025'), bucket('30'), bucket('+Inf')]).toEqual(['1', '2', '2', '3'])
    expect(sampleOf(metrics, 'gatehouse_stream_establishment_seconds_count')).toBe('3')
    expect(Number(sampleOf(metrics, 'gatehouse_stream_establishment_seconds_sum'))).toBeCloseTo(31.03)
  })

  test('are well-formed: every sample under one TYPE line of its name, no name twice', () => {
    const metrics = new Metrics()
    const stop = addProcessMetrics(metrics, process)
    const types = linesOf(metrics).filter(line => line.startsWith('# TYPE'))
    stop()
    const names = types.map(line => line.split(' ')[2])
    expect(new Set(names).size).toBe(names.length)
    for (const line of linesOf(metrics)) {
      expect(line).toMatch(
        /^$|^# (HELP|TYPE) [a-z0-9_]+ .+$|^[a-z0-9_]+(\{([a-z]+="[^"]*",?)+\})? -?[0-9.e+-]+$/,
      )
    }
  })
})

describe('the metrics of the process', () => {
  test('bear the names that Prometheus expects, and sound values', () => {
    const metrics = new Metrics()
    const stop = addProcessMetrics(metrics, process)
    expect(Number(sampleOf(metrics, 'process_cpu_seconds_total'))).toBeGreaterThan(0)
    expect(Number(sampleOf(metrics, 'process_resident_memory_bytes'))).toBeGreaterThan(1e7)
    const age = Date.now() / 1000 - Number(sampleOf(metrics, 'process_start_time_seconds'))
    expect(age).toBeGreaterThan(0)
    expect(age).toBeLessThan(86_400)
    expect(Number(sampleOf(metrics, 'nodejs_eventloop_lag_p99_seconds'))).toBeGreaterThanOrEqual(0)
    stop()
  })
})
