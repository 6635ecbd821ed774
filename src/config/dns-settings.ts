import { z } from 'zod'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import type { Endpoint } from './endpoint.ts'
import { readText } from './files.ts'
import { ConfigError, type ConfigProblem, unreadable } from './problems.ts'
import { beside } from './read-config.ts'
import { reporter, reportIssues } from './report.ts'
import { type Config, configSchema, partnerSchema } from './schema.ts'
import { isRecord, parseYaml } from './yaml-source.ts'

/** What a configuration says that has to do with DNS. */
export type DnsSettings = Pick<Config, 'listen' | 'dns' | 'partnersFile'> & {
  readonly domains: readonly Domain[]
}

const settingsSchema = z.object({
  listen: configSchema.shape.listen,
  dns: configSchema.shape.dns,
  partners: configSchema.shape.partners,
})

/**
 * Reads what has to do with DNS. Nothing else of the file has to be right: records are published before there is a
 * certificate, and no secret is needed for them.
 * @throws {ConfigError} when the file cannot be read, or is wrong in this
 */
export function readDnsSettings(file: string): DnsSettings {
  const { source, problems, report } = open(file)
  const checked = settingsSchema.safeParse(source.value)
  reportIssues(report, checked.error)
  const section = source.value['domains']
  const names = isRecord(section) ? Object.keys(section) : []
  const domains = names.map(parseDomain)
  for (const [at, name] of names.entries()) {
    if (domains[at] === undefined)
      report('error', ['domains', name], 'expected a domain name such as contoso.com as the key')
  }
  if (names.length === 0) report('error', ['domains'], 'expected at least one local domain')
  if (!checked.success || problems.length > 0) throw new ConfigError(problems)
  const { listen, dns, partners } = checked.data
  return {
    listen,
    dns: { servers: dns.servers, timeoutMs: dns.timeout },
    partnersFile: beside(file, partners),
    domains: domains.filter(domain => domain !== undefined),
  }
}

const entrySchema = z.object({
  primaryDomain: partnerSchema.shape.primaryDomain,
  additionalDomains: partnerSchema.shape.additionalDomains,
  proxy: partnerSchema.shape.proxy,
})
const listSchema = z.object({ partners: z.array(entrySchema).default([]) })

/** Where a partner's servers are looked for. */
export type PartnerPlace = { readonly primaryDomain: Domain; readonly proxy: Endpoint | undefined }

/**
 * Finds the partner that a domain belongs to; undefined where it is none.
 * @throws {ConfigError} when the list cannot be read, or is wrong in what matters here
 */
export function findPartnerPlace(partnersFile: string, domain: Domain): PartnerPlace | undefined {
  const { source, problems, report } = open(partnersFile)
  const checked = listSchema.safeParse(source.value)
  reportIssues(report, checked.error)
  if (!checked.success || problems.length > 0) throw new ConfigError(problems)
  const entry = checked.data.partners.find(
    ({ primaryDomain, additionalDomains }) => primaryDomain === domain || additionalDomains.includes(domain),
  )
  return entry && { primaryDomain: entry.primaryDomain, proxy: entry.proxy }
}

function open(file: string) {
  const read = readText(file)
  if ('fault' in read) throw new ConfigError([unreadable(file, read.fault)])
  const source = parseYaml(file, read.text)
  const problems: ConfigProblem[] = [...source.problems]
  return { source, problems, report: reporter(source, problems) }
}
