import { generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { factsOf } from '../certificate-facts.ts'
import { parsePem } from '../identity/certificate.ts'
import { selfSigned } from '../identity/issue.ts'
import type { Domain } from '../xmpp/address.ts'
import { credentialFiles, existing, writeCredential } from './credential-files.ts'
import type { Host } from './host.ts'
import { formatJson, tellError } from './output.ts'

export type SelfSignedOptions = {
  readonly domain: Domain
  /** The folder to write to. */
  readonly out: string
  readonly days: number
  readonly force: boolean
  readonly json: boolean
}

/** `cert self-signed`: a certificate signed by its own key, for tests and for partners that pin it. */
export async function makeSelfSigned(options: SelfSignedOptions, host: Host): Promise<number> {
  const { domain, out, days, force, json } = options
  const files = credentialFiles(domain, out, 'crt')
  const taken = force ? [] : existing(files)
  if (taken.length > 0) {
    tellError(`gatehouse: there already, and not overwritten without --force: ${taken.join(', ')}`, host)
    return 1
  }
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const at = new Date()
  const certificatePem = selfSigned({ domain, key: privateKey, serial: randomBytes(16), at, days })
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  try {
    await writeCredential(files, { key: keyPem, other: certificatePem }, force)
  } catch (error) {
    tellError(`gatehouse: nothing was made: ${error instanceof Error ? error.message : error}`, host)
    return 1
  }
  const certificates = parsePem(certificatePem).map(certificate => factsOf(certificate, at))
  if (json) host.out(formatJson({ key: files.key, certificate: files.other, certificates }))
  else
    host.out(
      `${files.key}\n${files.other}\n` +
        `For tests: partners accept it for dialback, or for SASL EXTERNAL where they pin it: ${certificates[0]?.fingerprint}\n`,
    )
  return 0
}
