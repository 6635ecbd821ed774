import type { DatabaseSync } from 'node:sqlite'

/** Marks the file as ours: no other database is written to by mistake. */
const applicationId = 0x67_61_74_65 // "gate"

/** Each step takes the database from the version of its index to the next one. None is ever changed once released. */
const steps: readonly string[] = [
  `CREATE TABLE contact (
    local TEXT NOT NULL,
    remote TEXT NOT NULL,
    subscribe INTEGER NOT NULL CHECK (subscribe IN (0, 1)),
    subscribed INTEGER NOT NULL CHECK (subscribed IN (0, 1)),
    granted_ms INTEGER NOT NULL,
    granted_by TEXT NOT NULL CHECK (granted_by IN ('learned', 'command')),
    PRIMARY KEY (local, remote)
  ) STRICT, WITHOUT ROWID`,
  // Who allowed it, and why. Until then there was one way to do it by command.
  `ALTER TABLE contact ADD COLUMN operator TEXT;
  ALTER TABLE contact ADD COLUMN reason TEXT;
  UPDATE contact SET operator = 'local operator' WHERE granted_by = 'command'`,
  `CREATE TABLE subscription (
    local TEXT NOT NULL,
    remote TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (local, remote)
  ) STRICT, WITHOUT ROWID`,
]

/** Writes whose the database is, and its version: SQL for within a transaction, which is a write whatever is there. */
export const stamp = `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`

/**
 * Looks whether a database is ours, or new. Nothing is written.
 * @throws {Error} when it is somebody else's, or a later version's
 */
export function checkOwner(database: DatabaseSync): void {
  const version = versionOf(database)
  const owner = pragma(database, 'application_id')
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (owner !== applicationId && !(isEmpty && owner === 0))
    throw new Error('is not a database of the gateway')
  if (version > steps.length) {
    throw new Error(`was made by a later version (schema ${version}; this one knows ${steps.length})`)
  }
}

/**
 * Lets what COMMIT has said outlive a power cut.
 * @throws {Error} when the database cannot be kept so
 */
export function writeAhead(database: DatabaseSync): void {
  const mode = pragma(database, 'journal_mode = WAL')
  if (mode !== 'wal') throw new Error(`cannot have a write-ahead log (its journal is ${mode})`)
  database.exec('PRAGMA synchronous = FULL')
}

/** Brings a database of ours up to this version of the gateway, all steps or none. */
export function migrate(database: DatabaseSync): void {
  const version = versionOf(database)
  // Nothing is written where nothing has to be: a full disk does not keep the gateway from starting.
  if (version === steps.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(version)) database.exec(step)
    database.exec(`${stamp}; COMMIT`)
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Undoes a transaction, unless SQLite has done so by itself, as where the disk is full. */
export function rollBack(database: DatabaseSync): void {
  try {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
  } catch {
    // What is wrong was told by the statement that failed; the next BEGIN tells if it still is.
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(pragma(database, 'user_version'))
}

/** The value that a pragma tells. */
function pragma(database: DatabaseSync, text: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${text}`).get() ?? {})[0]
}
