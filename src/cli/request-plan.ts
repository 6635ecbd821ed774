import { type Subject, subjectParts } from '../identity/certification-request.ts'
import { type NamesToCertify, namesOf } from '../identity/issue.ts'
import { type Domain, parseDomain } from '../xmpp/address.ts'

/** The kinds of keys, each with its lengths in bits; the first one is the default. */
export const keyLengths = { ec: [256, 384], rsa: [2048, 3072, 4096] } as const

/** What the operator wants certified, as given on the command line. */
export type Wishes = {
  /** Undefined = the first local domain. */
  readonly domain: Domain | undefined
  readonly keyType: keyof typeof keyLengths
  /** Bits; undefined = the default of the type. */
  readonly keyLength: number | undefined
  readonly friendlyName: string | undefined
  readonly organization: string | undefined
  readonly unit: string | undefined
  readonly country: string | undefined
  readonly state: string | undefined
  readonly city: string | undefined
  /** More dNSNames. */
  readonly san: readonly string[]
  /** `sip.DOMAIN` for each domain. */
  readonly sipDomain: boolean
  readonly xmppAddr: boolean
}

/** What is going to be asked for. */
export type RequestPlan = {
  readonly domain: Domain
  readonly keyType: keyof typeof keyLengths
  readonly keyLength: number
  readonly subject: Subject
  readonly names: Required<NamesToCertify>
  readonly friendlyName: string | undefined
}

const longest = { friendlyName: 255 /* RFC 2985 appendix B.1 */, ...subjectParts }

/**
 * Works out a request for a certificate.
 * @param locals the local domains, all of which it is to name
 * @returns the plan, or everything that is wrong with the wishes
 */
export function planRequest(
  wishes: Wishes,
  locals: readonly Domain[],
): { readonly plan: RequestPlan } | { readonly faults: readonly string[] } {
  const { keyType, keyLength = keyLengths[keyType][0], friendlyName } = wishes
  const domain = wishes.domain ?? locals[0]
  if (domain === undefined) return { faults: ['there is no local domain in the configuration: name one'] }
  const faults: string[] = []
  if (!isHostName(domain))
    faults.push(`${domain} is no host name, such as contoso.com: no authority certifies it`)
  if (!(keyLengths[keyType] as readonly number[]).includes(keyLength))
    faults.push(`--key-length of ${keyType} is one of ${keyLengths[keyType].join(', ')}, not ${keyLength}`)
  const subject: Subject = {
    country: wishes.country?.toUpperCase(),
    state: wishes.state,
    city: wishes.city,
    organization: wishes.organization,
    unit: wishes.unit,
    // Longer ones do not fit, and nobody may match it anyway: then the names alone speak.
    commonName: domain.length <= subjectParts.commonName ? domain : undefined,
  }
  // Before it is in capitals: those of ß are two.
  if (wishes.country !== undefined && !/^[A-Za-z]{2}$/.test(wishes.country))
    faults.push('--country is two letters, such as DE')
  for (const [option, most] of Object.entries(longest)) {
    const text = { ...subject, friendlyName }[option as keyof typeof longest]
    if (text !== undefined && option !== 'country' && !isName(text, most))
      faults.push(
        `--${option === 'friendlyName' ? 'friendly-name' : option} is 1 to ${most} characters, on one line`,
      )
  }
  const domains = [...new Set([domain, ...locals])].filter(isHostName)
  const more = wishes.san.flatMap(name => readDnsName(name, faults))
  const sip = wishes.sipDomain ? domains.map(one => `sip.${one}`) : []
  const each = domains.map(namesOf)
  const names = {
    dns: [...new Set([...each.flatMap(({ dns }) => dns), ...sip, ...more])],
    srv: each.flatMap(({ srv }) => srv),
    xmpp: wishes.xmppAddr ? each.flatMap(({ xmpp }) => xmpp) : [],
  }
  if (faults.length > 0) return { faults }
  return { plan: { domain, keyType, keyLength, subject, names, friendlyName } }
}

function isName(text: string, most: number): boolean {
  return text.trim() !== '' && text.length <= most && !/\p{C}/u.test(text)
}

// A wildcard may stand for the whole left-most label, above two others (RFC 9525 §6.3): nobody owns all of a top-level domain.
function readDnsName(text: string, faults: string[]): string[] {
  const wildcard = text.startsWith('*.') ? '*.' : ''
  const host = parseDomain(text.slice(wildcard.length))
  if (host !== undefined && isHostName(host) && (wildcard === '' || host.includes('.')))
    return [wildcard + host]
  faults.push(`--san ${text} is no host name, such as xmpp.contoso.com or *.contoso.com`)
  return []
}

/**
 * Whether a domain can stand as a dNSName (RFC 5280 §4.2.1.6), without which authorities refuse the request as a whole: an IP
 * address cannot, nor what else has a number for its last label, nor an underscore.
 */
export function isHostName(domain: Domain): boolean {
  return !domain.includes('_') && !/(^|\.)(\d+|0x[\da-f]*)$/.test(domain)
}
