import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { writeFault } from '../files/own-files.ts'
import type { ConfigProblem } from './problems.ts'

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

/** Reads a stream to its end, 4 MiB at most; `name` is told where it cannot be read. */
export async function readStream(
  source: AsyncIterable<Uint8Array>,
  name: string,
): Promise<{ readonly bytes: Buffer } | { readonly fault: string }> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of source) {
      chunks.push(chunk)
      size += chunk.length
      if (size > largestBytes) return { fault: `${name} is larger than ${largestBytes} bytes` }
    }
    return { bytes: Buffer.concat(chunks) }
  } catch (error) {
    return { fault: `cannot read ${name}: ${reason(error)}` }
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

/** What is wrong with who can read a file, if it is there, or that it cannot be looked at. */
export function openFault(path: string): string | undefined {
  try {
    const { mode } = statSync(path, { throwIfNoEntry: false }) ?? { mode: 0 }
    return modeWarning(path, mode & 0o777)
  } catch (error) {
    return `cannot look at ${path}: ${reason(error)}`
  }
}

/**
 * What is wrong with a file that the gateway makes: that others can read it, or that it cannot be made or written to.
 * @param isNeeded it does not start without: then that is an error, unless another user may
 * @param ofMode what is wrong with its mode
 */
export function ownFileFault(
  path: string,
  isNeeded: boolean,
  ofMode: (path: string) => string | undefined = openFault,
): Pick<ConfigProblem, 'severity' | 'message'> | undefined {
  try {
    const fault = writeFault(path)
    if (fault === undefined) {
      const message = ofMode(path)
      return message === undefined ? undefined : { severity: 'warning', message }
    }
    const why = fault.code === 'ENOENT' ? 'no folder can be made there' : (reasons[fault.code] ?? fault.code)
    const message = `${path} cannot be ${fault.at === path ? 'written to' : 'made'}: ${fault.at}: ${why}`
    // The gateway may run as another user, who may.
    if (fault.code !== 'EACCES' && fault.code !== 'EPERM')
      return { severity: isNeeded ? 'error' : 'warning', message }
    return {
      severity: 'warning',
      message: `${message} to this user; it has to be to the user that the gateway runs as`,
    }
  } catch (error) {
    return { severity: 'warning', message: `cannot look at ${path}: ${reason(error)}` }
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
