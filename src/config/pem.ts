import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { modeWarning, readText } from './files.ts'
import type { Report } from './report.ts'
import type { PemFile } from './schema.ts'
import type { Origin } from './secrets.ts'
import type { Path } from './yaml-source.ts'

type Named = { readonly name: string; readonly path: Path }

/** Reads a PEM file of certificates; what is wrong with it is reported at the key that names it. */
export function loadCertificates(
  { name, path }: Named,
  origin: Origin,
  report: Report,
): (PemFile & { readonly leaf: X509Certificate }) | undefined {
  const file = resolve(origin.folder, name)
  const read = readText(file)
  if ('fault' in read) {
    report('error', path, read.fault)
    return undefined
  }
  const blocks = read.text.match(certificateBlock) ?? []
  const certificates = blocks.map(parseCertificate)
  const damaged = certificates.indexOf(undefined)
  const [leaf] = certificates
  if (damaged >= 0) report('error', path, `certificate ${damaged + 1} in ${file} is damaged`)
  else if (leaf === undefined) {
    report('error', path, `${file} holds no PEM certificate (-----BEGIN CERTIFICATE-----)`)
  }
  return damaged >= 0 || leaf === undefined ? undefined : { path: file, pem: read.text, leaf }
}

/** Reads a PEM private key; what is wrong with it is reported at the key that names it. */
export function loadPrivateKey(
  { name, path }: Named,
  origin: Origin,
  report: Report,
): (PemFile & { readonly key: KeyObject }) | undefined {
  const file = resolve(origin.folder, name)
  const read = readText(file)
  if ('fault' in read) {
    report('error', path, read.fault)
    return undefined
  }
  const warning = modeWarning(file, read.mode)
  if (warning !== undefined) report('warning', path, warning)
  try {
    return { path: file, pem: read.text, key: createPrivateKey(read.text) }
  } catch {
    report(
      'error',
      path,
      encryptedKey.test(read.text)
        ? `${file} is encrypted; give a key without a passphrase, readable by the gateway alone`
        : `${file} holds no PEM private key (-----BEGIN PRIVATE KEY-----)`,
    )
    return undefined
  }
}

const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/
const certificateBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
