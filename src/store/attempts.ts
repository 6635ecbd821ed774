import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { makeFile, makeFolder } from '../files/own-files.ts'
import type { AttemptRecord } from '../xmpp/attempt.ts'
import { StoreError } from './database.ts'

/**
 * Where attempts are kept, the newest of each. Where there are too many in all, those go of whom there are most: nobody's newest
 * attempts are washed away by another's.
 */
export type Ring = {
  readonly name: string
  readonly most: number
  /** Of one source. */
  readonly ofSource: number
  /** Under one name of the far side. */
  readonly ofRemote: number
}

/** An attempt, the ring that it is kept in, and whose it is there: two domains, or where somebody came from. */
export type KeptAttempt = { readonly ring: Ring; readonly source: string; readonly record: AttemptRecord }

/** Attempts of these rings; and of the ring `of` those of these domains. Undefined = all. */
export type AttemptFilter = {
  readonly rings: readonly string[]
  readonly of: string
  readonly domains: readonly string[]
}

/** Marks the file as a journal. */
export const applicationId = 0x67_61_74_6a // "gatj"
/** Of the tables in it. */
export const version = 2
const schema = `
  CREATE TABLE attempt (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    ring TEXT NOT NULL,
    source TEXT,
    remote TEXT,
    started TEXT NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX attempt_by_ring ON attempt (ring, source, number);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${version}`

/** How long another process may have the file: all that the gateway does waits meanwhile. */
const lockedMs = 50

/** Attempts to have streams, in a database of their own: rings of bounded length, written in batches. */
export class AttemptStore {
  readonly #database: DatabaseSync
  readonly #path: string
  /** Which file was opened. */
  readonly #file: string | undefined
  readonly #put: StatementSync
  readonly #move: StatementSync
  readonly #pruneSource: StatementSync
  readonly #count: StatementSync
  readonly #prune: StatementSync

  /**
   * Opens the database, made where it is missing (mode 0600).
   * @param path `:memory:` for one that lives as long as the process
   * @throws {StoreError} when it cannot be used
   */
  static open(path: string): AttemptStore {
    let database: DatabaseSync | undefined
    try {
      if (path !== inMemory) {
        makeFolder(dirname(path))
        makeFile(path) // SQLite would make it readable to everybody
      }
      database = new DatabaseSync(path, { timeout: lockedMs })
      prepare(database)
      return new AttemptStore(database, path)
    } catch (error) {
      database?.close()
      throw new StoreError(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
    this.#file = fileAt(path)
    this.#put = database.prepare(
      `INSERT INTO attempt (id, ring, source, remote, started, record) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET source = excluded.source, remote = excluded.remote, record = excluded.record`,
    )
    // In another ring it is the newest: a stream may have been up for days before it failed.
    this.#move = database.prepare('DELETE FROM attempt WHERE id = ? AND ring <> ?')
    this.#pruneSource = database.prepare(
      `DELETE FROM attempt WHERE ring = :ring AND source = :source AND number <= (
         SELECT number FROM attempt WHERE ring = :ring AND source = :source ORDER BY number DESC LIMIT 1 OFFSET :most
       )`,
    )
    this.#count = database.prepare('SELECT count(*) AS attempts FROM attempt WHERE ring = ?')
    // Ten times as dear: for a ring that may be too full as a whole.
    this.#prune = database.prepare(
      `DELETE FROM attempt WHERE ring = :ring AND number NOT IN (
         SELECT number FROM (
           SELECT number, place, row_number() OVER (PARTITION BY remote ORDER BY place, number DESC) AS named FROM (
             SELECT number, remote, row_number() OVER (PARTITION BY source ORDER BY number DESC) AS place
             FROM attempt WHERE ring = :ring
           ) WHERE place <= :ofSource
         ) WHERE named <= :ofRemote ORDER BY place, number DESC LIMIT :most
       )`,
    )
  }

  /**
   * Writes attempts, all or none; one that is there already is replaced.
   * @throws {Error} when the disk does not take them
   */
  write(attempts: readonly KeptAttempt[]): void {
    const database = this.#database
    database.exec('BEGIN IMMEDIATE')
    try {
      const rings = new Map<string, Ring>()
      for (const { ring, source, record } of attempts) {
        const { id, remote, started } = record
        this.#move.run(id, ring.name)
        this.#put.run(id, ring.name, source, remote, started, JSON.stringify(record))
        this.#pruneSource.run({ ring: ring.name, source, most: ring.ofSource })
        rings.set(ring.name, ring)
      }
      for (const { name, ...most } of rings.values())
        if (most.ofRemote < most.most || Number(this.#count.get(name)?.['attempts']) > most.most)
          this.#prune.run({ ring: name, ...most })
      database.exec('COMMIT')
    } catch (error) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  /** The newest attempts that the filter lets by, the newest first. */
  list(filter: AttemptFilter | undefined, most: number): AttemptRecord[] {
    const { rings = [], of = '', domains = [] } = filter ?? {}
    const where =
      filter === undefined
        ? 'TRUE'
        : `ring IN (${marks(rings)}) OR (ring = ? AND remote IN (${marks(domains)}))`
    const rows = this.#database
      .prepare(`SELECT record FROM attempt WHERE ${where} ORDER BY started DESC, number DESC LIMIT ?`)
      .all(...(filter === undefined ? [] : [...rings, of, ...domains]), most)
    return rows.map(row => JSON.parse(String(row['record'])) as AttemptRecord)
  }

  /** Forgets every ring that is not among these. */
  keep(rings: readonly string[]): void {
    this.#database
      .prepare('DELETE FROM attempt WHERE ring NOT IN (SELECT value FROM json_each(?))')
      .run(JSON.stringify(rings))
  }

  /** Whether the file at the path is still the one that is written: it may have been moved away. */
  get isInPlace(): boolean {
    return fileAt(this.#path) === this.#file
  }

  close(): void {
    this.#database.close()
  }
}

/** What tells a file from another at the same path; undefined where there is none. */
function fileAt(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false })
  return file && `${file.dev} ${file.ino}`
}

/** The path of a database without a file. */
export const inMemory = ':memory:'

/** NORMAL: a power cut may take the last attempts, and no stream ever waits for the disk. */
function prepare(database: DatabaseSync): void {
  const read = (pragma: string) => Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0)
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  const isOurs = read('application_id') === applicationId && read('user_version') === version
  if (!isEmpty && !isOurs) throw new Error('is not a journal of this version of the gateway')
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  if (isEmpty) database.exec(`BEGIN IMMEDIATE; ${schema}; COMMIT`)
}

function marks(values: readonly string[]): string {
  return values.map(() => '?').join(', ')
}
