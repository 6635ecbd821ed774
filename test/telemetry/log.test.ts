import { describe, expect, test } from 'vitest'
import { createLog, type LogLevel, type LogOptions } from '../../src/telemetry/log.ts'

function openLog(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLog({ level: 'info', ...options, destination })
  return { log, lines, parsed: () => lines.map(line => JSON.parse(line)) }
}

describe('the log', () => {
  test('writes one JSON object a line', () => {
    const { log, lines, parsed } = openLog()
    log.info('first\nline', { domain: 'contoso.com' })
    log.event({ event: 'ready' })
    expect(lines.map(line => line.split('\n').length)).toEqual([2, 2]) // each ends its one line
    expect(parsed()).toEqual([
      { level: 'info', time: expect.any(String), domain: 'contoso.com', msg: 'first\nline' },
      { level: 'info', time: expect.any(String), event: 'ready', msg: 'ready' },
    ])
    expect(Date.parse(parsed()[0].time)).not.toBeNaN()
  })

  test('tells every field of an event, null where there is nothing', () => {
    const { log, parsed } = openLog()
    const event = {
      event: 'stream.authenticated',
      direction: 'in',
      local: 'contoso.com',
      remote: 'fabrikam.com',
      method: 'dialback-tcp',
      tls: null,
      certificate: 'none',
      id: 's1',
    } as const
    log.event(event)
    expect(parsed()).toEqual([expect.objectContaining({ ...event, level: 'info' })])
  })

  test('warns of what was refused, lost or failed', () => {
    const { log, parsed } = openLog()
    log.event({
      event: 'stanza.refused',
      local: 'contoso.com',
      remote: 'fabrikam.com',
      rule: 'not-a-partner',
    })
    log.event({ event: 'internal.disconnected', domain: 'fabrikam.com', reason: 'closed' })
    log.event({ event: 'reload.failed', problems: ['a'] })
    expect(parsed().map(({ level }) => level)).toEqual(['warn', 'warn', 'warn'])
  })

  test.each<[LogLevel, number]>([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ])('of level %s writes %i of four lines', (level, count) => {
    const { log, lines } = openLog({ level })
    log.debug('one')
    log.info('two')
    log.warn('three')
    log.error('four')
    expect(lines).toHaveLength(count)
  })

  test('hides what is named like a secret, however it is nested', () => {
    const { log, lines } = openLog()
    log.info('configured', {
      secret: 'sesame',
      internal: { host: 'shown', secret: 'sesame', tls: { keyPem: 'sesame' } },
      componentSecret: 'sesame',
    })
    expect(lines.join()).not.toContain('sesame')
    expect(lines.join()).toContain('shown')
  })

  test('hides message bodies unless asked for them', () => {
    const hidden = openLog()
    hidden.log.info('stanza', { body: 'good morning' })
    expect(hidden.lines.join()).not.toContain('good morning')
    const shown = openLog({ messageBodies: true })
    shown.log.info('stanza', { body: 'good morning', secret: 'sesame' })
    expect(shown.lines.join()).toContain('good morning')
    expect(shown.lines.join()).not.toContain('sesame')
  })

  test('tells an exception with its message and its way', () => {
    const { log, parsed } = openLog()
    log.error('failed', { err: new Error('broken') })
    expect(parsed()[0].err).toMatchObject({
      message: 'broken',
      stack: expect.stringContaining('log.test.ts'),
    })
  })
})
