import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { giveToOwnerOf } from '../files/own-files.ts'

/** A file to be written, with its permission bits, such as 0o600. */
export type WholeFile = { readonly file: string; readonly text: string; readonly mode: number }

/**
 * Writes a file so that it is there whole or not at all.
 * It belongs to whom its folder does.
 * @param options.mode permission bits, such as 0o600
 * @param options.overwrite false = a file that is there already stays as it is
 * @throws {Error} with code EEXIST when it is there already, or any other when it cannot be written
 */
export async function writeWhole(
  file: string,
  text: string,
  options: { readonly mode: number; readonly overwrite: boolean },
): Promise<void> {
  await writeTogether([{ file, text, mode: options.mode }], options.overwrite)
}

/**
 * Writes files that belong together, each whole, and puts them in place in this order once all are written; where one
 * cannot be put there, what stood in the places of those before it is put back. So what must not be lost comes last.
 * @param overwrite false = files that are there already stay as they are
 * @throws {Error} with code EEXIST when one is there already, or any other when it cannot be written
 */
export async function writeTogether(files: readonly WholeFile[], overwrite: boolean): Promise<void> {
  const suffix = randomBytes(6).toString('hex')
  const staged = (file: string) => `${file}.${suffix}`
  const old = (file: string) => `${file}.${suffix}.old`
  const placed: string[] = []
  try {
    for (const one of files) await stage(staged(one.file), one)
    for (const { file } of files) {
      if (overwrite && placed.length < files.length - 1) await keep(file, old(file))
      // A rename would put the new file in the place of one that has come up in the meantime; a link does not.
      await (overwrite ? rename(staged(file), file) : link(staged(file), file))
      placed.push(file)
    }
  } catch (error) {
    for (const file of placed) await putBack(old(file), file)
    throw error
  } finally {
    for (const { file } of files) {
      await rm(staged(file), { force: true })
      await rm(old(file), { force: true })
    }
  }
}

async function stage(temporary: string, { text, mode }: WholeFile): Promise<void> {
  const handle = await open(temporary, 'wx', mode)
  try {
    giveToOwnerOf(dirname(temporary), handle.fd)
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function keep(file: string, old: string): Promise<void> {
  await link(file, old).catch(ignoreMissing)
}

async function putBack(old: string, file: string): Promise<void> {
  await rm(file)
  await rename(old, file).catch(ignoreMissing)
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
