import { isDeepStrictEqual } from 'node:util'
import { partnerTypes } from '../policy/partner.ts'
import { parseDomain } from '../xmpp/address.ts'
import type { PartnerKey, WrittenPartner } from './partner-list.ts'

/** One partner of an export. */
export type ExportedPartner = {
  /** Its domain, or its place in the export. */
  readonly name: string
  readonly entry: WrittenPartner
  /** Does it hold numbers where names are needed? */
  readonly needsNames: boolean
  /** Why it cannot be taken over. */
  readonly refusals: readonly string[]
  /** What else there is to say: fields that have no counterpart, presets that fill in for missing ones. */
  readonly notes: readonly string[]
}

/** Gives names, in every PowerShell: the older ones write enumerations as numbers, and have no option for it. */
export const exportCommand = `Get-CsXmppAllowedPartner | Select-Object Identity, AdditionalDomains, \
@{n='PartnerType';e={"$($_.PartnerType)"}}, @{n='TlsNegotiation';e={"$($_.TlsNegotiation)"}}, \
@{n='SaslNegotiation';e={"$($_.SaslNegotiation)"}}, SupportDialbackNegotiation, ProxyFqdn, EnableKeepAlive, \
ConnectionLimit, Description | ConvertTo-Json -Depth 4 | Out-File -Encoding utf8 partners.json`

/**
 * Reads the bytes of an export: UTF-8, or UTF-16 with its mark, as PowerShell's `>` writes it.
 * @returns what its JSON says, or what is wrong with it
 */
export function parseExport(bytes: Buffer): { readonly value: unknown } | { readonly fault: string } {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return { value: JSON.parse(new TextDecoder(encoding, { fatal: true }).decode(bytes)) }
  } catch (error) {
    return {
      fault: error instanceof SyntaxError ? `is not JSON: ${error.message}` : `is not valid ${encoding}`,
    }
  }
}

/** The partners of an export: one object, or a list of them. */
export function readExport(value: unknown): readonly ExportedPartner[] {
  const unwrapped = listOf(value)
  return withoutTwins((unwrapped ?? [value]).map((one, at) => readPartner(one, placeIn(at))))
}

/** How many partners an export has, before it is read. */
export function entriesIn(value: unknown): number {
  return listOf(value)?.length ?? 1
}

function placeIn(at: number): string {
  return `entry ${at + 1}`
}

/** A partner that stands in the export twice is taken over once; where the two differ, the later one is refused, by its place. */
function withoutTwins(partners: readonly ExportedPartner[]): readonly ExportedPartner[] {
  const first = new Map<unknown, number>()
  const told = partners.map(({ notes }) => [...notes])
  return partners.flatMap((partner, at): ExportedPartner[] => {
    const { primaryDomain } = partner.entry
    const earlier = primaryDomain === undefined ? undefined : first.get(primaryDomain)
    if (earlier === undefined) {
      first.set(primaryDomain, at)
      return [{ ...partner, notes: told[at]! }]
    }
    if (isDeepStrictEqual(partner, partners[earlier])) {
      told[earlier]!.push(`stands in the export again, as ${placeIn(at)}, and is taken over once`)
      return []
    }
    const why = `${primaryDomain} stands in the export already, as ${placeIn(earlier)}, and differs from that`
    return [{ ...partner, name: placeIn(at), refusals: [...partner.refusals, why] }]
  })
}

type Fields = Readonly<Record<string, unknown>>

/** Reads a field; `undefined` = it is not there, or says nothing. */
type Reader = (value: unknown) => WrittenPartner[PartnerKey] | Fault

class Fault {
  readonly message: string
  readonly isNumber: boolean

  constructor(message: string, isNumber = false) {
    this.message = message
    this.isNumber = isNumber
  }
}

const requirements = ['required', 'optional', 'notSupported']

const readers = {
  AdditionalDomains: ['additionalDomains', domains],
  PartnerType: ['partnerType', nameOf(partnerTypes)],
  TlsNegotiation: ['tlsNegotiation', nameOf(requirements)],
  SaslNegotiation: ['saslNegotiation', nameOf(requirements)],
  SupportDialbackNegotiation: ['dialbackNegotiation', truth],
  ProxyFqdn: ['proxy', words],
  EnableKeepAlive: ['keepAlive', truth],
  ConnectionLimit: ['connectionLimit', limit],
  Description: ['description', words],
} as const satisfies Readonly<Record<string, readonly [PartnerKey, Reader]>>

/** What remote sessions add to every object. */
const ofPowerShell = ['PSComputerName', 'PSShowComputerName', 'RunspaceId']

function readPartner(value: unknown, place: string): ExportedPartner {
  if (!isFields(value))
    return { name: place, entry: {}, needsNames: false, refusals: ['is not an object'], notes: [] }
  const entry: Record<string, WrittenPartner[PartnerKey]> = {}
  const refusals: string[] = []
  const notes: string[] = []
  let needsNames = false
  const written = value['Domain'] ?? value['Identity']
  const domain = typeof written === 'string' ? parseDomain(written) : undefined
  if (domain === undefined) refusals.push(`Domain, or Identity, is ${shown(written)}, and no domain name`)
  entry['primaryDomain'] = domain
  for (const [field, [key, read]] of Object.entries(readers)) {
    const found = read(value[field])
    if (found instanceof Fault) {
      refusals.push(`${field} ${found.message}`)
      needsNames ||= found.isNumber
    } else if (found !== undefined) entry[key] = found
    else if (field === 'PartnerType') refusals.push('PartnerType is missing')
    else if (/Negotiation$/.test(field))
      notes.push(`${field} is missing, the preset of the partner type holds`)
  }
  const known = [...Object.keys(readers), 'Domain', 'Identity', ...ofPowerShell]
  const strange = Object.keys(value).filter(field => !known.includes(field) && value[field] !== null)
  if (strange.length > 0) notes.push(`not carried over: ${strange.join(', ')}`)
  return { name: domain ?? place, entry, needsNames, refusals, notes }
}

function nameOf(names: readonly string[]): Reader {
  return value => {
    // Remote sessions give a number with its name.
    const name = isFields(value) ? value['Value'] : value
    if (name === undefined || name === null) return undefined
    if (typeof name === 'number') return new Fault(`is the number ${name}, where a name is needed`, true)
    const found = names.find(one => typeof name === 'string' && one.toLowerCase() === name.toLowerCase())
    return found ?? new Fault(`is ${shown(name)}, and none of ${names.join(', ')}`)
  }
}

function domains(value: unknown): readonly string[] | undefined | Fault {
  const list = listOf(value) ?? (value === null || value === undefined || value === '' ? [] : [value])
  const faulty = list.find(one => typeof one !== 'string')
  if (faulty !== undefined) return new Fault(`holds ${shown(faulty)}, and no domain name`)
  return list.length === 0 ? undefined : list.map(one => parseDomain(String(one)) ?? String(one))
}

function truth(value: unknown): boolean | undefined | Fault {
  if (value === null || value === undefined) return undefined
  const text = String(value).toLowerCase()
  return text === 'true' || text === 'false'
    ? text === 'true'
    : new Fault(`is ${shown(value)}, and not true or false`)
}

/** 0 is no limit. */
function limit(value: unknown): number | undefined | Fault {
  if (value === null || value === undefined || value === '' || value === 0 || value === '0') return undefined
  const isWhole = (typeof value === 'number' || typeof value === 'string') && /^\d{1,10}$/.test(String(value))
  return isWhole ? Number(value) : new Fault(`is ${shown(value)}, and no whole number`)
}

function words(value: unknown): string | undefined | Fault {
  if (value === null || value === undefined || value === '') return undefined
  return typeof value === 'string' ? value : new Fault(`is ${shown(value)}, and no text`)
}

/** PowerShell writes a list as one, or as an object that holds it in `value` beside its `Count`. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  return isFields(value) && Array.isArray(value['value']) && 'Count' in value ? value['value'] : undefined
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 80)
}
