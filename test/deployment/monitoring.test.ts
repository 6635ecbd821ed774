import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configFolder, leastConfig } from '../support/config-folder.ts'
import { freePorts, ServerProcess } from '../support/server-process.ts'
import { describeWith } from './tools.ts'

const folder = new URL('../../config/monitoring/', import.meta.url).pathname
const rulesFile = `${folder}gatehouse.rules.yaml`
const rules: { alert: string; expr: string }[] = parse(readFileSync(rulesFile, 'utf8')).groups.flatMap(
  (group: { rules: object[] }) => group.rules,
)
const dashboard = JSON.parse(readFileSync(`${folder}gatehouse.dashboard.json`, 'utf8'))
type Target = { readonly expr: string; readonly instant?: boolean; readonly range?: boolean }
const panels: (Target & { title: string; type: string })[] = dashboard.panels.flatMap(
  ({ title, type, targets = [] }: { title: string; type: string; targets?: Target[] }) =>
    targets.map(target => ({ title, type, ...target })),
)
/** What a panel asks when nothing is chosen. */
const asAsked = (expr: string) =>
  expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$job', 'gatehouse')
    .replaceAll('$instance', '.*')
    .replaceAll('$partner', '.*')

const promtool = (input: string, ...argv: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', argv, { input, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

/** What a daemon answers to /metrics. */
async function scrape(): Promise<string> {
  const [port] = await freePorts(1)
  const settings = `listen: [{ address: 127.0.0.1, port: 0 }]\nadmin: { port: ${port} }\ntrust: { system: false }\n`
  const { file } = configFolder({
    'config/gatehouse.yaml': leastConfig + settings,
    'config/partners.yaml': 'partners: [{ primaryDomain: fabrikam.com, partnerType: federated }]\n',
  })
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const argv = [main, 'run', '--config', file]
  const daemon = new ServerProcess('gatehouse', process.execPath, argv, { cwd: dirname(file) })
  try {
    await daemon.first('ready', line => line.includes('"event":"ready"') || undefined, 20_000)
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  } finally {
    await daemon.stop(15_000)
  }
}

describe('dashboard and alert rules', () => {
  test('ask for metrics that there are', async () => {
    const types = Array.from((await scrape()).matchAll(/^# TYPE (\S+) (\S+)$/gm))
    const names = new Set([
      'up',
      ...types.flatMap(([, name = '', type]) => (type === 'histogram' ? [`${name}_bucket`] : [name])),
    ])
    const asked = [...panels, ...rules].flatMap(
      ({ expr }) => expr.match(/\b(?:gatehouse|process|nodejs)_[a-z0-9_]+|\bup\b/g) ?? [],
    )
    expect(asked.length).toBeGreaterThan(30)
    expect(asked.filter(name => !names.has(name))).toEqual([])
  })

  test('of the dashboard stand beside each other, under ids of their own', () => {
    const ids = dashboard.panels.map(({ id }: { id: number }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const cells = dashboard.panels.flatMap(
      ({ gridPos: { x, y, w, h } }: { gridPos: Record<'x' | 'y' | 'w' | 'h', number> }) =>
        Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })

  test('that show one value show that of now, not the last there was', () => {
    const single = panels.filter(({ type }) => type === 'stat')
    expect(single.length).toBeGreaterThan(3)
    for (const { title, instant, range } of single)
      expect([title, instant, range]).toEqual([title, true, false])
  })

  test('are all in docs/monitoring.md, as far as they wake somebody', () => {
    const guide = readFileSync(new URL('../../docs/monitoring.md', import.meta.url), 'utf8')
    expect(rules.map(({ alert }) => alert).filter(alert => !guide.includes(`\`${alert}\``))).toEqual([])
  })
})

describeWith(['promtool'], 'promtool', () => {
  test('finds no fault with the metrics', async () => {
    expect(promtool(await scrape(), 'check', 'metrics')).toEqual({ status: 0, said: '' })
  })

  test('finds no fault with the alert rules', () => {
    const { status, said } = promtool('', 'check', 'rules', rulesFile)
    expect(status, said).toBe(0)
  })

  test('sees each alert fire on what it is for', () => {
    const cases = new URL('rules.test.yaml', import.meta.url).pathname
    const { status, said } = promtool('', 'test', 'rules', cases)
    expect(status, said).toBe(0)
    const text = readFileSync(cases, 'utf8')
    for (const { alert } of rules) expect(text).toContain(`alertname="${alert}"`)
  })

  test('shows a daemon that is down as not ready', () => {
    const expr = asAsked(panels.find(({ title }) => title === 'Ready')?.expr ?? '')
    const ready = 'gatehouse_ready{job="gatehouse", instance="a"}'
    const up = '{job="gatehouse", instance="a"}'
    const cases = {
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: [
            { series: `up${up}`, values: '1x3 0x10' },
            { series: ready, values: '1 0 1 1 stale' },
          ],
          promql_expr_test: [
            { expr, eval_time: '0m', exp_samples: [{ labels: ready, value: 1 }] },
            { expr, eval_time: '1m', exp_samples: [{ labels: ready, value: 0 }] },
            { expr, eval_time: '5m', exp_samples: [{ labels: up, value: 0 }] },
          ],
        },
      ],
    }
    const { file } = configFolder({ 'config/gatehouse.yaml': JSON.stringify(cases) })
    const { status, said } = promtool('', 'test', 'rules', file)
    expect(status, said).toBe(0)
  })

  test('understands what the panels ask', () => {
    const asked = panels.map(({ expr }, at) => ({
      record: `panel_${at}`,
      expr: asAsked(expr),
    }))
    const groups = [{ name: 'panels', rules: asked }]
    const { file } = configFolder({ 'config/gatehouse.yaml': JSON.stringify({ groups }) })
    expect(promtool('', 'check', 'rules', file)).toMatchObject({
      status: 0,
      said: expect.stringContaining(`${panels.length} rules found`),
    })
  })
})
