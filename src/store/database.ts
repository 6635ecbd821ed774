import { chmodSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFile, makeFolder } from '../files/own-files.ts'
import { checkOwner, migrate, writeAhead } from './schema.ts'

/** The database cannot be used; the message names the file, and what is wrong in SQLite's words. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** How long another process may have the file. All that the gateway does waits meanwhile. */
const lockedMs = 250

/**
 * Opens the gateway's database, made where it is missing (mode 0600), for this process alone, and brings it up to this version.
 * @param read makes what is to be had of it
 * @throws {StoreError} when it cannot be used; it is closed then
 */
export function openDatabase<T>(path: string, read: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined
  try {
    makeFolder(dirname(path))
    makeFile(path) // SQLite would make it readable to everybody
    database = new DatabaseSync(path, { timeout: lockedMs })
    // Who changed the file behind our back would not be seen.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    checkOwner(database)
    // Not before: this changes the file.
    closeToOthers(path)
    writeAhead(database)
    migrate(database)
    return read(database)
  } catch (error) {
    database?.close()
    throw storeError(path, error)
  }
}

/** What has gone wrong with the database of this path, and what to do where that is known. */
export function storeError(path: string, error: unknown): StoreError {
  return new StoreError(wordsOf(path, error), { cause: error })
}

/** SQLITE_READONLY and SQLITE_CANTOPEN: what SQLite makes of a file that belongs to somebody else. */
const [readOnly, cannotOpen] = [8, 14]

function wordsOf(path: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error)
  if (why === 'database is locked') return `${path}: is in use by another process`
  const { code, errcode } = error as { code?: string; errcode?: number }
  if (code === 'EACCES' || code === 'EPERM' || errcode === readOnly || errcode === cannotOpen) {
    return `${path}: this user may not use it: ${why}; it has to belong to the user that the gateway runs as, with its folder and what is beside it: chown USER ${path}*`
  }
  const isBroken = /not a database|malformed/.test(why)
  return `${path}: ${why}${isBroken ? '; restore a copy, or move it away: the contacts in it are lost then' : ''}`
}

/** One made by other means may be open to everybody, with all beside it. That of another owner is left to `check`. */
function closeToOthers(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    try {
      if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
    } catch (error) {
      if (!['ENOENT', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}
