import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ContactStore } from '../../src/store/contacts.ts'
import { StoreError } from '../../src/store/database.ts'
import type { BareJid } from '../../src/xmpp/address.ts'
import { behind, newFile, open } from '../support/contact-store.ts'
import { bare } from '../support/contacts.ts'

const romeo = bare('romeo@contoso.com')
const juliet = bare('juliet@fabrikam.com')
const nurse = bare('nurse@fabrikam.com')
const anybody = { local: undefined, remote: undefined }
const order = { operator: 'local operator', reason: 'ticket 4711' }
const child = new URL('granting-child.ts', import.meta.url).pathname

/** A database that takes no change of a contact. */
function fullDisk(path: string): void {
  for (const change of ['INSERT', 'UPDATE', 'DELETE']) {
    behind(
      path,
      `CREATE TRIGGER full_${change} BEFORE ${change} ON contact BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
    )
  }
}

describe('a contact', () => {
  test('is authorised once the word is on disk, and still is after a restart', () => {
    const path = newFile()
    const store = open(path)
    expect(store.learn(romeo, juliet, 'subscribe')).toBe('due')
    expect(store.has(romeo, juliet)).toBe(false)
    expect(store.settle()).toBeUndefined()
    expect(store.has(romeo, juliet)).toBe(true)
    expect(store.has(juliet, romeo)).toBe(false)
    store.close()
    const again = open(path)
    expect([again.size, again.has(romeo, juliet), again.has(romeo, nurse)]).toEqual([1, true, false])
    expect(again.list(anybody, 10).contacts).toEqual([
      { local: romeo, remote: juliet, since: new Date(1_000), words: ['subscribe'], isApproved: false },
    ])
  })

  test('keeps over a restart which words the user has given', () => {
    const path = newFile()
    const store = open(path)
    for (const word of ['subscribe', 'subscribed'] as const) store.learn(romeo, juliet, word)
    store.learn(romeo, nurse, 'subscribe')
    store.settle()
    store.close()
    const again = open(path)
    for (const remote of [juliet, nurse]) again.learn(romeo, remote, 'unsubscribe')
    again.settle()
    expect([again.has(romeo, juliet), again.has(romeo, nurse), again.size]).toEqual([true, false, 1])
  })

  test('is not written again for a word that changes nothing', () => {
    const store = open(newFile())
    expect(store.learn(romeo, juliet, 'subscribe')).toBe('due')
    // Not on disk yet: whoever repeats it has to wait for that as well.
    expect(store.learn(romeo, juliet, 'subscribe')).toBe('due')
    store.settle()
    expect(store.learn(romeo, juliet, 'subscribe')).toBe('nothing')
    expect(store.learn(romeo, nurse, 'unsubscribed')).toBe('nothing')
  })

  test('is not learned where its user has enough of them, and may be allowed by command', () => {
    let most = 1
    const store = ContactStore.open(newFile(), Date.now, () => most)
    onTestFinished(() => void store.close())
    const learns = (local: BareJid, remote: BareJid) => [
      store.learn(local, remote, 'subscribe'),
      store.settle(),
    ]
    expect(learns(romeo, juliet)).toEqual(['due', undefined])
    expect(learns(romeo, nurse)).toEqual(['full', undefined])
    expect([store.has(romeo, nurse), store.size]).toEqual([false, 1])
    expect(store.learn(romeo, juliet, 'subscribed')).toBe('due') // she is one of his
    expect(learns(bare('benvolio@contoso.com'), nurse)).toEqual(['due', undefined])
    expect(store.allow(romeo, nurse, order)).toBe(true)
    most = 3
    expect(learns(romeo, bare('tybalt@fabrikam.com'))).toEqual(['due', undefined])
  })

  test('is among those of its user, who are others once one of them has ended', () => {
    const store = open(newFile())
    expect(store.of(romeo)).toBeUndefined()
    store.allow(romeo, juliet, order)
    const first = store.of(romeo)
    store.allow(romeo, nurse, order)
    expect([store.of(romeo), first?.isCurrent, first?.has(nurse)]).toEqual([first, true, true])
    store.revoke(romeo, nurse)
    const second = store.of(romeo)
    expect([first?.isCurrent, second?.isCurrent]).toEqual([false, true])
    expect([second?.has(juliet), second?.has(nurse), store.size]).toEqual([true, false, 1])
    store.revoke(romeo, juliet)
    expect([second?.isCurrent, store.of(romeo), store.size]).toEqual([false, undefined, 0])
  })

  test('is allowed and revoked by command, and the first reason stays', () => {
    const store = open(newFile())
    expect([store.allow(romeo, juliet, order), store.allow(romeo, juliet, order)]).toEqual([true, false])
    store.learn(romeo, juliet, 'subscribe')
    store.settle()
    expect(store.list(anybody, 1).contacts).toEqual([
      {
        local: romeo,
        remote: juliet,
        since: new Date(1_000),
        words: ['subscribe'],
        isApproved: false,
        ...order,
      },
    ])
    expect([store.revoke(romeo, juliet), store.revoke(romeo, juliet)]).toEqual([true, false])
    expect([store.has(romeo, juliet), store.list(anybody, 1).contacts]).toEqual([false, []])
  })

  test('that the user has added may be allowed besides, until he ends it himself', () => {
    const store = open(newFile())
    store.learn(romeo, juliet, 'subscribe')
    store.settle()
    expect(store.isByOperator(romeo, juliet)).toBe(false)
    expect([store.allow(romeo, juliet, order), store.allow(romeo, juliet, order)]).toEqual([true, false])
    store.learn(romeo, juliet, 'subscribed')
    store.settle()
    expect(store.list(anybody, 1).contacts).toEqual([
      {
        local: romeo,
        remote: juliet,
        since: new Date(1_000),
        words: ['subscribe', 'subscribed'],
        ...order,
        isApproved: false,
      },
    ])
    expect([store.words(romeo, juliet), store.isByOperator(romeo, juliet), store.size]).toEqual([3, true, 1])
    store.learn(romeo, juliet, 'unsubscribed')
    store.settle()
    store.learn(romeo, juliet, 'subscribed')
    store.settle()
    expect([store.words(romeo, juliet), store.isByOperator(romeo, juliet)]).toEqual([2, false])
  })

  test('is read again whatever page of the database it is on', () => {
    const path = newFile()
    const first = open(path)
    const others = Array.from({ length: 9_999 }, (_, i) => bare(`friend${i}@fabrikam.com`))
    for (const other of [...others, juliet, nurse]) first.learn(romeo, other, 'subscribed')
    const sampson = bare('sampson@contoso.com') // behind the last of Romeo's, on the second page
    first.learn(sampson, juliet, 'subscribe')
    expect(first.settle()).toBeUndefined()
    first.close()
    const second = open(path)
    expect(second.size).toBe(10_002)
    expect([...others, juliet, nurse].filter(other => !second.has(romeo, other))).toEqual([])
    expect(second.has(sampson, juliet)).toBe(true)
    expect(second.has(sampson, nurse)).toBe(false)
  })
})

describe('a disk that takes nothing', () => {
  test('authorises nobody, and says why', () => {
    const path = newFile()
    open(path).close()
    fullDisk(path)
    const store = open(path)
    store.learn(romeo, juliet, 'subscribe')
    expect(store.settle()?.message).toBe(`${path}: disk full`)
    expect([store.has(romeo, juliet), store.size, store.owed]).toEqual([false, 0, 0])
    expect(() => store.allow(romeo, juliet, order)).toThrow(StoreError)
    expect(store.has(romeo, juliet)).toBe(false)
    store.close()
    expect(behind(path, 'SELECT * FROM contact')).toEqual([])
  })

  test('lets an authorisation end all the same, and takes the end later', () => {
    const path = newFile()
    const before = open(path)
    before.allow(romeo, juliet, order)
    before.close()
    fullDisk(path)
    const store = open(path)
    store.learn(romeo, juliet, 'unsubscribed')
    store.learn(romeo, nurse, 'subscribe')
    expect(store.settle()).toBeInstanceOf(StoreError)
    expect([store.has(romeo, juliet), store.has(romeo, nurse), store.owed]).toEqual([false, false, 1])
    expect(store.close()).toBeInstanceOf(StoreError)
    for (const { name } of behind(path, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")) {
      behind(path, `DROP TRIGGER ${name}`)
    }
    const again = open(path)
    again.learn(romeo, juliet, 'unsubscribed')
    expect(again.settle()).toBeUndefined()
    again.close()
    expect(behind(path, 'SELECT * FROM contact')).toEqual([])
  })

  test('leaves nothing half-written when it is full indeed', async () => {
    const path = newFile()
    // 300 KB for any file that the process writes.
    const lines = await linesOf(
      spawn('sh', ['-c', 'ulimit -f 300; exec "$0" "$1" "$2"', process.execPath, child, path]),
    )
    const [why, authorised] = lines.slice(-2)
    expect(why).toMatch(/gatehouse\.db: (database or disk is full|disk I\/O error)$/)
    const kept = Number(lines.at(-3))
    expect(authorised).toBe(`${kept} authorised`)
    const store = open(path)
    expect(store.size).toBe(kept)
    store.learn(romeo, nurse, 'subscribe')
    expect(store.settle()).toBeUndefined()
  })
})

describe('a process killed while it writes', () => {
  test('has lost nothing that it was told is on disk', async () => {
    const path = newFile()
    const process_ = spawn(process.execPath, [child, path])
    const lines = await linesOf(process_, line => {
      if (Number(line) >= 200) process_.kill('SIGKILL')
    })
    const told = Number(lines.at(-1))
    expect(told).toBeGreaterThanOrEqual(200)
    const store = open(path)
    expect(store.size % 10).toBe(0) // each ten whole or not at all
    expect(store.size).toBeGreaterThanOrEqual(told)
    expect(store.has(romeo, bare(`friend${told}@fabrikam.com`))).toBe(true)
    store.close()
    expect(behind(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })
})

/** The lines that a process prints until its end. */
async function linesOf(
  running: ReturnType<typeof spawn>,
  heard: (line: string) => void = () => {},
): Promise<string[]> {
  const lines: string[] = []
  if (running.stdout === null) throw new Error('no output')
  for await (const line of createInterface(running.stdout)) {
    lines.push(line)
    heard(line)
  }
  return lines
}
