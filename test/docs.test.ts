import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { programTree } from '../src/cli/arguments.ts'
import { everyCommand } from '../src/cli/command-tree.ts'
import { configSchema } from '../src/config/schema.ts'

const root = new URL('..', import.meta.url).pathname
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

test.each([
  ['install.md', 2],
  ['first-partner.md', 1],
])('docs/%s shows settings that there are', (name, least) => {
  const guide = readFileSync(join(root, 'docs', name), 'utf8')
  const blocks = Array.from(guide.matchAll(/```yaml\n([\s\S]*?)```/g), ([, block = '']) => parse(block))
  const ours = blocks.filter(block => !('tcp' in block)) // that one is Traefik's
  expect(ours.length).toBeGreaterThanOrEqual(least)
  const needed = { domains: {}, internal: { connector: 'embedded' } }
  for (const block of ours) expect(configSchema.safeParse({ ...needed, ...block }).error).toBeUndefined()
})

const pages = ['README.md', ...globSync('docs/*.md', { cwd: root })].map(name => ({
  name,
  text: readFileSync(join(root, name), 'utf8'),
}))

test.each(pages)('$name leads to pages and headings that there are', ({ name, text }) => {
  for (const [link, file = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
    const target = file === '' ? join(root, name) : join(root, dirname(name), file)
    expect(existsSync(target), link).toBe(true)
    if (anchor === undefined) continue
    const headings = readFileSync(target, 'utf8').match(/^#+ .*$/gm) ?? []
    expect(headings.map(anchorOf), link).toContain(anchor)
  }
})

const shown = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/(?:npm run -s gatehouse --|(?<=^ {4,}|`)gatehouse) ([a-z][^`|\n]*)/gm)].map(
    ([, line = '']) => [name, line] as const,
  ),
)

test('the pages show commands', () => {
  expect(shown.length).toBeGreaterThan(60)
})

test.each(shown)('%s shows a command that there is: %s', (_name, line) => {
  const commands = everyCommand(programTree())
  const words = line.split(/\s+/)
  const command = commands.findLast(({ path }) => path.every((name, at) => words[at] === name))
  const { path = [], options = [], commands: below = [] } = command ?? {}
  expect(path.length).toBeGreaterThan(0)
  if (below.length > 0) {
    // A group may be spoken of as such; `admin token` alone is `admin token add`.
    expect(words[path.length] ?? '--').toMatch(/^--|^…/)
    return
  }
  const known = [...options, ...(commands[0]?.options ?? [])].flatMap(({ flags }) => flags)
  expect(known).toEqual(expect.arrayContaining(line.match(/(?<= )--?[a-z][a-z-]*/g) ?? []))
})

/** A heading as GitHub names it in links. */
function anchorOf(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
