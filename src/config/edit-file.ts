import { isUtf8 } from 'node:buffer'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readBytes, reason } from './files.ts'

/** A file that could not be changed: why, and what to do. It stands as it was. */
export class FileEditError extends Error {
  override readonly name = 'FileEditError'
}

const lockPatienceMs = 5000 // another command holds the lock for milliseconds
const lockRetryMs = 20

/**
 * Changes a text file as a whole: whoever reads it, also after a crash, finds the old text or the new one. Mode, and
 * owner where that is permitted, stay; of a symbolic link, the file that it leads to is changed.
 * @param edit the new text of the old one; undefined = leave it
 * @throws {FileEditError} when it cannot be read or written, when another command does not finish with it, or when it
 * was changed between reading and writing
 */
export async function editFile(
  file: string,
  edit: (text: string) => string | undefined,
  patienceMs = lockPatienceMs,
): Promise<void> {
  const target = attempt(`cannot read ${file}`, () => realpathSync(file))
  // The lock is the file that the new text is written to: who does not hold it has nothing to put in place.
  const staged = `${target}.lock`
  const handle = await claim(staged, patienceMs)
  let isPlaced = false
  try {
    const before = readWhole(target)
    const text = edit(before.toString('utf8'))
    if (text === undefined || Buffer.from(text).equals(before)) return
    attempt(`cannot write ${file}`, () => {
      writeWhole(handle, Buffer.from(text))
      keepOwner(handle, target)
      fsyncSync(handle)
      if (!readWhole(target).equals(before)) {
        throw new FileEditError(
          `${file} was changed meanwhile by somebody else; nothing is written, try again`,
        )
      }
      renameSync(staged, target)
      isPlaced = true
      syncFolder(dirname(target))
    })
  } finally {
    closeSync(handle)
    if (!isPlaced) rmSync(staged, { force: true })
  }
}

async function claim(staged: string, patienceMs: number): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += lockRetryMs) {
    try {
      return openSync(staged, 'wx', 0o600)
    } catch (error) {
      if (!isTaken(error))
        throw new FileEditError(`cannot write ${staged}: ${reason(error)}`, { cause: error })
    }
    if (waitedMs >= patienceMs) {
      throw new FileEditError(
        `${staged} is there: another command is changing the file. If none is, one was killed; remove ${staged}`,
      )
    }
    await sleep(lockRetryMs)
  }
}

function readWhole(file: string): Buffer {
  const read = readBytes(file)
  if ('fault' in read) throw new FileEditError(read.fault)
  // Written back, what is no UTF-8 would be damaged.
  if (!isUtf8(read.bytes)) throw new FileEditError(`${file} is not UTF-8; convert it first`)
  return read.bytes
}

function writeWhole(handle: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written)
}

function keepOwner(handle: number, target: string): void {
  const { uid, gid, mode } = statSync(target)
  for (const owner of [uid, -1]) {
    try {
      fchownSync(handle, owner, gid)
      break
    } catch {
      // Only root may give files away; the group may be kept all the same.
    }
  }
  fchmodSync(handle, mode & 0o777)
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function attempt<Result>(what: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof FileEditError) throw error
    throw new FileEditError(`${what}: ${reason(error)}`, { cause: error })
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}
