import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { applicationId, version } from './attempts.ts'

// The header of an SQLite database: file format, and where two of its numbers are, big-endian.
const magic = 'SQLite format 3\0'
const headerBytes = 100
const versionAt = 60
const applicationIdAt = 68

/**
 * Why the gateway could not use this file for its journal; undefined = it could, or makes it when it starts. The file is looked at and
 * not opened as a database, so that nothing is left beside it: the one who looks may be root.
 */
export function attemptFileFault(path: string): string | undefined {
  let file: number | undefined
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!fstatSync(file).isFile()) return 'is not a regular file'
    const header = Buffer.alloc(headerBytes)
    const length = readSync(file, header, 0, headerBytes, 0)
    return length === 0 ? undefined : headerFault(header, existsSync(`${path}-wal`))
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return isMissing ? folderFault(dirname(path)) : String(error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** It is made where it is missing, with its folder. */
function folderFault(folder: string): string | undefined {
  try {
    if (existsSync(folder)) accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return String(error)
  }
}

function headerFault(header: Buffer, hasLog: boolean): string | undefined {
  if (header.toString('latin1', 0, magic.length) !== magic) return 'is not a database'
  const [owner, made] = [header.readUInt32BE(applicationIdAt), header.readUInt32BE(versionAt)]
  // A new one has its marks in the write-ahead log at first.
  if (owner === 0 && made === 0 && hasLog) return undefined
  return owner === applicationId && made === version
    ? undefined
    : 'is not a journal of this version of the gateway'
}
