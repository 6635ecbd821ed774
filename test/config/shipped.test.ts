import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { jsonSchemas } from '../../src/config/json-schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { configFolder } from '../support/config-folder.ts'

const shipped = new URL('../../config/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, shipped), 'utf8')

describe('the shipped JSON Schema', () => {
  test.each([...jsonSchemas()])(
    '%s is the one of the source; `node src/config/json-schema.ts` renews it',
    (name, text) => {
      expect(read(name)).toBe(text)
    },
  )

  test('describes every key of the sections that operators set', () => {
    const { properties } = JSON.parse(read('gatehouse.schema.json'))
    for (const section of ['dialback', 'dns', 'trust', 'store', 'admin', 'limits', 'timeouts', 'log']) {
      for (const key of Object.values<{ description?: string; type?: string }>(
        properties[section].properties,
      )) {
        expect(key).toHaveProperty(key.type === 'integer' ? 'type' : 'description')
      }
    }
  })
})

describe('the shipped configuration', () => {
  test('comes up as it is', () => {
    const config = loadConfig(new URL('gatehouse.yaml', shipped).pathname, {})
    expect(config.warnings.map(({ key }) => key)).toEqual(['domains.localhost.example.selfSigned'])
    expect(config.internal).toEqual({ connector: 'embedded' })
    expect(config.partners.all).toEqual([])
    expect(config.listen.map(({ port, directTls }) => [port, directTls])).toEqual([
      [5269, false],
      [5270, true],
    ])
  })

  test('shows the true defaults in its comments', () => {
    const shown = uncommented(read('gatehouse.yaml'), /^# (?=[a-z]+:$| {2})/, /no default|none by default/)
    const least = { domains: {}, internal: { connector: 'embedded' } }
    const defaults = configSchema.parse(least)
    const sections = ['dialback', 'dns', 'trust', 'store', 'admin', 'limits', 'timeouts', 'log'] as const
    for (const section of sections) expect(shown).toHaveProperty(section)
    expect(configSchema.parse({ ...least, ...shown })).toEqual(defaults)
    for (const section of ['limits', 'timeouts', 'log', 'admin'] as const) {
      expect(Object.keys(shown[section] ?? {})).toEqual(Object.keys(defaults[section]))
    }
  })

  test('has an example partner that is right', () => {
    const entry = read('partners.yaml')
      .split('\n')
      .filter(
        line => /^# {2}(?:- | {2})[a-zA-Z]+:/.test(line) && !/Anchors|pinned|componentSecret/.test(line),
      )
      .map(line => line.slice(1))
    expect(entry.length).toBeGreaterThan(7)
    const folder = configFolder({ 'config/partners.yaml': `partners:\n${entry.join('\n')}\n` })
    expect(folder.load().partners.all).toMatchObject([{ primaryDomain: 'fabrikam.com', connectionLimit: 10 }])
  })
})

/** What the commented-out lines say, those apart that show no default. */
function uncommented(text: string, mark: RegExp, except: RegExp): Record<string, object> {
  const lines = text.split('\n').filter(line => mark.test(line) && !except.test(line))
  return parse(lines.map(line => line.slice(2)).join('\n'))
}
