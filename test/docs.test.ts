import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

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
