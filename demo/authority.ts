import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { Der } from '../src/identity/der.ts'
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  namesOf,
  signCertificate,
  subjectAltName,
  toPem,
} from '../src/identity/issue.ts'
import { oids } from '../src/identity/oids.ts'
import type { Domain } from '../src/xmpp/address.ts'

/** A certification authority in memory, as a partner's would be: it issues for servers only (no clientAuth). */
export type Authority = {
  readonly certificatePem: string
  issue(domain: Domain): { readonly certificatePem: string; readonly keyPem: string }
}

/** Makes an authority that lives for a day. */
export function createAuthority(name: string): Authority {
  const rootKey = newKey()
  const issueBy = (subject: string, key: KeyObject, extensions: readonly Der[]): string => {
    const now = Date.now()
    const fields = {
      serial: randomBytes(16),
      issuer: name,
      subject,
      notBefore: new Date(now - hourMs),
      notAfter: new Date(now + 24 * hourMs),
      publicKey: createPublicKey(key),
      extensions,
    }
    return toPem(signCertificate(fields, rootKey))
  }
  return {
    certificatePem: issueBy(name, rootKey, [basicConstraints(true), keyUsage(['keyCertSign'])]),
    issue: domain => {
      const key = newKey()
      const certificatePem = issueBy(domain, key, [
        basicConstraints(false),
        keyUsage(['digitalSignature']),
        extendedKeyUsage([oids.serverAuth]),
        subjectAltName(namesOf(domain)),
      ])
      return { certificatePem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}

const hourMs = 3_600_000

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}
