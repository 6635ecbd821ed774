import type { Domain } from '../xmpp/address.ts'
import type { Service } from './dns-partner.ts'
import type { ChosenHost } from './dns-services.ts'
import { type DnsFinding, type DomainPlan, unicodeOf, withUnicode, type ZoneRecord } from './dns-words.ts'
import { count, formatTable, printable } from './output.ts'

/** Which name servers were asked, and who says so. */
export type AskedServers = { readonly from: 'dns.servers' | 'system'; readonly servers: readonly string[] }

/** A local domain's plan. */
export type NamedPlan = DomainPlan & { readonly domain: Domain; readonly host: ChosenHost }

/** What another domain publishes. `partner`: the primary domain of the partner it belongs to. */
export type NamedService = Pick<Service, 'findings'> & {
  readonly domain: Domain
  readonly partner: string | null
  readonly proxy: { readonly host: string; readonly port: number } | null
  readonly targets: Service['trials']
}

/** Plans as a zone file: what is to be published, and the rest as comments. */
export function formatPlan(
  asked: AskedServers,
  notes: readonly string[],
  plans: readonly NamedPlan[],
): string {
  const head = [askedText(asked), ...notes.map(note => `warning: listen: ${note}`)]
  return [comments(head), ...plans.map(formatDomain)].join('\n')
}

function formatDomain({ domain, host, records, findings }: NamedPlan): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const sum = `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}`
  const head = [`${withUnicode(domain)}, host ${withUnicode(host.name)} (${hostOrigins[host.from]}): ${sum}`]
  return comments(head) + formatTable(records.map(rowOf)) + comments(findings.map(formatFinding))
}

const hostOrigins = {
  option: 'as given by --host',
  published: 'as published; --host NAME for another',
  placeholder: 'a guess; --host NAME tells the right one',
} as const satisfies Record<ChosenHost['from'], string>

const statuses = {
  published: 'there',
  missing: 'missing',
  wrong: 'there, and wrong',
  other: 'there',
  unknown: 'not known',
} as const satisfies Record<ZoneRecord['status'], string>

function rowOf({ name, ttl, type, content, status }: ZoneRecord): string[] {
  const isComment = status === 'wrong' || content === null
  const target = content?.split(' ').at(-1)?.replace(/\.$/, '') ?? ''
  const unicode = unicodeOf(target)
  const beside = unicode === target ? '' : ` (${unicode})`
  return [
    `${isComment ? '; ' : ''}${name}.`,
    `${ttl} IN ${type}`,
    content ?? 'ADDRESS',
    `; ${statuses[status]}${beside}`,
  ]
}

/** What a domain publishes, in the order in which it is tried. */
export function formatService(asked: AskedServers, service: NamedService): string {
  const { domain, partner, proxy, targets, findings } = service
  const standing =
    partner === null ? 'not on the partner list' : partner === domain ? 'partner' : `partner ${partner}`
  const head = [`${withUnicode(domain)}: ${standing}`, askedText(asked)]
  if (proxy !== null)
    head.push('proxy is set: DNS is not asked where the servers are, only for the addresses of the proxy')
  const isDrawn = targets.some((target, at) => target.priority !== null && isLike(target, targets[at + 1]))
  if (isDrawn) head.push('targets of one priority are drawn by weight, anew each time')
  const rows = targets.map((target, at) => [
    `${at + 1}`,
    withUnicode(target.host),
    `${target.port}`,
    target.directTls ? 'direct' : 'STARTTLS',
    sources[target.source],
    `${target.priority ?? '-'}`,
    `${target.weight ?? '-'}`,
    `${target.ttl ?? '-'}`,
    addressCell(target.addresses),
  ])
  const titles = ['', 'target', 'port', 'TLS', 'from', 'priority', 'weight', 'TTL', 'addresses (TTL)']
  return [
    lines(head),
    ...(rows.length === 0 ? [] : [formatTable([titles, ...rows])]),
    ...(findings.length === 0 ? [] : [lines(findings.map(formatFinding))]),
  ].join('\n')
}

function addressCell(addresses: Service['trials'][number]['addresses']): string {
  if (addresses === null) return 'not looked up'
  return addresses.map(({ address, ttl }) => `${address} (${ttl})`).join(', ') || 'none'
}

const sources = { proxy: 'proxy', srv: 'SRV', fallback: 'A/AAAA' } as const

function isLike(one: Service['trials'][number], other: Service['trials'][number] | undefined): boolean {
  return one.priority === other?.priority
}

function askedText({ from, servers }: AskedServers): string {
  const whose = from === 'system' ? "the system's; dns.servers is not set" : 'dns.servers'
  return `name servers: ${servers.join(', ') || 'none'} (${whose})`
}

function formatFinding({ severity, name, type, message }: DnsFinding): string {
  return `${severity}: ${withUnicode(name)} ${type}: ${message}`
}

function lines(texts: readonly string[]): string {
  return texts.map(text => `${printable(text)}\n`).join('')
}

function comments(texts: readonly string[]): string {
  return lines(texts.map(text => `; ${text}`))
}
