import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { isThere } from '../config/files.ts'
import { makeFolder, makeNewFile, writeFault } from '../files/own-files.ts'
import type { Caller } from './api.ts'
import { RequestError } from './reply.ts'

/** A change that somebody makes. Nothing in it may be a secret. */
export type Change = {
  /** What kind of change: `contact.allow`. */
  readonly action: string
  /** What is changed. */
  readonly subject: string
  /** What stood there, and what will; null = nothing. */
  readonly before: unknown
  readonly after: unknown
}

/** Keeps note of every change that operators make. */
export type Audit = {
  /**
   * Puts a change on record, before it is made.
   * @returns puts on record that it has failed
   * @throws {RequestError} 503 when it cannot be put on record: then it must not be made
   */
  note(by: Caller, change: Change): (error: unknown) => void
  /**
   * Makes a change, once it is on record. Where it then fails, that is put on record, too.
   * @throws {RequestError} 503 when it cannot be put on record: then it is not made
   * @throws what `make` throws
   */
  record<Result>(by: Caller, change: Change, make: () => Result | Promise<Result>): Promise<Result>
}

/**
 * The audit log: a file with one JSON object a line, mode 0600, opened anew for each, so that it can be moved away at any time.
 * @param now the clock
 */
export function auditFile(path: string, now: () => Date = () => new Date()): Audit {
  const write = (entry: object) => {
    try {
      append(path, `${JSON.stringify({ time: now().toISOString(), ...entry })}\n`)
    } catch (error) {
      throw new AuditError(path, error)
    }
  }
  const note: Audit['note'] = ({ name: by, role, from, os }, { action, subject, before, after }) => {
    const id = randomBytes(6).toString('hex')
    write({ id, by, role, from, ...os, action, subject, before, after })
    return error => {
      const failed = error instanceof Error ? error.message : String(error)
      write({ id, by, role, from, ...os, action, subject, failed })
    }
  }
  return {
    note,
    record: async (by, change, make) => {
      const fail = note(by, change)
      try {
        return await make()
      } catch (error) {
        fail(error)
        throw error
      }
    },
  }
}

/** Why changes cannot be put on record there, and so none will be made; undefined where they can, as far as that can be told. */
export function auditFault(path: string): string | undefined {
  try {
    if (isThere(path)) append(path, '')
    else {
      const fault = writeFault(path)
      if (fault !== undefined) throw new Error(`${fault.code} at ${fault.at}`)
    }
    return undefined
  } catch (error) {
    return new AuditError(path, error).message
  }
}

class AuditError extends RequestError {
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(503, `the audit log cannot be written, so nothing is changed: ${path}: ${why}`)
    this.cause = cause
  }
}

/** Writes a line, if there is one, at the end of the file; when this returns, it outlives a power cut. */
function append(path: string, line: string): void {
  const folder = dirname(path)
  makeFolder(folder)
  const { O_RDWR, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants
  makeNewFile(path)
  const handle = openSync(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK)
  try {
    const file = fstatSync(handle)
    if (!file.isFile()) throw new Error('is not a regular file')
    // Another may be a file that is none of the gateway's, and root writes to it.
    if (file.nlink > 1) throw new Error('is a file of several names (hard links)')
    if (line === '') return
    const bytes = Buffer.from(isCut(handle, file.size) ? `\n${line}` : line)
    const written = writeSync(handle, bytes)
    if (written < bytes.length) throw new Error('no space is left for a whole line')
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Does the file end within a line, where the disk was full once? */
function isCut(handle: number, size: number): boolean {
  const last = Buffer.alloc(1)
  return size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
}
