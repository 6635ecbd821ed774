import { isIP, isIPv6 } from 'node:net'
import { DnsError } from '../transport/dns-answer.ts'
import type { Resolver } from '../transport/resolver.ts'
import type { Domain } from '../xmpp/address.ts'
import { scopeOf, shortForm } from './dns-scope.ts'
import type { Address, Found, HostFacts, ServiceFacts } from './dns-words.ts'
import { serviceName } from './dns-words.ts'

/** So many hosts of one domain are looked up: DNS can name hundreds, and the first are those that matter. */
export const mostHosts = 16

/** Asks DNS what a domain says of its services. Never throws: what fails is told in its place. */
export async function surveyServices(resolver: Resolver, domain: Domain): Promise<ServiceFacts> {
  const [xmpp, xmpps, own] = await Promise.all([
    settle(resolver.lookup(serviceName(domain, false), 'SRV')),
    settle(resolver.lookup(serviceName(domain, true), 'SRV')),
    surveyHost(resolver, domain),
  ])
  return { domain, xmpp, xmpps, own }
}

/** Looks up the addresses of hosts, each once, the first `mostHosts` of them. */
export async function surveyHosts(
  resolver: Resolver,
  hosts: readonly string[],
): Promise<readonly HostFacts[]> {
  const looked = [...new Set(hosts)].slice(0, mostHosts)
  return await Promise.all(looked.map(host => surveyHost(resolver, host)))
}

async function surveyHost(resolver: Resolver, host: string): Promise<HostFacts> {
  if (isIP(host) !== 0) return addressItself(host)
  const [A, AAAA] = await Promise.all([
    settle(resolver.lookup(host, 'A')),
    settle(resolver.lookup(host, 'AAAA')),
  ])
  return { host, A: withScope(A), AAAA: withScope(AAAA) }
}

function addressItself(host: string): HostFacts {
  const common = { aliases: [], ttl: 0 } as const
  const none = { kind: 'no-data', ...common } as const
  const there = withScope({ kind: 'records', records: [host], unusable: [], authenticated: false, ...common })
  return isIPv6(host) ? { host, A: none, AAAA: there } : { host, A: there, AAAA: none }
}

async function settle<Answer>(
  lookup: Promise<Answer>,
): Promise<Answer | Extract<Found<never>, { kind: 'failed' }>> {
  try {
    return await lookup
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return { kind: 'failed', code: error.code, message: error.message }
  }
}

function withScope(found: Found<string>): Found<Address> {
  if (found.kind !== 'records') return found
  const records = found.records.map(text => ({ text: shortForm(text), scope: scopeOf(text) }))
  return { ...found, records, unusable: [] }
}
