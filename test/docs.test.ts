import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../src/config/schema.ts'

const text = readFileSync(new URL('../docs/security.md', import.meta.url), 'utf8')

test('docs/security.md names tests that there are, one at least for each promise', () => {
  const promises = text.split('## Not promised')[0]!.match(/^\| (?!what|promise|case|---).*\|$/gm) ?? []
  expect(promises.length).toBeGreaterThan(40)
  for (const promise of promises) {
    const named = Array.from(promise.matchAll(/`([a-z]+\/[a-z-]+\.test\.ts)`/g), ([, name = '']) => name)
    expect(named, promise).not.toEqual([])
    for (const name of named) expect(existsSync(new URL(name, import.meta.url)), name).toBe(true)
  }
})

test('docs/install.md shows settings that there are', () => {
  const guide = readFileSync(new URL('../docs/install.md', import.meta.url), 'utf8')
  const blocks = Array.from(guide.matchAll(/```yaml\n([\s\S]*?)```/g), ([, block = '']) => parse(block))
  const ours = blocks.filter(block => !('tcp' in block)) // that one is Traefik's
  expect(ours.length).toBeGreaterThan(1)
  const least = { domains: {}, internal: { connector: 'embedded' } }
  for (const block of ours) expect(configSchema.safeParse({ ...least, ...block }).error).toBeUndefined()
})
