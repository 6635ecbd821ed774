import { type Domain, parseDomain } from '../xmpp/address.ts'
import { joinPair, loadCertificates, loadPrivateKey } from './pem.ts'
import { type Report, salvage } from './report.ts'
import { domainSchema, type LocalDomain } from './schema.ts'
import type { Origin } from './secrets.ts'
import { type LocalName, loadSelfSigned } from './self-signed.ts'
import { isRecord } from './yaml-source.ts'

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
  name: LocalName,
  entry: Readonly<Record<string, unknown>>,
  origin: Origin,
  report: Report,
): LocalDomain | undefined {
  const path = ['domains', name.writtenAs]
  const sound = salvage(domainSchema, entry)
  const isNamed = 'certificate' in entry || 'key' in entry
  if (sound.selfSigned === true) {
    if (!isNamed) return loadSelfSigned(name, origin, report)
    report('error', [...path, 'selfSigned'], 'expected either certificate and key, or selfSigned: true')
    return undefined
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
  const pair = joinPair(certificate, key, report)
  return pair === undefined ? undefined : { ...name, ...pair }
}
