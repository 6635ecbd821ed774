import { z } from 'zod'
import type { ListedPartner } from '../config/partners.ts'
import { noteText, rowFor } from '../policy/matrix.ts'
import { judgePolicy, partnerTypes } from '../policy/partner.ts'

const requirement = z.enum(['required', 'optional', 'notSupported'])

/** What the API shows of a partner. */
export const partnerJsonSchema = z.strictObject({
  primaryDomain: z.string(),
  description: z.string(),
  additionalDomains: z.array(z.string()).readonly(),
  partnerType: z.enum(partnerTypes),
  tlsNegotiation: requirement,
  saslNegotiation: requirement,
  dialbackNegotiation: z.boolean(),
  fromType: z.array(z.string()).readonly().describe('The settings that the partner type has filled in.'),
  methods: z.array(z.string()).readonly().describe('What it may use, strongest first.'),
  notes: z.array(z.string()).readonly().describe('What the matrix, and the trust in its type, say of that.'),
  keepAlive: z.boolean(),
  connectionLimit: z.int().nullable(),
  proxy: z.string().nullable(),
  trustAnchors: z.array(z.string()).readonly().describe('File names as written.'),
  pinnedCertificates: z.array(z.string()).readonly(),
  componentSecret: z.boolean().describe('Is there one? It is not shown.'),
})

/** A partner for machines. */
export type PartnerJson = Readonly<z.output<typeof partnerJsonSchema>>

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

function endpoint({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** As openssl prints it. */
function fingerprint(digits: string): string {
  return `sha256:${digits.toUpperCase().match(/../g)!.join(':')}`
}
