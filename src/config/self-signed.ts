import type { KeyObject } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Domain } from '../xmpp/address.ts'
import { isThere } from './files.ts'
import { joinPair, loadCertificates, loadPrivateKey } from './pem.ts'
import type { Report } from './report.ts'
import type { LocalDomain } from './schema.ts'
import type { Origin } from './secrets.ts'
import type { Path } from './yaml-source.ts'

/** A local domain, and its key in the file, which may bear U-labels. */
export type LocalName = Pick<LocalDomain, 'domain' | 'writtenAs'>

type Files = { readonly certificate: string; readonly key: string }

const folder = '../certs' // from the configuration's own

/** The files of a domain that is `selfSigned`, relative to the configuration. */
export function selfSignedFiles(domain: Domain): Files {
  return { certificate: join(folder, `${domain}.crt`), key: join(folder, `${domain}.key`) }
}

/**
 * Reads a domain that is `selfSigned`: what is there of its files is held to the same as files that are named, and is
 * never made a second time.
 */
export function loadSelfSigned(name: LocalName, origin: Origin, report: Report): LocalDomain | undefined {
  const path = ['domains', name.writtenAs, 'selfSigned']
  const { certificate, key } = selfSignedFiles(name.domain)
  const files = { certificate: resolve(origin.folder, certificate), key: resolve(origin.folder, key) }
  return isThere(files.certificate)
    ? loadMade(name, files, path, origin, report)
    : loadUnmade(name, files, path, origin, report)
}

function loadMade(
  name: LocalName,
  files: Files,
  path: Path,
  origin: Origin,
  report: Report,
): LocalDomain | undefined {
  const certificate = loadCertificates({ name: files.certificate, path }, origin, report)
  const isSelfSigned = certificate === undefined || certificate.leaf.issuer === certificate.leaf.subject
  report('warning', path, isSelfSigned ? notTrusted : notOurs(files.certificate))
  if (!isThere(files.key)) {
    report(
      'error',
      path,
      `${files.certificate} is there, and its key ${files.key} is not: put the key back, or move the certificate away for ` +
        'both to be made anew',
    )
    return undefined
  }
  const pair = joinPair(certificate, loadPrivateKey({ name: files.key, path }, origin, report), report)
  return pair && { ...name, ...pair }
}

function loadUnmade(
  name: LocalName,
  files: Files,
  path: Path,
  origin: Origin,
  report: Report,
): LocalDomain | undefined {
  report('warning', path, notTrusted)
  const directory = resolve(origin.folder, folder)
  const unmade = { ...name, certificate: undefined, directory }
  if (!isThere(files.key)) return unmade
  const key = loadPrivateKey({ name: files.key, path }, origin, report)
  if (key === undefined) return undefined
  if (!canSignItself(key.key)) {
    report(
      'error',
      path,
      `${files.key} is there without its certificate, and none is made from such a key: EC P-256 or P-384, or RSA of 2048 ` +
        'bits or more will do; move it away for another to be made',
    )
    return undefined
  }
  return unmade
}

const notTrusted = 'partners that ask for a valid certificate will refuse this one'

function notOurs(file: string): string {
  return `${file} is an authority's: name it by certificate, and its key by key, in place of selfSigned`
}

const strongCurves = ['prime256v1', 'secp384r1', 'secp521r1']

function canSignItself({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  const { namedCurve = '', modulusLength = 0 } = asymmetricKeyDetails
  return asymmetricKeyType === 'ec'
    ? strongCurves.includes(namedCurve)
    : asymmetricKeyType === 'rsa' && modulusLength >= 2048
}
