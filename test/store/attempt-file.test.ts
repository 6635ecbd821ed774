import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { attemptFileFault } from '../../src/store/attempt-file.ts'
import { AttemptStore } from '../../src/store/attempts.ts'
import { configFolder } from '../support/config-folder.ts'

/** A path in a folder of its own, and what is there. */
function pathWith(make: (path: string) => void): string {
  const path = configFolder({ 'data/x': '' }).at('data/journal.db')
  make(path)
  return path
}

const another = (path: string, sql: string) => {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

describe('the file of a journal', () => {
  test.each<[string, (path: string) => void]>([
    ['that is not there', () => {}],
    ['that is not there, nor its folder', path => rmSync(dirname(path), { recursive: true })],
    ['that is empty', path => writeFileSync(path, '')],
    ['that the gateway has made', path => AttemptStore.open(path).close()],
  ])('%s is good', (_, make) => {
    expect(attemptFileFault(pathWith(make))).toBeUndefined()
  })

  test('is good while the gateway has it, also just made', () => {
    const path = pathWith(() => {})
    const store = AttemptStore.open(path)
    expect(attemptFileFault(path)).toBeUndefined()
    store.close()
  })

  test.each<[string, (path: string) => void, string]>([
    ['a folder', path => mkdirSync(path), 'is not a regular file'],
    ['text', path => writeFileSync(path, 'text'), 'is not a database'],
    ['another database', path => another(path, 'CREATE TABLE other (x)'), 'is not a journal of this version'],
    [
      'a journal of another version',
      path => {
        AttemptStore.open(path).close()
        another(path, 'PRAGMA user_version = 99')
      },
      'is not a journal of this version',
    ],
    ['a link to itself', path => symlinkSync(path, path), 'ELOOP'],
  ])('that is %s cannot be used, and AttemptStore says so too', (_, make, fault) => {
    const path = pathWith(make)
    expect(attemptFileFault(path)).toContain(fault)
    expect(() => AttemptStore.open(path)).toThrow()
  })

  test('is not touched', () => {
    const path = pathWith(file => AttemptStore.open(file).close())
    const before = statSync(path)
    attemptFileFault(path)
    const after = statSync(path)
    expect([after.mtimeMs, after.size]).toEqual([before.mtimeMs, before.size])
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })).toBeUndefined()
  })
})
