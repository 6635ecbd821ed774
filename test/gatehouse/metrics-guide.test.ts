import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { countLostLines, openLogOutput } from '../../src/telemetry/log-output.ts'
import { addProcessMetrics } from '../../src/telemetry/process-metrics.ts'
import { startGateway } from '../support/running-gateway.ts'

type Row = {
  readonly name: string
  readonly type: string
  readonly unit: string
  readonly labels: readonly string[]
  readonly meaning: string
}

const text = readFileSync(new URL('../../docs/monitoring.md', import.meta.url), 'utf8')

/** The rows of the table of metrics in docs/monitoring.md. */
function guide(): Row[] {
  const rows = sectionOf('## Metrics').match(/^\| `.*\|$/gm) ?? []
  return rows.map(row => {
    const [, name = '', type = '', unit = '', labels = '', meaning = ''] = row
      .split('|')
      .map(cell => cell.trim())
    return {
      name: name.replaceAll('`', ''),
      type,
      unit,
      labels: Array.from(labels.matchAll(/`(\w+)`/g), ([, label = '']) => label),
      meaning,
    }
  })
}

/** What stands between a heading and the next. */
function sectionOf(heading: string): string {
  return text.split(`\n${heading}\n`)[1]?.split(/^##/m)[0] ?? ''
}

/** What /metrics tells: the words of `# HELP` and `# TYPE`, and the labels that samples bear. */
function scraped(metrics: string): Omit<Row, 'unit'>[] {
  const types = new Map(
    Array.from(metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, type]) => [name, type]),
  )
  return Array.from(metrics.matchAll(/^# HELP (\S+) (.+)\.$/gm), ([, name = '', meaning = '']) => {
    const sample = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? \\S+$`, 'm').exec(metrics)
    expect(sample, `${name} has no sample`).not.toBeNull()
    const labels = Array.from(sample?.[1]?.matchAll(/(\w+)="/g) ?? [], ([, label = '']) => label)
    return { name, type: types.get(name) ?? '', labels: labels.filter(label => label !== 'le'), meaning }
  })
}

/** What a metric's name, and what is said of it, promise of its unit. */
function unitPromised({ name, meaning }: Pick<Row, 'name' | 'meaning'>): string | undefined {
  if (meaning.includes('since the epoch')) return 'seconds since the epoch'
  return /_(seconds|bytes)(?:_total)?$/.exec(name)?.[1]
}

test('docs/monitoring.md has each metric, with its type, unit, labels and meaning', async () => {
  const gateway = await startGateway()
  const stop = addProcessMetrics(gateway.metrics, process)
  countLostLines(
    gateway.metrics,
    openLogOutput(new PassThrough(), () => 0),
  )
  const peer = await gateway.connect()
  await peer.authenticates() // so that each metric has a value
  const told = scraped(gateway.metrics.render())
  stop()
  const rows = guide()
  expect(rows.map(({ unit: _, ...row }) => row)).toEqual(told)
  for (const row of rows) {
    const promised = unitPromised(row)
    if (promised === undefined) expect(row.unit, row.name).not.toMatch(/^$|second|byte/)
    else expect(row.unit, row.name).toBe(promised)
  }
})

test('docs/monitoring.md explains each reason that a scrape shows from the start', async () => {
  const { metrics } = await startGateway()
  const reasons = metrics.render().matchAll(/^gatehouse_partner_bounces_total\{.*reason="(.+)"\} 0$/gm)
  const explained = sectionOf('### Partners').matchAll(/^\| `([a-z-]+)` \|/gm)
  const shown = Array.from(reasons, ([, reason]) => reason)
  expect(shown.toSorted()).toEqual(Array.from(explained, ([, reason]) => reason).toSorted())
  expect(shown.length).toBeGreaterThan(0)
})
