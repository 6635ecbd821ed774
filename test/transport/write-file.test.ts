import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeWhole } from '../../src/transport/write-file.ts'

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-write-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('a file written whole', () => {
  test.each([true, false])(
    'has its text and its mode, and nothing beside it (overwrite %s)',
    async overwrite => {
      const folder = emptyFolder()
      const file = join(folder, 'a.key')
      await writeWhole(file, 'text', { mode: 0o600, overwrite })
      expect(readFileSync(file, 'utf8')).toBe('text')
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(readdirSync(folder)).toEqual(['a.key'])
    },
  )

  test.skipIf(process.getuid?.() !== 0)('belongs to whom its folder does (it needs root)', async () => {
    const folder = emptyFolder()
    chownSync(folder, 4711, 4712)
    await writeWhole(join(folder, 'a.key'), 'text', { mode: 0o600, overwrite: false })
    expect(statSync(join(folder, 'a.key'))).toMatchObject({ uid: 4711, gid: 4712 })
  })

  test('takes the place of another only where it may', async () => {
    const folder = emptyFolder()
    const file = join(folder, 'a.key')
    writeFileSync(file, 'old')
    await expect(writeWhole(file, 'new', { mode: 0o600, overwrite: false })).rejects.toMatchObject({
      code: 'EEXIST',
    })
    expect(readFileSync(file, 'utf8')).toBe('old')
    await writeWhole(file, 'new', { mode: 0o600, overwrite: true })
    expect(readFileSync(file, 'utf8')).toBe('new')
    expect(readdirSync(folder)).toEqual(['a.key'])
  })

  test('leaves nothing behind where it cannot be put in its place', async () => {
    const folder = emptyFolder()
    mkdirSync(join(folder, 'a.key', 'full'), { recursive: true })
    await expect(
      writeWhole(join(folder, 'a.key'), 'text', { mode: 0o600, overwrite: true }),
    ).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(['a.key'])
  })
})
