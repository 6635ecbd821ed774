import type { Requirement, Terms } from '../negotiation/stream.ts'
import type { Domain } from '../xmpp/address.ts'
import { type NegotiationSettings, noteText, rowFor, termsOf } from './matrix.ts'

/** How far a partner is trusted with our users (contract §3). */
export const partnerTypes = ['federated', 'publicVerified', 'publicUnverified'] as const

export type PartnerType = (typeof partnerTypes)[number]

/** One entry of the partner list: domains that live under one policy. */
export type Partner = {
  readonly primaryDomain: Domain
  /** Every domain of the partner, the primary one first. */
  readonly domains: readonly Domain[]
  readonly description: string
  readonly partnerType: PartnerType
  readonly tlsNegotiation: Requirement
  readonly saslNegotiation: Requirement
  readonly dialbackNegotiation: boolean
  /** What the three settings above permit. */
  readonly terms: Terms
  readonly keepAlive: boolean
  /** Streams with this partner, both directions; undefined = the general limit. */
  readonly connectionLimit: number | undefined
  /** Where to connect instead of asking DNS. */
  readonly proxy: { readonly host: string; readonly port: number } | undefined
  /** PEM texts; when there are any, these certification authorities only. */
  readonly trustAnchorsPem: readonly string[]
  /** SHA-256 of the leaf certificates accepted, lower-case hex without colons. */
  readonly pinnedCertificates: readonly string[]
  /** The secret of this partner's component streams, where it is not the common one. */
  readonly componentSecret: string | undefined
}

/** What a partner is made of; what is left out takes its preset or is empty. */
export type PartnerSettings = Pick<Partner, 'primaryDomain' | 'partnerType'> & {
  readonly additionalDomains?: readonly Domain[] | undefined
} & {
  readonly [K in Exclude<keyof Partner, 'primaryDomain' | 'partnerType' | 'domains' | 'terms'>]?:
    | Partner[K]
    | undefined
}

/** What is wrong with a partner's negotiation settings, and what an operator should know of them. */
export type PolicyFindings = { readonly error: string | undefined; readonly warnings: readonly string[] }

/** The partners, and which of them a domain belongs to. */
export type PartnerList = {
  readonly all: readonly Partner[]
  /** The partner this very domain is listed under; a subdomain of a listed one is not implied. */
  readonly find: (domain: Domain) => Partner | undefined
}

/** The negotiation settings of a partner type where an entry says nothing. */
export const presets = {
  federated: { tls: 'required', sasl: 'required', dialback: false },
  publicVerified: { tls: 'required', sasl: 'optional', dialback: true },
  publicUnverified: { tls: 'required', sasl: 'optional', dialback: true },
} as const satisfies Record<PartnerType, NegotiationSettings>

/** The negotiation settings of an entry, its presets filled in. */
export function negotiationOf(
  entry: Pick<PartnerSettings, 'partnerType' | 'tlsNegotiation' | 'saslNegotiation' | 'dialbackNegotiation'>,
): NegotiationSettings {
  const preset = presets[entry.partnerType]
  return {
    tls: entry.tlsNegotiation ?? preset.tls,
    sasl: entry.saslNegotiation ?? preset.sasl,
    dialback: entry.dialbackNegotiation ?? preset.dialback,
  }
}

/** Judges negotiation settings by the matrix, and by the trust that the partner type brings with it. */
export function judgePolicy(partnerType: PartnerType, settings: NegotiationSettings): PolicyFindings {
  const row = rowFor(settings)
  if (!row.valid) return { error: noteText(row), warnings: [] }
  const warnings = row.severity === 'warning' ? [noteText(row)] : []
  if (partnerType === 'federated' && row.methods.every(method => method === 'dialback-tcp')) {
    warnings.push(
      'Full trust over clear text: a federated partner that can only be reached by dialback over plain TCP.',
    )
  }
  return { error: undefined, warnings }
}

/**
 * Judges settings that somebody chooses now: SASL without TLS is refused then, though a file that has it is loaded.
 * @returns what to do instead, or undefined where they may be chosen
 */
export function judgeNewSettings({ tls, sasl }: NegotiationSettings): string | undefined {
  if (tls !== 'notSupported' || sasl === 'notSupported') return undefined
  return 'SASL requires TLS; set TLS to required or optional, or SASL to notSupported'
}

/**
 * Makes a partner of an entry: presets filled in, terms worked out.
 * @throws {RangeError} when the matrix holds its settings invalid
 */
export function definePartner(entry: PartnerSettings): Partner {
  const settings = negotiationOf(entry)
  return {
    primaryDomain: entry.primaryDomain,
    domains: [entry.primaryDomain, ...(entry.additionalDomains ?? [])],
    description: entry.description ?? '',
    partnerType: entry.partnerType,
    tlsNegotiation: settings.tls,
    saslNegotiation: settings.sasl,
    dialbackNegotiation: settings.dialback,
    terms: termsOf(settings),
    keepAlive: entry.keepAlive ?? false,
    connectionLimit: entry.connectionLimit,
    proxy: entry.proxy,
    trustAnchorsPem: entry.trustAnchorsPem ?? [],
    pinnedCertificates: entry.pinnedCertificates ?? [],
    componentSecret: entry.componentSecret,
  }
}

/** Makes the list that answers which partner a domain belongs to; where two claim it, the first does. */
export function partnerList(partners: readonly Partner[]): PartnerList {
  const byDomain = new Map<Domain, Partner>()
  for (const partner of partners) {
    for (const domain of partner.domains) if (!byDomain.has(domain)) byDomain.set(domain, partner)
  }
  return { all: partners, find: domain => byDomain.get(domain) }
}
