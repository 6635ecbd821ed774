import { getCACertificates } from 'node:tls'
import type { Report } from '../config/report.ts'
import type { Config } from '../config/schema.ts'
import { type Certificate, parsePem } from '../identity/certificate.ts'
import { trustAnchors } from '../identity/chain.ts'
import { judgeCertificate, type Trust } from '../identity/verdict.ts'
import type { Domain } from '../xmpp/address.ts'

type Reports = { readonly inConfig: Report; readonly inPartners: Report }

/** Notes what partners, or we ourselves, would find wrong with the certificates of a configuration. */
export function reportCertificates(config: Config, { inConfig, inPartners }: Reports, at: Date): void {
  const ownAnchors: Certificate[] = []
  for (const [index, { pem }] of config.trust.anchorsPem.entries()) {
    const path = ['trust', 'anchors', index]
    const certificates = parse(pem, message => inConfig('error', path, message))
    ownAnchors.push(...certificates)
    for (const finding of certificates.flatMap(one => judgeEnd(one, at))) inConfig('warning', path, finding)
  }
  for (const [index, partner] of config.partners.all.entries()) {
    for (const [position, pem] of partner.trustAnchorsPem.entries()) {
      const path = ['partners', index, 'trustAnchors', position]
      const certificates = parse(pem, message => inPartners('error', path, message))
      for (const finding of certificates.flatMap(one => judgeEnd(one, at)))
        inPartners('warning', path, finding)
    }
  }
  const trust = { anchors: trustAnchors([...systemAuthorities(), ...ownAnchors]) }
  for (const domain of config.domains.values()) {
    if (domain.selfSigned) continue // load has warned of it
    const path = ['domains', domain.writtenAs, 'certificate']
    const chain = parse(domain.certificate.pem, message => inConfig('error', path, message))
    for (const finding of judgeOwn(chain, domain.domain, trust, at)) inConfig('warning', path, finding)
  }
}

const soonMs = 30 * 86_400_000

function judgeOwn(chain: readonly Certificate[], domain: Domain, trust: Trust, at: Date): string[] {
  const verdict = judgeCertificate(chain, domain, trust, at)
  const findings = verdict.valid ? [] : [verdict.reason]
  const [leaf] = chain
  // Another verdict than one about its dates can hide that the certificate runs out.
  if (leaf !== undefined && (verdict.valid || verdict.fault !== 'expired'))
    findings.push(...judgeEnd(leaf, at))
  return findings
}

function judgeEnd({ subject, notAfter }: Certificate, at: Date): string[] {
  const left = notAfter.getTime() - at.getTime()
  if (left >= soonMs) return []
  return [
    `certificate "${subject}" ${left < 0 ? 'expired' : 'expires'} on ${notAfter.toISOString().slice(0, 10)}`,
  ]
}

function systemAuthorities(): Certificate[] {
  return getCACertificates('system').flatMap(pem => parse(pem, () => undefined))
}

function parse(pem: string, complain: (message: string) => void): Certificate[] {
  try {
    return parsePem(pem)
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
    return []
  }
}
