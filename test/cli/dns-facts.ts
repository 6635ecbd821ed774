import type { Scope } from '../../src/cli/dns-scope.ts'
import type { Address, Found, HostFacts, ServiceFacts } from '../../src/cli/dns-words.ts'
import { isUsable, type SrvRecord } from '../../src/transport/dns-answer.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'

/** The domain that the tables are about. */
export const contoso = parseDomain('contoso.com') as Domain

export const noData = { kind: 'no-data', aliases: [], ttl: 30 } as const
export const noDomain = { kind: 'no-domain', aliases: [], ttl: 30 } as const
export const servfail = { kind: 'failed', code: 'servfail', message: 'SERVFAIL' } as const

/** SRV records, written `priority weight port target`; those whose target is no host name are unusable. */
export function srv(...texts: readonly string[]): Extract<Found<SrvRecord>, { kind: 'records' }> {
  const all = texts.map(text => {
    const [priority, weight, port, target = ''] = text.split(' ')
    return { priority: Number(priority), weight: Number(weight), port: Number(port), target }
  })
  const records = all.filter(isUsable)
  const unusable = all.filter(record => !isUsable(record))
  return { kind: 'records', records, unusable, authenticated: false, aliases: [], ttl: 60 }
}

/** The same answer, at the end of these aliases. */
export function through<Answer extends object>(answer: Answer, ...aliases: readonly string[]): Answer {
  return { ...answer, aliases }
}

/** A host with these addresses, or with these answers. */
export function host(
  name: string,
  found: {
    readonly A?: Found<Address> | readonly string[]
    readonly AAAA?: Found<Address> | readonly string[]
    readonly alias?: string
    readonly scope?: Scope
  } = {},
): HostFacts {
  const asFound = (answer: Found<Address> | readonly string[] = noData): Found<Address> => {
    if ('kind' in answer) return answer
    const records = answer.map(text => ({ text, scope: found.scope ?? 'public' }))
    const aliases = found.alias === undefined ? [] : [found.alias]
    return { kind: 'records', records, unusable: [], authenticated: false, aliases, ttl: 60 }
  }
  return { host: name, A: asFound(found.A), AAAA: asFound(found.AAAA) }
}

/** What contoso.com publishes; what is left out, it does not. */
export function services(found: Partial<ServiceFacts> = {}): ServiceFacts {
  return { domain: contoso, xmpp: noData, xmpps: noData, own: host(contoso), ...found }
}
