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
import { type FileLock, takeLock } from './file-lock.ts'
import { readBytes, reason } from './files.ts'

/** A file that could not be changed: why, and what to do. It stands as it was. */
export class FileEditError extends Error {
  override readonly name = 'FileEditError'
}

const lockPatienceMs = 5000 // another command holds the lock for milliseconds

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
  const lock = await claim(`${target}.lock`, patienceMs)
  const staged = `${target}.new`
  try {
    const before = readWhole(target)
    const text = edit(before.toString('utf8'))
    if (text === undefined || Buffer.from(text).equals(before)) return
    attempt(`cannot write ${file}`, () => {
      rmSync(staged, { force: true }) // of a command that was killed
      const handle = openSync(staged, 'wx', 0o600)
      try {
        writeWhole(handle, Buffer.from(text))
        keepOwner(handle, target)
        fsyncSync(handle)
      } finally {
        closeSync(handle)
      }
      if (!lock.isHeld() || !readWhole(target).equals(before)) {
        throw new FileEditError(
          `${file} was changed meanwhile by somebody else; nothing is written, try again`,
        )
      }
      renameSync(staged, target)
      syncFolder(dirname(target))
    })
  } finally {
    if (lock.isHeld()) rmSync(staged, { force: true })
    lock.release()
  }
}

async function claim(path: string, patienceMs: number): Promise<FileLock> {
  let lock: FileLock | undefined
  try {
    lock = await takeLock(path, patienceMs)
  } catch (error) {
    throw new FileEditError(`cannot write ${path}: ${reason(error)}`, { cause: error })
  }
  if (lock !== undefined) return lock
  throw new FileEditError(
    `${path} is there: another command is changing the file. If none is, one was killed; remove ${path}`,
  )
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
