import type { ListedPartner } from '../config/partners.ts'
import { noteText, rowFor } from '../policy/matrix.ts'
import { judgePolicy, type Partner } from '../policy/partner.ts'

/** A partner for machines; `fromType` names the settings that the partner type has filled in. */
export type PartnerJson = Omit<
  Partner,
  'domains' | 'terms' | 'connectionLimit' | 'proxy' | 'trustAnchorsPem' | 'componentSecret'
> & {
  readonly additionalDomains: readonly string[]
  readonly fromType: readonly string[]
  /** What it may use, strongest first. */
  readonly methods: readonly string[]
  /** What the matrix, and the trust in its type, say of that. */
  readonly notes: readonly string[]
  readonly connectionLimit: number | null
  readonly proxy: string | null
  /** File names as written. */
  readonly trustAnchors: readonly string[]
  /** Is there one? It is not shown. */
  readonly componentSecret: boolean
}

/** An entry as it is in force; undefined where it is faulty. */
export function partnerJson({ partner, written, sound }: ListedPartner): PartnerJson | undefined {
  if (partner === undefined) return undefined
  const {
    domains,
    terms,
    connectionLimit,
    proxy,
    trustAnchorsPem: _,
    componentSecret: __,
    ...plain
  } = partner
  const negotiation = ['tlsNegotiation', 'saslNegotiation', 'dialbackNegotiation']
  const settings = {
    tls: partner.tlsNegotiation,
    sasl: partner.saslNegotiation,
    dialback: partner.dialbackNegotiation,
  }
  const { warnings } = judgePolicy(partner.partnerType, settings)
  return {
    ...plain,
    additionalDomains: domains.slice(1),
    fromType: negotiation.filter(key => written[key] === undefined),
    methods: terms.methods,
    notes: [...new Set([noteText(rowFor(settings)), ...warnings])].filter(note => note !== ''),
    connectionLimit: connectionLimit ?? null,
    proxy: proxy === undefined ? null : endpoint(proxy),
    trustAnchors: sound.trustAnchors ?? [],
    pinnedCertificates: partner.pinnedCertificates.map(fingerprint),
    componentSecret: written['componentSecret'] !== undefined,
  }
}

/** The negotiation settings in one line, and what they come to. */
export function settingsLine(partner: PartnerJson): string {
  const { partnerType, tlsNegotiation, saslNegotiation, dialbackNegotiation, methods } = partner
  return `${partnerType}, TLS ${tlsNegotiation}, SASL ${saslNegotiation}, dialback ${dialbackNegotiation}: ${methods.join(', ')}`
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

function endpoint({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** As openssl prints it. */
function fingerprint(digits: string): string {
  return `sha256:${digits.toUpperCase().match(/../g)!.join(':')}`
}
