import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { failed, good, numbersOf, openTestJournal, record } from '../support/attempts.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import { startGateway } from '../support/running-gateway.ts'

const garbage = 'something else that is longer than a header '.repeat(99)

/** Somebody else at the file. */
function another(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return database
}

/** A path, and what is there. */
function fileWith(make: (path: string) => void): string {
  const path = configFolder({ 'data/x': '' }).at('data/journal.db')
  make(path)
  return path
}

describe('the journal, while its file', () => {
  test.each([
    ['is a folder', (path: string) => mkdirSync(path), 'is a folder'],
    ['is no database', (path: string) => writeFileSync(path, garbage), 'not a database'],
    [
      'is another database',
      (path: string) => another(path).exec('CREATE TABLE other (x)'),
      'is not a journal of this version',
    ],
  ])('%s, is kept in memory, and says so', (_, make, reason) => {
    const { journal, log } = openTestJournal(fileWith(make))
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    expect(journal.trouble).toMatchObject({ reason: expect.stringContaining(reason), isReadable: false })
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('in memory') }])
  })

  test('cannot be opened, is kept in memory until it can', () => {
    const path = fileWith(file => mkdirSync(file))
    const { journal } = openTestJournal(path)
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    rmSync(path, { recursive: true })
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    expect(journal.trouble).toBeUndefined()
    journal.close()
    expect(numbersOf(openTestJournal(path).journal, 'fabrikam.com')).toEqual([1])
  })

  test('cannot be written, is kept in memory beside what the file has, and written when it can be', () => {
    const { journal, log, path } = openTestJournal()
    const long = record(1, 'fabrikam.com', good)
    journal.record(long)
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    expect(journal.trouble).toBeUndefined()
    const other = another(path)
    other.exec('BEGIN IMMEDIATE')
    for (let number = 2; number <= 5; number += 1) {
      journal.record(record(number, 'fabrikam.com', failed))
      expect(numbersOf(journal, 'fabrikam.com')[0]).toBe(number)
    }
    const lost = { at: long.started, side: 'network', code: 'connection-lost', reason: '' } as const
    journal.record({ ...long, closed: lost })
    const { since } = journal.trouble!
    expect(journal.list(undefined, 9).map(({ durationMs, closed }) => [durationMs, closed?.code])).toEqual([
      ...[5, 4, 3, 2].map(number => [number, undefined]),
      [1, 'connection-lost'],
    ])
    expect(journal.trouble).toEqual({ since, reason: 'database is locked', isReadable: true })
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('in memory') }])
    other.exec('ROLLBACK')
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([5, 4, 3, 2, 1])
    expect(journal.trouble).toBeUndefined()
    expect(other.prepare('SELECT count(*) AS attempts FROM attempt').get()).toEqual({ attempts: 5 })
  })

  test('cannot be written, has as much room in memory as in the file', () => {
    const { journal, path } = openTestJournal()
    another(path).exec('BEGIN IMMEDIATE')
    for (let number = 1; number <= 3000; number += 1) {
      journal.record(record(number, 'fabrikam.com', failed))
      journal.record(record(number, 'fabrikam.com', good, { direction: 'out' }))
    }
    expect(numbersOf(journal, 'fabrikam.com')).toHaveLength(40 + 10)
    expect(numbersOf(journal, 'fabrikam.com')[0]).toBe(3000)
  })

  test('cannot be read any more, tells what is in memory', () => {
    const { journal, path } = openTestJournal()
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    another(path).exec('DROP TABLE attempt')
    journal.record(record(2, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([2])
    expect(journal.trouble).toMatchObject({ reason: 'no such table: attempt', isReadable: false })
  })
})

describe('a gateway whose journal is only in memory', () => {
  test('says so: why, the API and the metrics', async () => {
    const folder = configFolder({ 'journal.db': garbage })
    const gateway = await startGateway({ settings: { store: { journal: folder.at('journal.db') } } })
    expect(gateway.metric('gatehouse_journal_failing')).toBe(1)
    const { status, out } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toMatch(
      /^Journal +in memory alone since 2.*Z, its file cannot be used: file is not a database; what it has is missing here$/m,
    )
    expect(status).toBe(1)
    const list = await runCommand(['why', 'fabrikam.com', '--json', '--config', gateway.folder.file])
    expect(JSON.parse(list.out)).toMatchObject({ isFailing: false, journal: { isReadable: false } })
  })

  test('is as good as any as long as it has all, if the file cannot be written', async () => {
    const gateway = await startGateway()
    const { store } = gateway.folder.load()
    const other = another(store.journal)
    other.exec('BEGIN IMMEDIATE')
    const peer = await gateway.connect()
    await peer.authenticates()
    const ask = () => runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    const { status, out } = await ask()
    expect(out).toMatch(/^Journal +in memory alone since .* cannot be used: database is locked$/m)
    expect(status).toBe(0)
    expect(gateway.metric('gatehouse_journal_failing')).toBe(1)
    other.exec('ROLLBACK')
    expect((await ask()).out).not.toContain('Journal')
    expect(gateway.metric('gatehouse_journal_failing')).toBe(0)
  })

  test('does not run: why fails', async () => {
    const folder = configFolder({ 'data/journal.db': garbage })
    const why = await runCommand(['why', 'fabrikam.com', '--config', folder.file])
    expect(why).toMatchObject({ status: 1, out: '', err: expect.stringContaining('file is not a database') })
  })
})
