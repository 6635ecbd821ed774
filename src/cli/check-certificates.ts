import { getCACertificates } from 'node:tls'
import type { Identities } from '../config/identities.ts'
import type { ListedPartner } from '../config/partners.ts'
import type { Report } from '../config/report.ts'
import type { PemFile } from '../config/schema.ts'
import { type Certificate, parsePem } from '../identity/certificate.ts'
import { isSelfIssued, trustAnchors } from '../identity/chain.ts'
import type { Trust } from '../identity/verdict.ts'
import { endFindings, type Finding, findingsFor } from './certificate-findings.ts'

/**
 * Notes what partners would find wrong with the certificates of the local domains, and what is with the trust anchors.
 * @param leniently note findings as warnings; a certificate that cannot be read stays an error
 */
export function reportCertificates(
  { domains, anchors }: Pick<Identities, 'domains' | 'anchors'>,
  report: Report,
  at: Date,
  leniently?: 'warning',
): void {
  for (const anchor of anchors) reportAnchors(anchor, ['trust', 'anchors', anchor.position], report, at)
  const trust = publicTrust(anchors)
  for (const { domain, writtenAs, selfSigned, certificate } of domains) {
    if (certificate === undefined) continue // the load has said so, or it will be made at the start
    const path = ['domains', writtenAs, selfSigned ? 'selfSigned' : 'certificate']
    const chain = parse(certificate, message => report('error', path, message))
    const findings = findingsFor(chain, domain, selfSigned ? trustingItself(chain, trust) : trust, at)
    for (const { severity, message } of findings) report(leniently ?? severity, path, message)
  }
}

/** Notes what is wrong with the trust anchors of single partners. */
export function reportPartnerAnchors(
  partners: readonly Pick<ListedPartner, 'index' | 'anchors'>[],
  report: Report,
  at: Date,
): void {
  for (const { index, anchors } of partners) {
    for (const anchor of anchors)
      reportAnchors(anchor, ['partners', index, 'trustAnchors', anchor.position], report, at)
  }
}

/** What partners trust, as far as we can know: public authorities, and those that we trust ourselves. */
export function publicTrust(anchors: Identities['anchors']): Trust {
  const own = anchors.flatMap(anchor => parse(anchor, () => undefined))
  const system = getCACertificates('system').flatMap(pem => parse({ path: 'system', pem }, () => undefined))
  return { anchors: trustAnchors([...system, ...own]) }
}

// Who takes a self-signed certificate has pinned it, or minds no certificate: its names and dates are what may be wrong.
function trustingItself([leaf]: readonly Certificate[], trust: Trust): Trust {
  return leaf !== undefined && isSelfIssued(leaf) ? { ...trust, pins: [leaf.fingerprint] } : trust
}

function reportAnchors(file: PemFile, path: Parameters<Report>[1], report: Report, at: Date): void {
  const certificates = parse(file, message => report('error', path, message))
  const findings: Finding[] = certificates.flatMap(one => endFindings(one, at))
  for (const { severity, message } of findings) report(severity, path, message)
}

function parse({ path, pem }: PemFile, complain: (message: string) => void): Certificate[] {
  try {
    return parsePem(pem)
  } catch (error) {
    complain(`${path}: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
}
