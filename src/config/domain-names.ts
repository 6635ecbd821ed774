import { type Domain, parseDomain } from '../xmpp/address.ts'
import { readText } from './files.ts'
import { beside } from './read-config.ts'
import { isRecord, parseYaml } from './yaml-source.ts'

/** The domains that a configuration and its partner list name, in their order; of a faulty file, as many as can be read. */
export function namedDomains(file: string): { readonly local: Domain[]; readonly partner: Domain[] } {
  const config = mappingIn(file)
  const { domains, partners = 'partners.yaml' } = config
  const list = typeof partners === 'string' ? mappingIn(beside(file, partners))['partners'] : undefined
  return {
    local: domainsIn(Object.keys(isRecord(domains) ? domains : {})),
    partner: domainsIn(
      listIn(list)
        .filter(isRecord)
        .flatMap(({ primaryDomain, additionalDomains }) => [primaryDomain, ...listIn(additionalDomains)]),
    ),
  }
}

function mappingIn(file: string): Readonly<Record<string, unknown>> {
  const read = readText(file)
  return 'text' in read ? parseYaml(file, read.text).value : {}
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function domainsIn(names: readonly unknown[]): Domain[] {
  return names.flatMap(name => (typeof name === 'string' ? (parseDomain(name) ?? []) : []))
}
