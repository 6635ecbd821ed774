import { expect, test } from 'vitest'
import { Refusals } from '../../src/routing/refusals.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { memoryLog } from '../support/log.ts'

test('a burst of refusals is told of ten times a minute for each partner and rule, and counted whole', () => {
  let now = 0
  const log = memoryLog()
  const metrics = new Metrics()
  const refusals = new Refusals({ metrics, log }, () => now)
  const refuse = (remote: string, rule: string, times: number) => {
    for (let i = 0; i < times; i++) refusals.add('in', 'message', rule, { local: 'contoso.com', remote })
  }
  refuse('fabrikam.com', 'stranger-message', 1000)
  expect(log.events).toHaveLength(10)
  refuse('fabrikam.com', 'stranger-request', 1)
  refuse('adatum.com', 'stranger-message', 1)
  expect(log.events.slice(10)).toEqual([
    { event: 'stanza.refused', local: 'contoso.com', remote: 'fabrikam.com', rule: 'stranger-request' },
    { event: 'stanza.refused', local: 'contoso.com', remote: 'adatum.com', rule: 'stranger-message' },
  ])
  now += 60_000
  refuse('fabrikam.com', 'stranger-message', 2)
  expect(log.events.slice(12)).toEqual([
    expect.objectContaining({ remote: 'fabrikam.com', rule: 'stranger-message', untold: 990 }),
    { event: 'stanza.refused', local: 'contoso.com', remote: 'fabrikam.com', rule: 'stranger-message' },
  ])
  const text = metrics.render()
  expect(text).toContain('\ngatehouse_refusals_total{rule="stranger-message"} 1003\n')
  expect(text).toContain('\ngatehouse_stanzas_total{direction="in",kind="message",outcome="refused"} 1004\n')
})
