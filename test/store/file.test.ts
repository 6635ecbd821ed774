import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ContactStore } from '../../src/store/contacts.ts'
import { behind, connectionOf, newFile, open } from '../support/contact-store.ts'
import { bare } from '../support/contacts.ts'

describe('the file', () => {
  test('is for its owner only, with all beside it', () => {
    const path = newFile()
    open(path).allow(bare('romeo@contoso.com'), bare('juliet@fabrikam.com'), { operator: 'root' })
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  })

  test('is closed to others where it was open to them', () => {
    const path = newFile()
    open(path).close()
    chmodSync(path, 0o644)
    open(path).allow(bare('romeo@contoso.com'), bare('juliet@fabrikam.com'), { operator: 'root' })
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test.skipIf(process.getuid?.() !== 0)('is the folder owner’s, with all beside it', () => {
    const path = join(newFile(), '../..', 'gatehouse.db')
    chownSync(join(path, '..'), 4711, 4712)
    open(path).allow(bare('romeo@contoso.com'), bare('juliet@fabrikam.com'), { operator: 'root' })
    for (const file of [path, `${path}-wal`]) expect(statSync(file)).toMatchObject({ uid: 4711, gid: 4712 })
  })

  test('that is another user’s is refused, with what to do', () => {
    const path = join(newFile(), '../..', 'gatehouse.db')
    open(path).close()
    if (process.getuid?.() === 0) {
      chmodSync(join(path, '..'), 0o755)
      process.seteuid?.(65_534)
      onTestFinished(() => process.seteuid?.(0))
    } else chmodSync(path, 0)
    expect(() => ContactStore.open(path)).toThrow(
      /gatehouse\.db: this user may not use it: EACCES: .*: chown USER \/.*gatehouse\.db\*$/,
    )
  })

  test('keeps over a power cut what COMMIT has said', () => {
    const { connection } = connectionOf(() => open(newFile()))
    const told = ['journal_mode', 'synchronous', 'locking_mode'].map(
      name => connection.prepare(`PRAGMA ${name}`).get()?.[name],
    )
    expect(told).toEqual(['wal', 2, 'exclusive']) // 2 = FULL
  })

  test('is one process’s at a time', () => {
    const path = newFile()
    open(path)
    expect(() => ContactStore.open(path)).toThrow(`${path}: is in use by another process`)
  })

  test.each([
    [
      'is no database',
      (path: string) => writeFileSync(path, 'x'.repeat(5000)),
      'file is not a database; restore a copy, or move it away: the contacts in it are lost then',
    ],
    [
      "is another program's",
      (path: string) => behind(path, 'CREATE TABLE contact (name TEXT)'),
      'is not a database of the gateway',
    ],
    [
      'was made by a later version',
      (path: string) => {
        open(path).close()
        behind(path, 'PRAGMA user_version = 99')
      },
      'was made by a later version (schema 99; this one knows 3)',
    ],
  ])('is refused where it %s', (_, prepare, why) => {
    const path = join(newFile(), '../..', 'gatehouse.db')
    prepare(path)
    const before = readFileSync(path)
    expect(() => ContactStore.open(path)).toThrow(`${path}: ${why}`)
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(join(path, '..')).filter(name => name.startsWith('gatehouse.db'))).toEqual([
      'gatehouse.db',
    ])
  })
})
