import { type CertificateFacts, factsOf } from '../certificate-facts.ts'
import { type Identities, loadIdentities } from '../config/identities.ts'
import { ConfigError, type ConfigProblem } from '../config/problems.ts'
import { openReport } from '../config/report.ts'
import { parsePem } from '../identity/certificate.ts'
import type { Domain } from '../xmpp/address.ts'
import { reportCertificates } from './check-certificates.ts'
import type { CommandOptions, Host } from './host.ts'
import {
  asPlain,
  formatJson,
  formatProblems,
  formatSum,
  formatTable,
  inFileOrder,
  tellError,
} from './output.ts'

export type CertCheckOptions = CommandOptions & {
  /** Undefined = every local domain. */
  readonly domain: Domain | undefined
}

/**
 * `cert check`: whether the certificates of the local domains prove them to partners. What keeps one from that is an error
 * here; warnings leave the exit status at 0.
 */
export function checkCertificates({ config, json, domain }: CertCheckOptions, host: Host): number {
  const at = new Date()
  let identities: Identities
  const problems: ConfigProblem[] = []
  try {
    identities = loadIdentities(config, domain)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    identities = { file: config, domains: [], anchors: [], problems: error.problems }
  }
  problems.push(...identities.problems)
  if (domain !== undefined && problems.length === 0 && identities.domains.length === 0) {
    tellError(`gatehouse: ${domain} is not a local domain of ${config}`, host)
    return 1
  }
  reportCertificates(identities, openReport(config, problems), at)
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const domains = identities.domains.map(identity => ({
    domain: identity.domain,
    file: identity.certificate?.path ?? null,
    certificate: leafFacts(identity, at),
  }))
  if (json) host.out(formatJson({ domains, problems: inFileOrder(problems).map(asPlain) }))
  else {
    host.err(formatProblems(problems, host))
    host.out(
      formatTable([
        ['domain', 'valid until', 'days left', 'key', 'purposes', 'issuer'],
        ...domains.map(({ domain, certificate }) => [domain, ...cellsOf(certificate)]),
      ]),
    )
    host.out(formatSum(config, errors, problems.length - errors, host))
  }
  return errors === 0 ? 0 : 1
}

function leafFacts({ certificate }: Identities['domains'][number], at: Date): CertificateFacts | null {
  try {
    const [leaf] = parsePem(certificate?.pem ?? '')
    return leaf === undefined ? null : factsOf(leaf, at)
  } catch {
    return null // what is wrong with it stands among the problems
  }
}

function cellsOf(facts: CertificateFacts | null): string[] {
  if (facts === null) return ['-', '-', '-', '-', 'no certificate']
  const { notAfter, daysLeft, key, purposes, issuer } = facts
  return [notAfter.slice(0, 10), String(daysLeft), key, purposes?.join(', ') ?? 'any', issuer]
}
