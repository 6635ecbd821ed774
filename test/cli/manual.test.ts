import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { programTree } from '../../src/cli/arguments.ts'
import { everyCommand } from '../../src/cli/command-tree.ts'
import { manualPages } from '../../src/cli/manual.ts'
import { bold, roff } from '../../src/cli/roff.ts'
import { configSchema } from '../../src/config/schema.ts'

const pageAt = (name: string) => new URL(`../../man/${name}`, import.meta.url).pathname
const run = promisify(execFile)
const checkers = { groff: ['-man', '-ww', '-z', '-Tutf8'], mandoc: ['-Tlint', '-W', 'error'] }

describe.each([...manualPages()])('man/%s', (name, text) => {
  test('is that of the source; `node src/cli/manual.ts` renews it', () => {
    expect(readFileSync(pageAt(name), 'utf8')).toBe(text)
  })

  test('is shipped', () => {
    expect(manifest.man).toContain(`man/${name}`)
  })

  for (const [program, args] of Object.entries(checkers)) {
    const isHere = isThere(program)
    test.skipIf(!isHere)(
      `is a page that ${program} likes${isHere ? '' : ` (not run: no ${program} here)`}`,
      async () => {
        expect(await run(program, [...args, pageAt(name)])).toEqual({ stdout: '', stderr: '' })
      },
    )
  }
})

test('gatehouse(1) has every command and every option', () => {
  const page = manualPages().get('gatehouse.1')
  for (const { path, options, commands } of everyCommand(programTree())) {
    if (commands.length === 0) expect(page).toContain(`\n.SS ${roff(path.join(' '))}`)
    for (const { flags } of options) expect(page).toContain(`\n.TP\n${flags.map(bold).join(', ')}`)
  }
})

test('gatehouse.yaml(5) has every section, and what is in it', () => {
  const page = manualPages().get('gatehouse.yaml.5')
  for (const [section, schema] of Object.entries(configSchema.shape)) {
    expect(page).toContain(`\n.TP\n\\fB${section}`)
    const keys = 'unwrap' in schema ? Object.keys(Object(schema.unwrap()).shape ?? {}) : []
    for (const key of keys) expect(page).toContain(`\n.TP\n\\fB${section}.${key}\\fR`)
  }
})

test('no text becomes a request', () => {
  expect(roff(".so /etc/passwd\n'br\n\\fB-x…")).toBe("\\&.so /etc/passwd\n\\&'br\n\\efB\\-x\\[u2026]")
})

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
