import { resolve } from 'node:path'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import { loadCertificates, loadPrivateKey } from './pem.ts'
import { type Report, salvage } from './report.ts'
import { domainSchema, type LocalDomain } from './schema.ts'
import type { Origin } from './secrets.ts'
import { isRecord } from './yaml-source.ts'

/** Where certificates are made for domains that are `selfSigned`, relative to the configuration. */
export const selfSignedFolder = '../certs'

/** Reads the local domains with their certificates; the faulty ones are reported and left out. */
export function loadDomains(
  section: unknown,
  origin: Origin,
  report: Report,
): ReadonlyMap<Domain, LocalDomain> {
  const domains = new Map<Domain, LocalDomain>()
  const writtenAs = new Map<Domain, string>()
  if (!isRecord(section)) return domains
  if (Object.keys(section).length === 0) report('error', ['domains'], 'expected at least one local domain')
  for (const [name, entry] of Object.entries(section)) {
    const domain = parseDomain(name)
    if (domain === undefined) {
      report('error', ['domains', name], 'expected a domain name such as contoso.com as the key')
      continue
    }
    const earlier = writtenAs.get(domain)
    if (earlier !== undefined) report('error', ['domains', name], `is the same domain as ${earlier}`)
    writtenAs.set(domain, name)
    if (!isRecord(entry)) continue // the schema has said so
    const loaded = loadDomain({ domain, writtenAs: name }, entry, origin, report)
    if (loaded !== undefined) domains.set(domain, loaded)
  }
  return domains
}

function loadDomain(
  name: { readonly domain: Domain; readonly writtenAs: string },
  entry: Readonly<Record<string, unknown>>,
  origin: Origin,
  report: Report,
): LocalDomain | undefined {
  const path = ['domains', name.writtenAs]
  const sound = salvage(domainSchema, entry)
  const isNamed = 'certificate' in entry || 'key' in entry
  if (sound.selfSigned === true) {
    if (isNamed)
      report('error', [...path, 'selfSigned'], 'expected either certificate and key, or selfSigned: true')
    else
      report(
        'warning',
        [...path, 'selfSigned'],
        'partners that ask for a valid certificate will refuse this one',
      )
    return { ...name, selfSigned: true, directory: resolve(origin.folder, selfSignedFolder) }
  }
  const isMiswritten = 'selfSigned' in entry && sound.selfSigned === undefined // the schema has said so
  if (!isNamed) {
    if (!isMiswritten) report('error', path, 'expected certificate and key, or selfSigned: true')
  } else if (!('key' in entry))
    report('error', path, 'key is required beside certificate: the PEM file of its private key')
  else if (!('certificate' in entry)) report('error', path, 'certificate is required beside key: a PEM file')
  const certificate =
    sound.certificate === undefined
      ? undefined
      : loadCertificates({ name: sound.certificate, path: [...path, 'certificate'] }, origin, report)
  const key =
    sound.key === undefined
      ? undefined
      : loadPrivateKey({ name: sound.key, path: [...path, 'key'] }, origin, report)
  if (certificate === undefined || key === undefined) return undefined
  if (!certificate.leaf.checkPrivateKey(key.key)) {
    report(
      'error',
      [...path, 'key'],
      `${key.path} is not the key of ${certificate.path}, whose first certificate must be the domain's own`,
    )
    return undefined
  }
  return {
    ...name,
    selfSigned: false,
    certificate: { path: certificate.path, pem: certificate.pem },
    key: { path: key.path, pem: key.pem },
  }
}
