import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeFile, makeFolder, writeFault } from '../../src/files/own-files.ts'

const isRoot = process.getuid?.() === 0
/** Where the system makes no folder, whoever asks, and says ENOENT below one that is there. */
const nowhere = '/proc/gatehouse/data'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('a folder', () => {
  test('is made with all above it, for its owner alone', () => {
    const folder = newFolder()
    makeFolder(join(folder, 'a/b'))
    makeFolder(join(folder, 'a/b'))
    for (const name of ['a', 'a/b']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700)
  })

  test('that cannot be made is told, and not tried for ever', () => {
    expect(() => makeFolder(nowhere)).toThrow(/^ENOENT: .*'\/proc\/gatehouse'$/)
    const folder = newFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(() => makeFolder(join(folder, 'file/a'))).toThrow('ENOTDIR')
    symlinkSync(join(folder, 'gone'), join(folder, 'link'))
    expect(() => makeFolder(join(folder, 'link/a'))).toThrow('ENOENT')
  })

  test.skipIf(!isRoot)('belongs to whom the one around it does, and what is made in it, too', () => {
    const folder = newFolder()
    chownSync(folder, 4711, 4712)
    makeFolder(join(folder, 'a/b'))
    makeFile(join(folder, 'a/b/file'))
    for (const name of ['a', 'a/b', 'a/b/file'])
      expect(statSync(join(folder, name))).toMatchObject({ uid: 4711, gid: 4712 })
  })
})

test.skipIf(!isRoot)('a file that is there keeps its owner', () => {
  const folder = newFolder()
  chownSync(folder, 4711, 4712)
  writeFileSync(join(folder, 'file'), '')
  makeFile(join(folder, 'file'))
  expect(statSync(join(folder, 'file')).uid).toBe(0)
})

describe('what keeps a file from being written', () => {
  test('is nothing where it can be, and nothing stays behind', () => {
    const folder = newFolder()
    for (const name of ['file', 'a/b/file']) expect(writeFault(join(folder, name))).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is a folder that cannot be made, or is none', () => {
    expect(writeFault(`${nowhere}/file`)).toEqual({ at: '/proc/gatehouse', code: 'ENOENT' })
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    expect(writeFault(join(file, 'a'))).toEqual({ at: file, code: 'ENOTDIR' })
  })

  test('is that this user may not', () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'closed'))
    writeFileSync(join(folder, 'file'), '')
    for (const [name, mode] of Object.entries({ '': 0o755, closed: 0o555, file: 0o444 }))
      chmodSync(join(folder, name), mode)
    if (isRoot) {
      // access(2) judges by the real user, mkdir(2) by the effective one.
      process.setegid?.(65_534)
      process.seteuid?.(65_534)
      onTestFinished(() => {
        process.seteuid?.(0)
        process.setegid?.(0)
      })
    }
    const at = (name: string) => join(folder, name)
    expect(writeFault(at('closed/a/file'))).toEqual({ at: at('closed/a'), code: 'EACCES' })
    if (!isRoot) expect(writeFault(at('file'))).toEqual({ at: at('file'), code: 'EACCES' })
  })
})
