import {
  accessSync,
  closeSync,
  constants,
  fchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/**
 * Makes a folder and those above it that are missing, each for the owner of the one that it lies in. Not Node's recursive `mkdirSync`: that
 * never ends where the system answers ENOENT below a folder that is there, as in /proc.
 * @throws {Error} when one cannot be made
 */
export function makeFolder(path: string, mode = 0o700): void {
  for (const folder of missingFolders(path)) {
    try {
      mkdirSync(folder, { mode })
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      continue // another process was faster
    }
    const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      giveToOwnerOf(dirname(folder), handle)
    } finally {
      closeSync(handle)
    }
  }
}

/**
 * Makes a file, mode 0600 and empty, where there is none, for the owner of its folder.
 * @throws {Error} when it cannot be made, or what is there cannot be written to
 */
export function makeFile(path: string): void {
  makeNewFile(path)
  closeSync(openSync(path, 'a', 0o600)) // through a link, it may be new all the same
}

/** The same, and what is there is not looked at: not where a link leads, either. */
export function makeNewFile(path: string): void {
  try {
    const handle = openSync(path, 'wx', 0o600)
    try {
      giveToOwnerOf(dirname(path), handle)
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** A user of the system and a group, by their numbers. */
export type Owner = { readonly uid: number; readonly gid: number }

/** Whose a path is: the last that is there on the way to it. */
export function ownerOf(path: string): Owner {
  const there = resolve(path)
  const { uid, gid } = statSync(there, { throwIfNoEntry: false }) ?? ownerOf(dirname(there))
  return { uid, gid }
}

/** Gives what is new to whom its folder belongs: root may run a command, and the daemon has to use what it makes. */
export function giveToOwnerOf(folder: string, handle: number): void {
  const { uid, gid } = statSync(folder)
  try {
    fchownSync(handle, uid, gid)
  } catch {
    // Only root may give files away.
  }
}

/** Why a file cannot be made or written to: the path that it fails at, and the code of the error. */
export type WriteFault = { readonly at: string; readonly code: string }

/** Could this user make this file, or write to it where it is there? Nothing stays behind. */
export function writeFault(path: string): WriteFault | undefined {
  const folder = dirname(resolve(path))
  let at = folder
  try {
    const [highest] = missingFolders(folder)
    if (highest !== undefined) {
      at = highest
      // To be allowed to write to the folder above is not all: root is, in /proc, and no folder can be made there.
      rmdirSync(mkdtempSync(join(dirname(highest), '.gatehouse-')))
      return undefined
    }
    if (!statSync(folder).isDirectory()) return { at, code: 'ENOTDIR' }
    const { R_OK, W_OK, X_OK } = constants
    accessSync(folder, W_OK | X_OK)
    at = path
    if (isThere(path)) accessSync(path, R_OK | W_OK)
    return undefined
  } catch (error) {
    return { at, code: codeOf(error) }
  }
}

/** Those of a folder and the ones above it that are not there, the highest first. */
function missingFolders(path: string): readonly string[] {
  const missing: string[] = []
  for (let at = resolve(path); !isThere(at); at = dirname(at)) missing.unshift(at)
  return missing
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
