import type { Target } from '../transport/service-records.ts'
import type { Domain } from '../xmpp/address.ts'
import {
  type Address,
  addressesOf,
  addressless,
  addressTypes,
  aliasOf,
  type DnsFinding,
  failureFinding,
  type HostFacts,
  hostAlias,
  isAbsent,
  type ServiceFacts,
  serviceName,
} from './dns-words.ts'

/** What the gateway's own search came to: targets in the order to try, or none (`message`: what became of the search). */
export type Search =
  | { readonly kind: 'targets'; readonly targets: readonly Target[] }
  | { readonly kind: 'no-service' | 'failed'; readonly message: string }

/** One target and where it leads. Priority and weight are an SRV record's; `ttl` in seconds. */
export type Trial = Omit<Target, 'priority' | 'weight'> & {
  readonly priority: number | null
  readonly weight: number | null
  readonly ttl: number | null
  /** Null where they were not looked up: the targets before are enough. */
  readonly addresses:
    | readonly { readonly address: string; readonly type: string; readonly ttl: number }[]
    | null
  /** The name at which an alias ends. */
  readonly alias: string | null
}

/** What a domain publishes, judged; `isServed` where at least one target has an address. */
export type Service = {
  readonly isServed: boolean
  readonly trials: readonly Trial[]
  readonly findings: readonly DnsFinding[]
}

/**
 * Judges what DNS says of a domain that is to be reached.
 * @param facts undefined where a proxy is set, and DNS is not asked for services
 * @param hosts the addresses of the targets; of those left out nothing is known
 */
export function judgeService(
  domain: Domain,
  search: Search,
  facts: ServiceFacts | undefined,
  hosts: readonly HostFacts[],
): Service {
  const trials = search.kind === 'targets' ? search.targets.map(target => trialOf(target, facts, hosts)) : []
  const isServed = trials.some(({ addresses }) => addresses !== null && addresses.length > 0)
  const findings = [
    ...verdict(domain, search, facts, isServed),
    ...(facts === undefined ? [] : serviceFindings(facts, search)),
    ...(facts !== undefined && isAbsent(facts) ? [] : hosts.flatMap(host => hostFindings(host, isServed))),
  ]
  return { isServed, trials, findings }
}

function trialOf(target: Target, facts: ServiceFacts | undefined, hosts: readonly HostFacts[]): Trial {
  const found = target.directTls ? facts?.xmpps : facts?.xmpp
  const host = hosts.find(facts => facts.host === target.host)
  return {
    ...target,
    priority: target.priority ?? null,
    weight: target.weight ?? null,
    ttl: target.source === 'srv' && found?.kind === 'records' ? found.ttl : null,
    addresses: host === undefined ? null : usableAddresses(host),
    alias: (host && hostAlias(host))?.end ?? null,
  }
}

// As the dialer takes them: what is no host's address is not connected to.
function usableAddresses(host: HostFacts): NonNullable<Trial['addresses']> {
  return addressTypes.toReversed().flatMap(type => {
    const found = host[type]
    if (found.kind !== 'records') return []
    return found.records.filter(isUsable).map(({ text }) => ({ address: text, type, ttl: found.ttl }))
  })
}

function isUsable({ scope }: Address): boolean {
  return scope !== 'nobody'
}

// Where the search failed, the lookups that did are told one by one; of a proxy, what is wrong with its addresses.
function verdict(
  domain: Domain,
  search: Search,
  facts: ServiceFacts | undefined,
  isServed: boolean,
): DnsFinding[] {
  if (facts === undefined) return []
  const severity = 'error'
  if (isAbsent(facts))
    return [{ severity, code: 'no-domain', name: domain, type: 'A', message: 'does not exist (NXDOMAIN)' }]
  const service = { name: serviceName(domain, false), type: 'SRV' } as const
  if (search.kind !== 'targets') {
    const told = { severity, code: 'no-service', ...service, message: search.message } as const
    return search.kind === 'no-service' ? [told] : []
  }
  const isFallback = search.targets[0]?.source === 'fallback'
  const alias = aliasOf(facts.xmpp)
  const absence =
    alias === undefined ? 'not there' : `is an alias (CNAME) of ${alias.end}, which has no such record`
  if (!isServed) {
    const message = isFallback
      ? `${absence}, and ${domain} has no address to fall back to`
      : 'leads to no address'
    return [{ severity, code: 'no-service', ...service, message }]
  }
  const message = `${absence}: what is left is the address of ${domain} itself, port 5269`
  return isFallback ? [{ severity: 'warning', code: 'fallback', ...service, message }] : []
}

function serviceFindings(facts: ServiceFacts, search: Search): DnsFinding[] {
  const findings: DnsFinding[] = []
  for (const [found, directTls] of [
    [facts.xmpp, false],
    [facts.xmpps, true],
  ] as const) {
    const name = serviceName(facts.domain, directTls)
    const type = 'SRV'
    if (found.kind === 'failed') {
      // Half an answer is good for the records in it.
      const severity = search.kind === 'targets' ? 'warning' : 'error'
      findings.push(failureFinding(name, type, found, severity))
    }
    if (found.kind !== 'records') continue
    for (const { target } of found.unusable) {
      const message = `leads to ${target}, which is no host name: it is not tried`
      findings.push({ severity: 'warning', code: 'bad-target', name, type, message })
    }
    for (const { target } of found.records.filter(({ port, target }) => port === 0 && target !== '.')) {
      const message = `leads to ${target}, port 0, where nobody can listen: it is not tried`
      findings.push({ severity: 'warning', code: 'wrong-port', name, type, message })
    }
    const isAlone = found.records.length + found.unusable.length === 1
    const isTold = isAlone && search.kind === 'no-service'
    if (!isTold && found.records.some(({ target }) => target === '.')) {
      const message = isAlone
        ? 'says that there is no such service (target ".")'
        : 'says that there is no such service (target "."), beside records that say where it is; these are used'
      findings.push({ severity: 'warning', code: 'no-service', name, type, message })
    }
  }
  return findings
}

function hostFindings(facts: HostFacts, isServed: boolean): DnsFinding[] {
  const { host } = facts
  const findings: DnsFinding[] = []
  const severity = isServed ? 'warning' : 'error'
  const add = (code: DnsFinding['code'], type: DnsFinding['type'], message: string) =>
    findings.push({ severity, code, name: host, type, message })
  for (const type of addressTypes) {
    const found = facts[type]
    if (found.kind === 'failed') findings.push(failureFinding(host, type, found, severity))
  }
  const absence = addressless(facts)
  if (absence !== undefined) add('no-address', 'A', absence)
  const end = absence === undefined ? hostAlias(facts)?.end : undefined
  if (end !== undefined)
    add('alias', 'A', `is an alias (CNAME) of ${end}: we follow it, though RFC 2782 forbids it for a target`)
  for (const { text } of addressesOf(facts).filter(address => !isUsable(address)))
    add(
      'unusable-address',
      text.includes(':') ? 'AAAA' : 'A',
      `${text} is no host's address, and is not tried`,
    )
  return findings
}
