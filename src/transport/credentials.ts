import { generateKeyPair, randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { selfSigned } from '../identity/issue.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Credential } from './tls.ts'

/**
 * Reads the self-signed certificate of a domain, or makes it at first start: DOMAIN.crt and, for the owner's eyes only,
 * DOMAIN.key.
 * @returns `isNew` when it has just been made
 * @throws {Error} when the files cannot be read or written
 */
export async function ownCredential(
  domain: Domain,
  directory: string,
): Promise<Credential & { isNew: boolean }> {
  const certificateFile = join(directory, `${domain}.crt`)
  const keyFile = join(directory, `${domain}.key`)
  try {
    const certificatePem = await readFile(certificateFile, 'utf8')
    const keyPem = await readFile(keyFile, 'utf8')
    return { domain, certificatePem, keyPem, isNew: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const certificatePem = selfSigned({ domain, key: privateKey, serial: randomBytes(16), at: new Date() })
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  await mkdir(directory, { recursive: true })
  await writeWhole(keyFile, keyPem, 0o600)
  await writeWhole(certificateFile, certificatePem, 0o644)
  return { domain, certificatePem, keyPem, isNew: true }
}

/** Writes a file so that it is there whole or not at all. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(temporary, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await handle.close()
    await rename(temporary, file)
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(temporary, { force: true })
    throw error
  }
}
