import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
} from 'node:fs'

/** A file's text, its bytes and its permission bits, or why it could not be read. */
export type FileText =
  | { readonly text: string; readonly bytes: Buffer; readonly mode: number }
  | { readonly fault: string }

/** A file's bytes and its permission bits, or why it could not be read. */
export type FileBytes = { readonly bytes: Buffer; readonly mode: number } | { readonly fault: string }

const largestBytes = 4_194_304 // of any file that a configuration names

/** Reads a file that a configuration names; it must be a regular file, not empty, 4 MiB at most. */
export function readText(path: string): FileText {
  const read = readBytes(path)
  if ('fault' in read) return read
  const text = read.bytes.toString('utf8')
  return text.trim() === '' ? { fault: `${path} is empty` } : { text, ...read }
}

/** Reads a regular file of 4 MiB at most. */
export function readBytes(path: string): FileBytes {
  let file: number | undefined
  try {
    // O_NONBLOCK: a named pipe must not stop the start; what is no regular file is refused below.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const { mode, size } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) return { fault: `${path} is not a regular file` }
    if (size > largestBytes) return { fault: `${path} is larger than ${largestBytes} bytes` }
    return { bytes: readFileSync(file), mode: mode & 0o777 }
  } catch (error) {
    return { fault: `cannot read ${path}: ${reason(error)}` }
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Whether there is anything of this name, be it readable or not. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true // whoever reads it hears what is wrong
  }
}

/** Why others should not be able to read this secret file, or undefined where they are not. */
export function modeWarning(path: string, mode: number): string | undefined {
  if ((mode & 0o007) === 0) return undefined
  return `${path} is open to every user of this machine (${formatMode(mode)}); chmod 600 it`
}

/** Permission bits as people know them. */
export function formatMode(mode: number): string {
  return `mode ${mode.toString(8).padStart(4, '0')}`
}

/** What is wrong with a file that the daemon makes, if it is there: that others can read it, or that it cannot be looked at. */
export function ownFileFault(path: string): string | undefined {
  try {
    const { mode } = statSync(path, { throwIfNoEntry: false }) ?? { mode: 0 }
    return modeWarning(path, mode & 0o777)
  } catch (error) {
    return `cannot look at ${path}: ${reason(error)}`
  }
}

/** Gives a new file to whom its folder belongs: root may run a command, and the daemon has to use what it makes. */
export function giveToOwnerOf(folder: string, handle: number): void {
  const { uid, gid } = statSync(folder)
  try {
    fchownSync(handle, uid, gid)
  } catch {
    // Only root may give files away.
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
}

/** What a file error means, in a few words. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return reasons[code] ?? code
}
