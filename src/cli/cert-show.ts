import { type CertificateFacts, factsOf, type RequestFacts, requestFactsOf } from '../certificate-facts.ts'
import { isThere, readText } from '../config/files.ts'
import { type Identities, loadIdentities } from '../config/identities.ts'
import { ConfigError } from '../config/problems.ts'
import { coversDomain } from '../identity/names.ts'
import type { Trust } from '../identity/verdict.ts'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import { type Finding, findingsButName, findingsFor } from './certificate-findings.ts'
import { publicTrust } from './check-certificates.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, formatTable, tellError } from './output.ts'
import { readPem, readShowable } from './showable.ts'

export type ShowOptions = CommandOptions & {
  /** A local domain or a file; undefined = every local domain. */
  readonly what: string | undefined
}

type Shown = {
  readonly file: string
  /** The local domain whose file it is; null for a file that was named. */
  readonly domain: Domain | null
  /** In the order of the file. */
  readonly certificates: readonly CertificateFacts[]
  /** Where the file holds a request for a certificate instead. */
  readonly request: RequestFacts | null
  readonly findings: readonly Finding[]
}

/** `cert show`: what certificates say, and what they lack to prove a local domain. */
export function showCertificates({ config, json, what }: ShowOptions, host: Host): number {
  const identities = readIdentities(config)
  const named = what === undefined ? undefined : parseDomain(what)
  const domains =
    identities instanceof ConfigError
      ? []
      : identities.domains.filter(({ domain }) => what === undefined || domain === named)
  if (identities instanceof ConfigError && (what === undefined || !isThere(what))) {
    host.err(formatProblems(identities.problems, host))
    return 1
  }
  const known = identities instanceof ConfigError ? undefined : identities
  const trust = publicTrust(known?.anchors ?? [])
  const at = new Date()
  const shown: Shown[] = []
  let failed = false
  const attempt = (read: () => Shown): void => {
    try {
      shown.push(read())
    } catch (error) {
      failed = true
      tellError(`gatehouse: ${error instanceof Error ? error.message : String(error)}`, host)
    }
  }
  if (what !== undefined && domains.length === 0) attempt(() => showFile(what, known, trust, at))
  for (const { domain, certificate } of domains)
    attempt(() => {
      if (certificate === undefined)
        throw new Error(`${domain} has no certificate to show; see gatehouse cert check`)
      const { path: file, pem } = certificate
      const chain = readPem(file, pem)
      const findings = findingsFor(chain, domain, trust, at)
      return { file, domain, certificates: chain.map(one => factsOf(one, at)), request: null, findings }
    })
  if (json) host.out(formatJson({ files: shown }))
  else host.out(shown.map(format).join('\n'))
  return failed ? 1 : 0
}

function readIdentities(config: string): Identities | ConfigError {
  try {
    return loadIdentities(config)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function showFile(file: string, known: Identities | undefined, trust: Trust, at: Date): Shown {
  const text = readText(file)
  if ('fault' in text) throw new Error(`neither a local domain nor a file to show: ${text.fault}`)
  const { chain, request, note } = readShowable(file, text)
  if (request !== undefined)
    return { file, domain: null, certificates: [], request: requestFactsOf(request), findings: [] }
  const [leaf] = chain
  const covered = known?.domains.find(({ domain }) => leaf !== undefined && coversDomain(leaf.names, domain))
  const findings: Finding[] =
    covered === undefined
      ? findingsButName(chain, file, trust, at)
      : findingsFor(chain, covered.domain, trust, at)
  if (covered === undefined && known !== undefined) {
    const domains = known.domains.map(({ domain }) => domain).join(', ')
    findings.unshift({
      severity: 'warning',
      message: `it bears the name of no local domain (${domains}), which is as it should be with a partner's`,
    })
  }
  if (note !== undefined) findings.unshift({ severity: 'warning', message: note })
  return { file, domain: null, certificates: chain.map(one => factsOf(one, at)), request: null, findings }
}

function format({ file, domain, certificates, request, findings }: Shown): string {
  const title = domain === null ? file : `${domain}: ${file}`
  if (request !== null) return `${title}\n\n${formatTable(requestRows(request))}`
  const lacks = findings.map(({ severity, message }) => ['lacks', `${severity}: ${message}`])
  return [
    `${title}\n`,
    ...certificates.map((facts, at) => formatTable(rowsOf(facts, `${at + 1} of ${certificates.length}`))),
    formatTable(lacks.length === 0 ? [['lacks', 'nothing']] : lacks),
  ].join('\n')
}

function requestRows({ subject, names, key, purposes }: RequestFacts): string[][] {
  return [
    ['request', 'for a certificate'],
    ['subject', subject],
    ...nameRows(names),
    ['key', key],
    ['purposes', purposes === null ? 'any' : purposes.join(', ')],
  ]
}

function nameRows({ dns, srv, xmpp }: CertificateFacts['names']): string[][] {
  return [
    ...dns.map(name => ['dNSName', name]),
    ...srv.map(name => ['SRVName', name]),
    ...xmpp.map(name => ['XmppAddr', name]),
  ]
}

function rowsOf(facts: CertificateFacts, place: string): string[][] {
  const { names, notBefore, notAfter, daysLeft, purposes } = facts
  const day = (date: string): string => date.slice(0, 10)
  return [
    ['certificate', facts.isCa ? `${place}, of an authority` : place],
    ['subject', facts.subject],
    ['issuer', facts.issuer],
    ['serial', facts.serial],
    ...nameRows(names),
    ['valid', `${day(notBefore)} to ${day(notAfter)}, ${daysLeft < 0 ? 'expired' : `${daysLeft} days left`}`],
    ['key', facts.key],
    ['signature', facts.signature],
    ['purposes', purposes === null ? 'any' : purposes.join(', ')],
    ['fingerprint', facts.fingerprint],
  ]
}
