import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ContactStore } from '../../src/store/contacts.ts'

/** A database as its first version was made, with these rows. */
function firstVersion(rows: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'gatehouse.db')
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE contact (
      local TEXT NOT NULL,
      remote TEXT NOT NULL,
      subscribe INTEGER NOT NULL CHECK (subscribe IN (0, 1)),
      subscribed INTEGER NOT NULL CHECK (subscribed IN (0, 1)),
      granted_ms INTEGER NOT NULL,
      granted_by TEXT NOT NULL CHECK (granted_by IN ('learned', 'command')),
      PRIMARY KEY (local, remote)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO contact VALUES ${rows};
    PRAGMA application_id = ${0x67617465};
    PRAGMA user_version = 1`)
  database.close()
  return path
}

describe('a database of version 1', () => {
  const rows = "('a@x.org', 'b@y.org', 1, 1, 1000, 'learned'), ('a@x.org', 'c@y.org', 0, 0, 2000, 'command')"

  test('keeps its contacts, and says who allowed them', () => {
    const path = firstVersion(rows)
    const store = ContactStore.open(path)
    onTestFinished(() => void store.close())
    expect(store.list({ local: undefined, remote: undefined }, 10).contacts).toEqual([
      {
        local: 'a@x.org',
        remote: 'b@y.org',
        since: new Date(1000),
        words: ['subscribe', 'subscribed'],
        isApproved: false,
      },
      {
        local: 'a@x.org',
        remote: 'c@y.org',
        since: new Date(2000),
        words: [],
        isApproved: false,
        operator: 'local operator',
      },
    ])
  })

  test('is left as it was where the change cannot be made', () => {
    const path = firstVersion(rows)
    const run = (sql: string) => {
      const database = new DatabaseSync(path)
      try {
        return database.prepare(sql).all()
      } finally {
        database.close()
      }
    }
    run("CREATE TRIGGER full BEFORE UPDATE ON contact BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    expect(() => ContactStore.open(path)).toThrow(`${path}: disk full`)
    expect(run('PRAGMA user_version')).toEqual([{ user_version: 1 }])
    expect(run('SELECT * FROM contact')[0]).not.toHaveProperty('operator')
  })
})
