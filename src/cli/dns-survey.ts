import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net'
import { isHost } from '../transport/dialer.ts'
import { DnsError } from '../transport/dns-answer.ts'
import type { Resolver } from '../transport/resolver.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Address, Found, HostFacts, Scope, ServiceFacts } from './dns-words.ts'
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

/** An IP address in the form in which two that are the same are equal. */
export function shortForm(address: string): string {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return new SocketAddress({ address, family }).address
}

/** Who can reach an address. */
export function scopeOf(address: string): Scope {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (!isHost(address)) return 'nobody'
  if (loopback.check(address, family)) return 'loopback'
  return inside.check(address, family) ? 'private' : 'public'
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
  const answer = { kind: 'records', records: [host], authenticated: false, owner: host, ttl: 0 } as const
  const [there, none] = [withScope(answer), { kind: 'no-data' } as const]
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
  return { ...found, records }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

// RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291 §2.5.6.
const inside = new BlockList()
inside.addSubnet('10.0.0.0', 8, 'ipv4')
inside.addSubnet('172.16.0.0', 12, 'ipv4')
inside.addSubnet('192.168.0.0', 16, 'ipv4')
inside.addSubnet('100.64.0.0', 10, 'ipv4')
inside.addSubnet('169.254.0.0', 16, 'ipv4')
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addSubnet('fe80::', 10, 'ipv6')
