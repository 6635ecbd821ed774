import { createPrivateKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeFolder } from '../files/own-files.ts'
import { selfSigned } from '../identity/issue.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Credential } from './tls.ts'
import { writeTogether } from './write-file.ts'

/**
 * Makes the self-signed certificate of a domain, DOMAIN.crt, from the key that is there; or, where there is none, the key
 * too: DOMAIN.key, for the owner's eyes only. It never takes the place of a file; both that are there are read.
 * @returns `isNew` when it has just been made
 * @throws {Error} when the files cannot be read or written, or the certificate is there without its key
 */
export async function ownCredential(
  domain: Domain,
  directory: string,
): Promise<Credential & { readonly isNew: boolean }> {
  const certificateFile = join(directory, `${domain}.crt`)
  const keyFile = join(directory, `${domain}.key`)
  try {
    const [certificatePem, keyPem] = [await readIfThere(certificateFile), await readIfThere(keyFile)]
    if (certificatePem !== undefined && keyPem !== undefined)
      return { domain, certificatePem, keyPem, certificateFile, isNew: false }
    const key = keyPem === undefined ? await newKey() : createPrivateKey(keyPem)
    const made = {
      certificatePem: selfSigned({ domain, key, serial: randomBytes(16), at: new Date() }),
      keyPem: keyPem ?? (key.export({ type: 'pkcs8', format: 'pem' }) as string),
    }
    makeFolder(directory, 0o777)
    // The key first: of one that is left alone, the next start makes the certificate.
    const files = [
      { file: keyFile, text: made.keyPem, mode: 0o600 },
      { file: certificateFile, text: made.certificatePem, mode: 0o644 },
    ]
    await writeTogether(keyPem === undefined ? files : files.slice(1), false)
    return { domain, ...made, certificateFile, isNew: true }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the self-signed certificate of ${domain}: ${reason}`, { cause: error })
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function newKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })).privateKey
}
