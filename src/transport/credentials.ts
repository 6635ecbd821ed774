import { generateKeyPair, randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { selfSigned } from '../identity/issue.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Credential } from './tls.ts'
import { writeWhole } from './write-file.ts'

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
  await writeWhole(keyFile, keyPem, { mode: 0o600, overwrite: true })
  await writeWhole(certificateFile, certificatePem, { mode: 0o644, overwrite: true })
  return { domain, certificatePem, keyPem, isNew: true }
}
