import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Certificate } from './identity/certificate.ts'
import type { CertificateNames } from './identity/extensions.ts'
import { oids } from './identity/oids.ts'
import type { Requested } from './identity/requested.ts'
import { daysLeft } from './telemetry/expiry.ts'

/** What a certificate says, as machines are told it. */
export type CertificateFacts = {
  readonly subject: string
  readonly issuer: string
  /** Hex digits. */
  readonly serial: string
  readonly names: CertificateNames
  readonly isCa: boolean
  readonly notBefore: string
  readonly notAfter: string
  /** Whole days; negative once it has expired. */
  readonly daysLeft: number
  readonly key: string
  readonly signature: string
  /** Extended key usage, by name where we know it; null = for any purpose. */
  readonly purposes: readonly string[] | null
  /** As `pinnedCertificates` takes it. */
  readonly fingerprint: string
}

/** What a request for a certificate asks for, as machines are told it. */
export type RequestFacts = Pick<CertificateFacts, 'subject' | 'names' | 'key' | 'purposes'>

/** Puts together what a request asks for. */
export function requestFactsOf({ subject, names, publicKey, extendedKeyUsage }: Requested): RequestFacts {
  return { subject, names, key: nameKey(readKey(publicKey)), purposes: purposesOf(extendedKeyUsage) }
}

/** Puts together what a certificate says. */
export function factsOf(certificate: Certificate, at: Date): CertificateFacts {
  const { x509, subject, issuer, names, isCa, notBefore, notAfter, publicKey, extendedKeyUsage } = certificate
  return {
    subject,
    issuer,
    serial: x509.serialNumber.toLowerCase(),
    names,
    isCa,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    daysLeft: daysLeft(notAfter, at),
    key: nameKey(publicKey),
    signature: x509.signatureAlgorithm ?? x509.signatureAlgorithmOid,
    purposes: purposesOf(extendedKeyUsage),
    fingerprint: `sha256:${x509.fingerprint256}`,
  }
}

function readKey(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

function nameKey(key: KeyObject | undefined): string {
  const { namedCurve = '', modulusLength = 0 } = key?.asymmetricKeyDetails ?? {}
  const kind = key?.asymmetricKeyType ?? 'unknown'
  switch (kind) {
    case 'rsa':
    case 'rsa-pss':
      return `RSA ${modulusLength}`
    case 'ec':
      return `EC ${curves[namedCurve] ?? namedCurve}`
    default:
      return kind
  }
}

const purposeNames: ReadonlyMap<string, string> = new Map([
  [oids.serverAuth, 'serverAuth'],
  [oids.clientAuth, 'clientAuth'],
  [oids.anyExtendedKeyUsage, 'any'],
])

function purposesOf(ids: ReadonlySet<string> | undefined): readonly string[] | null {
  return ids === undefined ? null : [...ids].map(namePurpose)
}

function namePurpose(id: string): string {
  return purposeNames.get(id) ?? id
}
