import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { recognize, remedyFor } from './encodings.ts'
import { modeWarning, readText } from './files.ts'
import type { Report } from './report.ts'
import type { PemFile } from './schema.ts'
import type { Origin } from './secrets.ts'
import type { Path } from './yaml-source.ts'

type Named = { readonly name: string; readonly path: Path }

/** A file of certificates that was read, and the place of the key that names it. */
export type LoadedCertificate = PemFile & { readonly leaf: X509Certificate; readonly named: Path }

/** A file with a private key that was read, and the place of the key that names it. */
export type LoadedKey = PemFile & { readonly key: KeyObject; readonly named: Path }

/** Reads a PEM file of certificates; what is wrong with it is reported at the key that names it. */
export function loadCertificates(
  { name, path }: Named,
  origin: Origin,
  report: Report,
): LoadedCertificate | undefined {
  const file = resolve(origin.folder, name)
  const read = readText(file)
  if ('fault' in read) {
    report('error', path, read.fault)
    return undefined
  }
  const warning = holdsPrivateKey(read.text) ? modeWarning(file, read.mode) : undefined
  if (warning !== undefined) report('warning', path, warning)
  const certificates = read.text.split(certificateBegin).slice(1).map(parseCertificate)
  const damaged = certificates.indexOf(undefined)
  const [leaf] = certificates
  const held = leaf === undefined ? recognize(read.bytes) : undefined
  if (damaged >= 0 && held?.as !== 'mislabelled')
    report('error', path, `certificate ${damaged + 1} in ${file} is damaged`)
  else if (leaf === undefined) {
    const remedy = remedyFor(held, file, 'certificate')
    report('error', path, `${file} holds no PEM certificate (${certificateBegin})${remedy}`)
  }
  return damaged >= 0 || leaf === undefined ? undefined : { path: file, pem: read.text, leaf, named: path }
}

/** Reads a PEM private key; what is wrong with it is reported at the key that names it. */
export function loadPrivateKey({ name, path }: Named, origin: Origin, report: Report): LoadedKey | undefined {
  const file = resolve(origin.folder, name)
  const read = readText(file)
  if ('fault' in read) {
    report('error', path, read.fault)
    return undefined
  }
  const warning = modeWarning(file, read.mode)
  if (warning !== undefined) report('warning', path, warning)
  try {
    return { path: file, pem: read.text, key: createPrivateKey(read.text), named: path }
  } catch {
    report(
      'error',
      path,
      encryptedKey.test(read.text)
        ? `${file} is encrypted; give a key without a passphrase, readable by the gateway alone`
        : `${file} holds no PEM private key (-----BEGIN PRIVATE KEY-----)${remedyFor(recognize(read.bytes), file, 'key')}`,
    )
    return undefined
  }
}

/** A certificate and a key, as far as they are sound, that TLS will take. */
export function joinPair(
  certificate: LoadedCertificate | undefined,
  key: LoadedKey | undefined,
  report: Report,
): { readonly certificate: PemFile; readonly key: PemFile } | undefined {
  if (certificate === undefined || key === undefined) return undefined
  if (!certificate.leaf.checkPrivateKey(key.key)) {
    report(
      'error',
      key.named,
      `${key.path} is not the key of ${certificate.path}, whose first certificate must be the domain's own`,
    )
    return undefined
  }
  const fault = tlsFault(certificate, key)
  if (fault !== undefined) {
    report(
      'error',
      certificate.named,
      `TLS refuses ${certificate.path} with ${key.path}: ${fault}; docs/certificates.md says what a certificate must have`,
    )
    return undefined
  }
  return {
    certificate: { path: certificate.path, pem: certificate.pem },
    key: { path: key.path, pem: key.pem },
  }
}

/** Why TLS will not start with a certificate and its key, such as that the key is too short; undefined where it will. */
function tlsFault(certificate: PemFile, key: PemFile): string | undefined {
  try {
    createSecureContext({ cert: certificate.pem, key: key.pem })
    return undefined
  } catch (error) {
    // OpenSSL's own message names source files; its reason says it all.
    const { reason, message } = error as Error & { readonly reason?: unknown }
    return typeof reason === 'string' ? reason : message
  }
}

function holdsPrivateKey(text: string): boolean {
  return /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(text)
}

const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/
const certificateBegin = '-----BEGIN CERTIFICATE-----'

function parseCertificate(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(certificateBegin + block)
  } catch {
    return undefined
  }
}
