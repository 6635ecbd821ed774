import type { KeyObject } from 'node:crypto'
import type { Certificate } from './identity/certificate.ts'
import type { CertificateNames } from './identity/extensions.ts'
import { oids } from './identity/oids.ts'
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
    purposes: extendedKeyUsage === undefined ? null : [...extendedKeyUsage].map(namePurpose),
    fingerprint: `sha256:${x509.fingerprint256}`,
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

function namePurpose(id: string): string {
  return purposeNames.get(id) ?? id
}
