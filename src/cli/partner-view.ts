import type { PartnerJson } from '../admin/partner-view.ts'
import { type ListDifferences, listKeys } from '../config/list-changes.ts'
import { printable } from './output.ts'

/** The negotiation settings in one line, and what they come to. */
export function settingsLine(partner: PartnerJson): string {
  const { partnerType, tlsNegotiation, saslNegotiation, dialbackNegotiation, methods } = partner
  return `${partnerType}, TLS ${tlsNegotiation}, SASL ${saslNegotiation}, dialback ${dialbackNegotiation}: ${methods.join(', ')}`
}

/** What has come into the lists of a partner, and what has gone from them, a line for each list. */
export function listLines(differences: ListDifferences): string[] {
  const names = {
    additionalDomains: 'additional domains',
    trustAnchors: 'trust anchors',
    pinnedCertificates: 'pinned certificates',
  } as const satisfies Record<keyof ListDifferences, string>
  return listKeys.flatMap(key => {
    const { added = [], removed = [] } = differences[key] ?? {}
    const told = Object.entries({ added, removed }).filter(([, items]) => items.length > 0)
    const text = told.map(([deed, items]) => `${deed} ${items.join(', ')}`).join('; ')
    return text === '' ? [] : [printable(`${names[key]}: ${text}`)]
  })
}

/** Everything about a partner, name and value. */
export function partnerRows(partner: PartnerJson): [string, string][] {
  const orNone = (values: readonly string[]): string => values.join(', ') || '-'
  const preset = (key: string): string => (partner.fromType.includes(key) ? ' (preset of the type)' : '')
  return [
    ['partner', partner.primaryDomain],
    ['description', partner.description || '-'],
    ['additional domains', orNone(partner.additionalDomains)],
    ['type', partner.partnerType],
    ['TLS', partner.tlsNegotiation + preset('tlsNegotiation')],
    ['SASL', partner.saslNegotiation + preset('saslNegotiation')],
    ['dialback', partner.dialbackNegotiation + preset('dialbackNegotiation')],
    ['methods, strongest first', orNone(partner.methods)],
    ...partner.notes.map((note): [string, string] => ['note', note]),
    ['keep-alive', String(partner.keepAlive)],
    [
      'connection limit',
      partner.connectionLimit === null ? 'the general one' : String(partner.connectionLimit),
    ],
    ['proxy', partner.proxy ?? 'none, DNS is asked'],
    ['trust anchors', partner.trustAnchors.join(', ') || 'the general ones'],
    ...(partner.pinnedCertificates.length === 0
      ? [['pinned certificates', '-'] as [string, string]]
      : partner.pinnedCertificates.map((pin): [string, string] => ['pinned certificate', pin])),
    ['component secret', partner.componentSecret ? 'of its own' : 'the general one'],
  ]
}
