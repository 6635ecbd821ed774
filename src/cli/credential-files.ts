import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { makeFolder } from '../files/own-files.ts'
import { writeTogether } from '../transport/write-file.ts'
import type { Domain } from '../xmpp/address.ts'

/** A key and what belongs to it: a certificate or a request. */
export type CredentialFiles = { readonly key: string; readonly other: string }

/** Where a domain's key, and the certificate or the request beside it, are to be written; absolute. */
export function credentialFiles(domain: Domain, folder: string, kind: 'crt' | 'csr'): CredentialFiles {
  return { key: resolve(folder, `${domain}.key`), other: resolve(folder, `${domain}.${kind}`) }
}

/** Those of them that are there already. */
export function existing({ key, other }: CredentialFiles): string[] {
  return [key, other].filter(file => existsSync(file))
}

/**
 * Writes both files, the key for its owner's eyes only.
 * @throws {Error} when one of them cannot be written, or is there and may not be overwritten: what was there, stays
 */
export async function writeCredential(
  files: CredentialFiles,
  text: { readonly key: string; readonly other: string },
  overwrite: boolean,
): Promise<void> {
  makeFolder(resolve(files.key, '..'), 0o777)
  const key = { file: files.key, text: text.key, mode: 0o600 }
  const other = { file: files.other, text: text.other, mode: 0o644 }
  // The key last: an old one may be in use, and is not to be lost over anything else that fails.
  await writeTogether([other, key], overwrite)
}
