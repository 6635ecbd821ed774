import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'

/**
 * Writes a file so that it is there whole or not at all.
 * @param options.mode permission bits, such as 0o600
 * @param options.overwrite false = a file that is there already stays as it is
 * @throws {Error} with code EEXIST when it is there already, or any other when it cannot be written
 */
export async function writeWhole(
  file: string,
  text: string,
  options: { readonly mode: number; readonly overwrite: boolean },
): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(temporary, 'wx', options.mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await handle.close()
    // A rename would put the new file in the place of one that has come up in the meantime; a link does not.
    await (options.overwrite ? rename(temporary, file) : link(temporary, file))
  } finally {
    await handle.close().catch(() => {})
    await rm(temporary, { force: true })
  }
}
