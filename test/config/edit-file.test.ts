import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { editFile, FileEditError } from '../../src/config/edit-file.ts'

/** A file in a folder of the test's own. */
function newFile(text: string | Buffer = 'old\n', mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-edit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'partners.yaml')
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

const textOf = (file: string): string => readFileSync(file, 'utf8')
const beside = (file: string): string[] => readdirSync(join(file, '..'))

describe('editing a file', () => {
  test.each([0o600, 0o640, 0o644, 0o666])(
    'puts the new text in its place, and keeps the mode %o',
    async mode => {
      const file = newFile('old\n', mode)
      const { ino } = statSync(file)
      await editFile(file, text => `${text}new\n`)
      expect(textOf(file)).toBe('old\nnew\n')
      expect(statSync(file).mode & 0o777).toBe(mode)
      expect(statSync(file).ino).not.toBe(ino)
      expect(beside(file)).toEqual(['partners.yaml'])
    },
  )

  test.skipIf(process.getuid?.() !== 0)('keeps the owner, where that is permitted', async () => {
    const file = newFile()
    chownSync(file, 4711, 4712)
    await editFile(file, () => 'new\n')
    expect(statSync(file)).toMatchObject({ uid: 4711, gid: 4712 })
  })

  test.each([
    ['where there is nothing to change', () => undefined],
    ['where the text stays the same', (text: string) => text],
  ])('writes nothing %s', async (_name, edit) => {
    const file = newFile()
    const { ino, mtimeMs } = statSync(file)
    await editFile(file, edit)
    expect(statSync(file)).toMatchObject({ ino, mtimeMs })
    expect(beside(file)).toEqual(['partners.yaml'])
  })

  test('changes the file that a symbolic link leads to, and leaves the link', async () => {
    const file = newFile('old\n', 0o640)
    mkdirSync(join(file, '../links'))
    const link = join(file, '../links/list.yaml')
    symlinkSync('../partners.yaml', link)
    await editFile(link, () => 'new\n')
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(textOf(file)).toBe('new\n')
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('refuses a file that was changed since it was read', async () => {
    const file = newFile()
    const edited = editFile(file, text => {
      writeFileSync(file, 'by hand\n')
      return `${text}new\n`
    })
    await expect(edited).rejects.toThrow(/was changed meanwhile by somebody else; nothing is written/)
    expect(textOf(file)).toBe('by hand\n')
    expect(beside(file)).toEqual(['partners.yaml'])
  })

  test('leaves everything as it was where the edit itself fails', async () => {
    const file = newFile()
    const edited = editFile(file, () => {
      throw new RangeError('no')
    })
    await expect(edited).rejects.toThrow(RangeError)
    expect(textOf(file)).toBe('old\n')
    expect(beside(file)).toEqual(['partners.yaml'])
  })

  test.each<[string, (file: string) => void, RegExp]>([
    ['that is not there', file => rmSync(file), /^cannot read .*partners\.yaml: no such file$/],
    [
      'that is not UTF-8',
      file => writeFileSync(file, Buffer.from('# M\xfcnchen\n', 'latin1')),
      /is not UTF-8/,
    ],
    ['that is a folder', file => rmSync(file) ?? mkdirSync(file), /is not a regular file/],
    ['that is too large', file => writeFileSync(file, Buffer.alloc(4_194_305, 0x20)), /is larger than/],
  ])('refuses a file %s', async (_name, prepare, message) => {
    const file = newFile()
    prepare(file)
    const edited = editFile(file, text => `${text}x`)
    await expect(edited).rejects.toThrow(FileEditError)
    await expect(edited).rejects.toThrow(message)
    expect(beside(file).filter(name => name.endsWith('.lock'))).toEqual([])
  })

  test('waits for whoever edits it already, and gives up in the end with what to do', async () => {
    const file = newFile()
    writeFileSync(`${file}.lock`, '')
    await expect(editFile(file, () => 'new\n', 60)).rejects.toThrow(
      /another command is changing the file\. If none is/,
    )
    expect(textOf(file)).toBe('old\n')
    expect(existsSync(`${file}.lock`)).toBe(true)
    const waiting = editFile(file, () => 'new\n')
    rmSync(`${file}.lock`)
    await waiting
    expect(textOf(file)).toBe('new\n')
  })

  test.each<[string, (gone: number) => string, boolean]>([
    ['takes over from a process that is gone', gone => `${gone}.ab.cd@${hostname()}`, true],
    ['takes over from one of its own number, before', () => `${process.pid}.ab.cd@${hostname()}`, true],
    ['waits for a process that is there', () => `${process.ppid}.ab.cd@${hostname()}`, false],
    ['waits for a process of another machine', gone => `${gone}.ab.cd@another-${hostname()}`, false],
  ])('%s', async (_name, holder, isTaken) => {
    const file = newFile()
    const gone = spawnSync(process.execPath, ['--version']).pid
    symlinkSync(holder(gone), `${file}.lock`)
    const edited = editFile(file, () => 'new\n', 40)
    if (isTaken) await edited
    else await expect(edited).rejects.toThrow(/another command is changing the file/)
    expect(textOf(file)).toBe(isTaken ? 'new\n' : 'old\n')
  })

  test('loses no edit of many at once', async () => {
    const file = newFile('')
    const numbers = Array.from({ length: 40 }, (_, at) => `${at}`)
    await Promise.all(numbers.map(number => editFile(file, text => `${text}${number}\n`, 60_000)))
    expect(textOf(file).trimEnd().split('\n').toSorted()).toEqual(numbers.toSorted())
  })
})

describe('other processes', () => {
  /** Adds its name to the file again and again, and says so each time. */
  const child = (file: string, name: string) => {
    const module = new URL('../../src/config/edit-file.ts', import.meta.url).href
    const script = `const { editFile } = await import(${JSON.stringify(module)})
      for (let at = 0; at < 60; at++) {
        await editFile(${JSON.stringify(file)}, text => text + ${JSON.stringify(name)} + at + '.'.repeat(10_000) + '\\n', 60_000)
        console.log(at)
      }`
    const running = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void running.kill('SIGKILL'))
    return { running, lines: createInterface(running.stdout)[Symbol.asyncIterator]() }
  }
  const isWhole = (text: string): boolean => text === '' || /^(?:[ab]\d+\.{10000}\n)*$/.test(text)

  test('lose no edit to each other, and whoever reads finds whole texts', async () => {
    const file = newFile('')
    const children = [child(file, 'a'), child(file, 'b')]
    const reading = children.map(async ({ lines }) => {
      for (let at = 0; at < 20; at++) {
        expect((await lines.next()).value).toBe(String(at))
        expect(isWhole(textOf(file))).toBe(true)
      }
    })
    await Promise.all(reading)
    for (const name of ['a', 'b']) {
      const found = Array.from(textOf(file).matchAll(new RegExp(`^${name}(\\d+)`, 'gm')), ([, at]) =>
        Number(at),
      )
      expect(found.length).toBeGreaterThanOrEqual(20)
      expect(found).toEqual([...found.keys()])
    }
  })

  test('that are killed in the middle leave the old text or the new one', async () => {
    const file = newFile('')
    for (let round = 0; round < 6; round++) {
      const { running, lines } = child(file, 'a')
      for (let at = 0; at <= round; at++) await lines.next()
      running.kill('SIGKILL')
      await once(running, 'close')
      expect(isWhole(textOf(file))).toBe(true)
    }
    expect(textOf(file)).not.toBe('')
  })
})
