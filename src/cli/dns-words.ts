import type { DnsAnswer, DnsFailure, SrvRecord } from '../transport/dns-answer.ts'
import { type Domain, toUnicode } from '../xmpp/address.ts'
import type { Scope } from './dns-scope.ts'

/** What DNS says, or why it says nothing; `message` names the name servers. */
export type Found<Value> =
  | DnsAnswer<Value>
  | { readonly kind: 'failed'; readonly code: DnsFailure; readonly message: string }

/** An IP address in its one short form. */
export type Address = { readonly text: string; readonly scope: Scope }

export const addressTypes = ['A', 'AAAA'] as const

/** The addresses of a host. */
export type HostFacts = { readonly host: string } & {
  readonly [type in (typeof addressTypes)[number]]: Found<Address>
}

/** What a domain says of its services, and of itself. */
export type ServiceFacts = {
  readonly domain: Domain
  readonly xmpp: Found<SrvRecord>
  readonly xmpps: Found<SrvRecord>
  /** Where partners go that find no SRV record. */
  readonly own: HostFacts
}

/** What is wrong with one record; `code` is stable. */
export type DnsFinding = {
  readonly severity: 'error' | 'warning'
  readonly code: DnsFault
  readonly name: string
  readonly type: 'SRV' | (typeof addressTypes)[number]
  readonly message: string
}

export type DnsFault =
  | 'missing'
  | 'no-domain'
  | 'no-service'
  | 'wrong-port'
  | 'wrong-target'
  | 'other-target'
  | 'bad-target'
  | 'alias'
  | 'no-address'
  | 'wrong-address'
  | 'private-address'
  | 'unusable-address'
  | 'fallback'
  | `dns-${DnsFailure}`

/**
 * One record. Those that are `published` (as needed), `missing`, `other` (of another gateway, or so it seems) or `unknown` (DNS
 * gave no answer) belong into the zone, those that are `wrong` do not. Without `content`: an address nobody has told us.
 */
export type ZoneRecord = {
  readonly name: string
  /** In seconds; of a record that is there, what is left of it in the name server's memory. */
  readonly ttl: number
  readonly type: DnsFinding['type'] | 'CNAME'
  readonly content: string | null
  readonly status: 'published' | 'missing' | 'wrong' | 'other' | 'unknown'
}

/** What a local domain needs in DNS, and how what is there differs. */
export type DomainPlan = {
  readonly records: readonly ZoneRecord[]
  readonly findings: readonly DnsFinding[]
}

/** Of a record that is new, in seconds: short enough for a move, long enough to spare the name servers. */
export const newTtl = 3600

/** The name of a domain's service: `_xmpps-server` is direct TLS (XEP-0368). */
export function serviceName(domain: Domain, directTls: boolean): string {
  return `${directTls ? '_xmpps' : '_xmpp'}-server._tcp.${domain}`
}

/** The hosts that a domain's SRV records name, each once, those of `_xmpp-server` first, by priority. */
export function targetNames({ xmpp, xmpps }: ServiceFacts): readonly string[] {
  const named = [xmpp, xmpps].flatMap(found => {
    const records = found.kind === 'records' ? found.records : []
    return records.toSorted((one, other) => one.priority - other.priority).map(({ target }) => target)
  })
  return [...new Set(named.filter(target => target !== '.'))]
}

/** Whether DNS says that the domain does not exist at all. NXDOMAIN of a service alone says nothing of the domain. */
export function isAbsent({ xmpp, xmpps, own }: ServiceFacts): boolean {
  return [xmpp, xmpps, own.A, own.AAAA].every(
    found => found.kind === 'no-domain' && found.aliases.length === 0,
  )
}

/** The addresses of a host, both families. */
export function addressesOf(facts: HostFacts): readonly Address[] {
  return addressTypes.flatMap(type => {
    const found = facts[type]
    return found.kind === 'records' ? found.records : []
  })
}

/** An alias (CNAME): the name in its record, the name at its end, and what is left of it in seconds. */
export type Alias = { readonly target: string; readonly end: string; readonly ttl: number }

/** The alias that a name is, as far as an answer tells. */
export function aliasOf(found: Found<unknown>): Alias | undefined {
  if (found.kind === 'failed') return undefined
  const [target, ...others] = found.aliases
  return target === undefined ? undefined : { target, end: others.at(-1) ?? target, ttl: found.ttl }
}

/** The alias that a host is; RFC 2782 wants none as a target. */
export function hostAlias(facts: HostFacts): Alias | undefined {
  return addressTypes.map(type => aliasOf(facts[type])).find(alias => alias !== undefined)
}

/** That a host has no address, and why, as far as its answers tell; undefined where it may have one. */
export function addressless(facts: HostFacts): string | undefined {
  const kinds = addressTypes.map(type => facts[type].kind)
  const end = hostAlias(facts)?.end
  const which = end === undefined ? '' : `is an alias (CNAME) of ${end}, which `
  if (kinds.every(kind => kind === 'no-domain')) return `${which}does not exist (NXDOMAIN)`
  return kinds.every(kind => kind === 'no-data' || kind === 'no-domain')
    ? `${which}has neither A nor AAAA`
    : undefined
}

/** Gives the records of one set one TTL (RFC 2181 §5.2), that of new ones where some are. What is wrong is in no set. */
export function withOneTtl(records: readonly ZoneRecord[]): ZoneRecord[] {
  const setOf = ({ name, type }: ZoneRecord) => `${name} ${type}`
  const changed = new Set(records.filter(({ status }) => status === 'missing').map(setOf))
  return records.map(record =>
    record.status !== 'wrong' && changed.has(setOf(record)) ? { ...record, ttl: newTtl } : record,
  )
}

/** A lookup that failed, and what to do. */
export function failureFinding(
  name: string,
  type: DnsFinding['type'],
  { code, message }: Extract<Found<never>, { kind: 'failed' }>,
  severity: DnsFinding['severity'] = 'error',
): DnsFinding {
  const text = `no answer, which says nothing of the record: ${message}; ${remedies[code]}`
  return { severity, code: `dns-${code}`, name, type, message: text }
}

const remedies = {
  servfail:
    "the domain's name servers are down, or its DNSSEC signatures are not good; it is for those who run them",
  refused: 'this name server does not resolve for us; name another one under dns.servers',
  timeout: 'look at the network, at the firewall (port 53, UDP and TCP), and at dns.servers',
  unreachable: 'no name server is there; look at dns.servers',
  'bad-response': 'the answer is broken; it is for those who run the name servers',
} as const satisfies Record<DnsFailure, string>

/** A name in A-labels, its U-labels beside it where they are others. */
export function withUnicode(name: string): string {
  const unicode = unicodeOf(name)
  return unicode === name ? name : `${name} (${unicode})`
}

/** A name in U-labels, for people alone. */
export function unicodeOf(name: string): string {
  return toUnicode(name as Domain) || name
}
