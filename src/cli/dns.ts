import { isIPv6 } from 'node:net'
import {
  type DnsSettings,
  findPartnerPlace,
  type PartnerPlace,
  readDnsSettings,
} from '../config/dns-settings.ts'
import { ConfigError } from '../config/problems.ts'
import { DialError, Dialer } from '../transport/dialer.ts'
import { Resolver } from '../transport/resolver.ts'
import type { Domain } from '../xmpp/address.ts'
import { judgeService, type Search } from './dns-partner.ts'
import { type ListeningAt, type PublicPlace, planRecords } from './dns-records.ts'
import { scopeOf, shortForm } from './dns-scope.ts'
import { chooseHost } from './dns-services.ts'
import { surveyHosts, surveyServices } from './dns-survey.ts'
import { type AskedServers, formatPlan, formatService } from './dns-text.ts'
import { targetNames, unicodeOf } from './dns-words.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, tellError, tonedFindings } from './output.ts'

export type DnsOptions = CommandOptions &
  PublicPlace & {
    /** A local domain, or any other; undefined = every local domain. */
    readonly domain: Domain | undefined
  }

/** `dns`: the records that local domains need, and whether they are there; or what another domain publishes. */
export async function showDns(options: DnsOptions, host: Host): Promise<number> {
  const { domain } = options
  let settings: DnsSettings
  let partner: PartnerPlace | undefined
  try {
    settings = readDnsSettings(options.config)
    if (domain !== undefined && !settings.domains.includes(domain))
      partner = findPartnerPlace(settings.partnersFile, domain)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    host.err(formatProblems(error.problems, host))
    return 1
  }
  const { servers, timeoutMs } = settings.dns
  const resolver = new Resolver({ servers, timeoutMs })
  const asked: AskedServers = {
    from: servers === undefined ? 'system' : 'dns.servers',
    servers: resolver.servers.map(
      ({ address, port }) => `${isIPv6(address) ? `[${address}]` : address}:${port}`,
    ),
  }
  if (domain === undefined || settings.domains.includes(domain)) {
    const domains = domain === undefined ? settings.domains : [domain]
    return await showLocal(domains, { resolver, asked, settings }, options, host)
  }
  if (options.host !== undefined || options.addresses.length > 0) {
    tellError(`gatehouse: --host and --address tell of the gateway; ${domain} is not a local domain`, host)
    return 2
  }
  return await showOther(domain, partner, { resolver, asked, timeoutMs }, options, host)
}

async function showLocal(
  domains: readonly Domain[],
  known: { readonly resolver: Resolver; readonly asked: AskedServers; readonly settings: DnsSettings },
  { host: name, addresses, json }: DnsOptions,
  terminal: Host,
): Promise<number> {
  const { resolver, asked } = known
  const listeners = known.settings.listen.map(listeningAt)
  const given = [...new Set(addresses)]
  const plans = []
  for (const domain of domains) {
    const facts = await surveyServices(resolver, domain)
    const chosen = chooseHost(facts, name)
    const hosts = await surveyHosts(resolver, [chosen.name, ...targetNames(facts)])
    const { records, findings } = planRecords(facts, hosts, chosen, listeners, given)
    const ok = findings.every(({ severity }) => severity !== 'error')
    plans.push({ domain, unicode: unicodeOf(domain), ok, host: chosen, records, findings })
  }
  const notes = listeners.flatMap(listenerNotes)
  if (json) terminal.out(formatJson({ asked, notes, domains: plans }))
  else terminal.out(tonedFindings(formatPlan(asked, notes, plans), terminal))
  return plans.every(({ ok }) => ok) ? 0 : 1
}

function listeningAt(listener: DnsSettings['listen'][number]): ListeningAt {
  const { address, port, directTls, proxyProtocol } = listener
  const isEvery = address === '::' || address === '0.0.0.0'
  // Partners connect to the balancer in front of it, whose address is another.
  const scope = isEvery ? 'every' : proxyProtocol === undefined ? scopeOf(address) : 'private'
  return { address: shortForm(address), port, directTls, scope }
}

function listenerNotes({ address, port, scope }: ListeningAt): string[] {
  if (port === 0) return [`the listener at ${address} takes any free port: no record can name it`]
  if (scope !== 'loopback') return []
  return [`the listener at ${address}, port ${port}, is for this machine alone: partners need a way to it`]
}

async function showOther(
  domain: Domain,
  partner: PartnerPlace | undefined,
  known: { readonly resolver: Resolver; readonly asked: AskedServers; readonly timeoutMs: number },
  { json }: DnsOptions,
  terminal: Host,
): Promise<number> {
  const { resolver, asked, timeoutMs } = known
  const proxy = partner?.proxy
  const dialer = new Dialer({ resolver, connectTimeoutMs: timeoutMs }) // it looks up, and connects to nobody
  const [search, facts] = await Promise.all([
    searchBy(dialer, domain, proxy),
    proxy === undefined ? surveyServices(resolver, domain) : undefined,
  ])
  const targets = search.kind === 'targets' ? search.targets.map(target => target.host) : []
  const hosts = await surveyHosts(resolver, targets)
  const service = judgeService(domain, search, facts, hosts)
  const report = {
    domain,
    unicode: unicodeOf(domain),
    partner: partner?.primaryDomain ?? null,
    proxy: proxy ?? null,
    ok: service.isServed,
    targets: service.trials,
    findings: service.findings,
  }
  if (json) terminal.out(formatJson({ asked, ...report }))
  else terminal.out(tonedFindings(formatService(asked, report), terminal))
  return service.isServed ? 0 : 1
}

async function searchBy(dialer: Dialer, domain: Domain, proxy: PartnerPlace['proxy']): Promise<Search> {
  try {
    return { kind: 'targets', targets: await dialer.targets(domain, proxy, new AbortController().signal) }
  } catch (error) {
    if (!(error instanceof DialError)) throw error
    const kind = error.condition === 'remote-server-not-found' ? 'no-service' : 'failed'
    return { kind, message: error.message }
  }
}
