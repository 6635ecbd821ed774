import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ContactStore } from '../../src/store/contacts.ts'
import { migrate } from '../../src/store/schema.ts'
import { SubscriptionTable } from '../../src/store/subscriptions.ts'
import { bare } from '../support/contacts.ts'

const romeo = bare('romeo@contoso.com')
const juliet = bare('juliet@fabrikam.com')
const nurse = bare('nurse@fabrikam.com')
const adam = bare('adam@adatum.com')

function open(path: string): ContactStore {
  const store = ContactStore.open(path, () => 1_000)
  onTestFinished(() => {
    if (store.isOpen) store.close()
  })
  return store
}

/** The name of a database that is not there yet. */
function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'gatehouse.db')
}

const wide = { pairs: 9, bytes: 1000 }

function table(room?: ConstructorParameters<typeof SubscriptionTable>[2]) {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  migrate(database)
  const subscriptions = new SubscriptionTable(database, () => 7, room)
  const settle = () => {
    subscriptions.write()
    subscriptions.ended(true)
  }
  const onDisk = () => database.prepare('SELECT * FROM subscription').all()
  return { subscriptions, settle, onDisk }
}

describe('an approved subscription', () => {
  test('is on disk with what is learned of contacts, and is there after a restart', () => {
    const path = newFile()
    const store = open(path)
    expect(store.subscriptions.keep(romeo, juliet)).toBe(true)
    expect(store.settle()).toBeUndefined()
    store.close()
    const again = open(path)
    expect(again.subscriptions.has(romeo, juliet)).toBe(true)
    expect(again.subscriptions.size).toBe(1)
    expect(again.has(romeo, juliet)).toBe(false)
    expect(again.subscriptions.end(romeo, juliet)).toBe(true)
    again.close()
    expect(open(path).subscriptions.size).toBe(0)
  })

  test('is read again whatever page of the database it is on, a page for each question to the disk', () => {
    const path = newFile()
    open(path).close()
    const database = new DatabaseSync(path)
    database.exec(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
       INSERT INTO subscription SELECT printf('u%05d@contoso.com', i), 'juliet@fabrikam.com', 0 FROM n`,
    )
    database.close()
    const questions = vi.spyOn(StatementSync.prototype, 'iterate')
    onTestFinished(() => questions.mockRestore())
    const { subscriptions } = open(path)
    expect(subscriptions.size).toBe(20_001)
    const ends = ['u00000', 'u09999', 'u10000', 'u20000'].map(user => bare(`${user}@contoso.com`))
    expect(ends.map(user => subscriptions.has(user, juliet))).toEqual([true, true, true, true])
    expect(questions).not.toHaveBeenCalled()
  })

  test('is found by partner domain and user', () => {
    const { subscriptions, settle } = table()
    for (const remote of [juliet, nurse, adam]) subscriptions.keep(romeo, remote)
    settle()
    expect([...subscriptions.subscribersOf(romeo, 'fabrikam.com')]).toEqual([juliet, nurse])
    expect([...subscriptions.usersSeenBy('adatum.com')]).toEqual([romeo])
    for (const remote of [juliet, nurse]) subscriptions.end(romeo, remote)
    settle()
    expect([...subscriptions.usersSeenBy('fabrikam.com')]).toEqual([])
    expect([...subscriptions.subscribersOf(romeo, 'fabrikam.com')]).toEqual([])
    expect(subscriptions.size).toBe(1)
  })

  test('holds as it was noted last', () => {
    const { subscriptions, settle, onDisk } = table()
    subscriptions.keep(romeo, juliet)
    expect(subscriptions.has(romeo, juliet)).toBe(true)
    expect(subscriptions.end(romeo, juliet)).toBe(true)
    expect(subscriptions.has(romeo, juliet)).toBe(false)
    expect(subscriptions.end(romeo, juliet)).toBe(false)
    subscriptions.keep(romeo, juliet)
    settle()
    expect(onDisk()).toEqual([{ local: romeo, remote: juliet, since_ms: 7 }])
  })

  test.each([
    [
      'of one partner domain',
      { user: 9, domain: { ...wide, pairs: 2 }, all: wide },
      [true, true, false, true],
    ],
    ['in all', { user: 9, domain: wide, all: { ...wide, pairs: 3 } }, [true, true, true, false]],
    // Of 36, 35, 35 and 32 bytes.
    [
      'bytes of one partner domain',
      { user: 9, domain: { ...wide, bytes: 75 }, all: wide },
      [true, true, false, true],
    ],
    ['bytes in all', { user: 9, domain: wide, all: { ...wide, bytes: 110 } }, [true, true, true, false]],
  ])('finds no room where there are too many %s', (_, room, expected) => {
    const { subscriptions, settle } = table(room)
    const kept = [juliet, nurse, bare('peter@fabrikam.com'), adam].map(remote => {
      const isKept = subscriptions.keep(romeo, remote)
      settle()
      return isKept
    })
    expect(kept).toEqual(expected)
  })

  test('finds no room where one of a partner’s users sees too many; when he sees less, it does', () => {
    const { subscriptions, settle } = table({ user: 2, domain: wide, all: wide })
    const keep = (user: string, remote = juliet) => {
      const isKept = subscriptions.keep(bare(`${user}@contoso.com`), remote)
      settle()
      return isKept
    }
    expect([keep('a'), keep('b'), keep('c'), keep('c', nurse)]).toEqual([true, true, false, true])
    subscriptions.end(bare('a@contoso.com'), juliet)
    settle()
    expect([keep('c'), keep('d')]).toEqual([true, false])
  })

  test('finds no room for bytes not yet on disk', () => {
    const { subscriptions } = table({ user: 9, domain: { ...wide, bytes: 75 }, all: wide })
    const peter = bare('peter@fabrikam.com')
    expect([juliet, nurse, peter].map(remote => subscriptions.keep(romeo, remote))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('finds none either among those not yet on disk', () => {
    const { subscriptions } = table({ user: 9, domain: { ...wide, pairs: 2 }, all: wide })
    expect(
      [juliet, nurse, bare('peter@fabrikam.com')].map(remote => subscriptions.keep(romeo, remote)),
    ).toEqual([true, true, false])
  })
})

describe('where the disk takes nothing', () => {
  test('an operator’s order changes nothing, and what was noted meanwhile is not taken for written', () => {
    const path = newFile()
    const store = open(path)
    store.subscriptions.keep(romeo, juliet)
    store.settle()
    store.close()
    const database = new DatabaseSync(path)
    for (const change of ['INSERT', 'DELETE']) {
      const full = `BEFORE ${change} ON subscription BEGIN SELECT RAISE(ABORT, 'disk full'); END`
      database.exec(`CREATE TRIGGER full_${change} ${full}`)
    }
    database.close()
    const failing = open(path)
    failing.subscriptions.keep(romeo, nurse)
    expect(() => failing.revoke(romeo, juliet)).toThrow('disk full')
    expect(failing.subscriptions.has(romeo, juliet)).toBe(true)
    expect(failing.settle()?.message).toContain('disk full')
    expect(failing.subscriptions.has(romeo, nurse)).toBe(false)
  })

  test('none begins, and what ends is written later', () => {
    const path = newFile()
    const store = open(path)
    store.subscriptions.keep(romeo, juliet)
    store.settle()
    store.close()
    const database = new DatabaseSync(path)
    for (const change of ['INSERT', 'DELETE']) {
      const full = `BEFORE ${change} ON subscription BEGIN SELECT RAISE(ABORT, 'disk full'); END`
      database.exec(`CREATE TRIGGER full_${change} ${full}`)
    }
    database.close()
    const failing = open(path)
    failing.subscriptions.keep(romeo, nurse)
    failing.subscriptions.end(romeo, juliet)
    failing.learn(romeo, adam, 'subscribe')
    expect(failing.settle()?.message).toContain('disk full')
    expect([juliet, nurse].map(remote => failing.subscriptions.has(romeo, remote))).toEqual([false, false])
    expect([failing.owed, failing.has(romeo, adam)]).toEqual([1, false])
    failing.close()
    const mending = new DatabaseSync(path)
    mending.exec('DROP TRIGGER full_INSERT; DROP TRIGGER full_DELETE')
    mending.close()
    const mended = open(path)
    expect(mended.subscriptions.has(romeo, juliet)).toBe(true) // killed before: it is back
    mended.subscriptions.end(romeo, juliet)
    expect(mended.settle()).toBeUndefined()
    expect(mended.owed).toBe(0)
  })
})
