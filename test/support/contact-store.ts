import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished, vi } from 'vitest'
import { ContactStore } from '../../src/store/contacts.ts'

/** A folder of the test's own, with the name of a database in it that is not there yet. */
export function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data/gatehouse.db')
}

/** Opens the store, whose clock stands at 1000 ms; it is closed when the test ends. */
export function open(path: string): ContactStore {
  const store = ContactStore.open(path, () => 1_000)
  onTestFinished(() => {
    if (store.isOpen) store.close()
  })
  return store
}

/** Does something with the database that the store does not know of. */
export function behind(path: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

/** The connection to the database of what is opened: nobody else has the file meanwhile. */
export function connectionOf<T>(openIt: () => T): { readonly opened: T; readonly connection: DatabaseSync } {
  const connections: DatabaseSync[] = []
  const { exec } = DatabaseSync.prototype
  const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    connections.push(this)
    exec.call(this, sql)
  })
  try {
    const opened = openIt()
    const [connection] = connections
    if (connection === undefined) throw new Error('no connection was used')
    return { opened, connection }
  } finally {
    spy.mockRestore()
  }
}
