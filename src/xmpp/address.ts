import { domainToASCII, domainToUnicode } from 'node:url'

declare const parsed: unique symbol

/** A domain in A-labels and lower case, as DNS, TLS, files and logs write it. Made by `parseDomain` alone. */
export type Domain = string & { readonly [parsed]: 'domain' }

/** A bare address in the one form in which RFC 7622 compares it; of a domain itself, the domain. Made by `canonicalBare` alone. */
export type BareJid = string & { readonly [parsed]: 'bare' }

/** The parts of an XMPP address (RFC 7622), its domain prepared. */
export type Jid = {
  readonly local: string | undefined
  readonly domain: Domain
  readonly resource: string | undefined
}

const maxPartBytes = 1023 // RFC 7622 §3.2–3.4
const hostName = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/

/**
 * Prepares a domain for comparison: IDNA to A-labels, lower case, one trailing dot removed (RFC 7622 §3.2).
 * @returns undefined where the text is no domain name
 */
export function parseDomain(text: string): Domain | undefined {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  if (bare === '' || bare.length > maxPartBytes) return undefined
  if (hostName.test(bare) && !bare.includes('xn--')) return bare.length <= 253 ? (bare as Domain) : undefined
  const ascii = domainToASCII(bare).toLowerCase()
  // The URL parser also reads numbers and percent escapes: nothing it had to guess at is a domain here.
  if (/[%:[\]@/\\?#\s]/.test(bare) || ascii.length > 253) return undefined
  return hostName.test(ascii) ? (ascii as Domain) : undefined
}

/** The domain in U-labels, as stream headers and component streams bear it (RFC 6120 §4.7, RFC 7622 §3.2). */
export function toUnicode(domain: Domain): string {
  return domain.includes('xn--') ? domainToUnicode(domain) : domain
}

/**
 * Splits and checks an address by RFC 7622 §3: part lengths, and the characters each part forbids.
 * @returns undefined where RFC 7622 forbids the address
 */
export function parseJid(text: string): Jid | undefined {
  const slash = text.indexOf('/')
  const bare = slash < 0 ? text : text.slice(0, slash)
  const resource = slash < 0 ? undefined : text.slice(slash + 1)
  const at = bare.indexOf('@')
  const local = at < 0 ? undefined : bare.slice(0, at)
  const domain = parseDomain(bare.slice(at + 1))
  if (domain === undefined) return undefined
  if (local !== undefined && !isLocalpart(local)) return undefined
  if (resource !== undefined && !isResourcepart(resource)) return undefined
  return { local, domain, resource }
}

/** The domain of an address, or undefined where RFC 7622 forbids the address. */
export function domainOf(address: string): Domain | undefined {
  return parseJid(address)?.domain
}

/** The address without its resource, as written. */
export function bareAddress(address: string): string {
  const slash = address.indexOf('/')
  return slash < 0 ? address : address.slice(0, slash)
}

/**
 * Prepares the bare part of an address for comparison (RFC 7622 §3.2, §3.3): two that come out equal are the same.
 * @returns undefined where RFC 7622 forbids the address
 */
export function canonicalBare(address: string): BareJid | undefined {
  const jid = parseJid(address)
  if (jid === undefined) return undefined
  if (jid.local === undefined) return asBare(jid.domain)
  const local = prepareLocalpart(jid.local)
  return local === undefined ? undefined : asBare(`${local}@${jid.domain}`)
}

/** The whole address prepared for comparison: as `canonicalBare`, with its resource (RFC 7622 §3.4, RFC 8265 §4.2). */
export function canonicalAddress(address: string): string | undefined {
  const bare = canonicalBare(address)
  const slash = address.indexOf('/')
  if (bare === undefined || slash < 0) return bare
  return `${bare}${address
    .slice(slash)
    .replace(/\p{Zs}/gu, ' ')
    .normalize('NFC')}`
}

/** Is it that of a domain itself, and so of no user? */
export function isDomainItself(bare: BareJid): boolean {
  return !bare.includes('@')
}

/** The same of an address as written, which must be one: it has neither localpart nor resource. */
export function isDomainAlone(address: string): boolean {
  return !address.includes('@') && !address.includes('/')
}

/** The domain of a bare address. */
export function domainOfBare(bare: BareJid): Domain {
  return bare.slice(bare.indexOf('@') + 1) as Domain
}

/** A bare address as stanzas bear it: its domain in U-labels. */
export function writtenBare(bare: BareJid): string {
  return `${bare.slice(0, bare.indexOf('@') + 1)}${toUnicode(domainOfBare(bare))}`
}

/** Copied: a string that V8 has joined of others is compared ten times as slowly, and these are compared for every stanza. */
function asBare(prepared: string): BareJid {
  return Buffer.from(prepared).toString() as BareJid
}

/**
 * The profile UsernameCaseMapped (RFC 8265 §3.3): widths, then lower case, then NFC. Where RFC 6122 holds more to be the same,
 * as ß and ss, these stay two: who is not recognised is refused, and nobody passes for another.
 */
function prepareLocalpart(text: string): string | undefined {
  if (isAscii.test(text)) return text.toLowerCase()
  const narrow = text.replace(/[\uff01-\uffef]/g, wide => wide.normalize('NFKC'))
  const prepared = narrow.toLowerCase().normalize('NFC')
  return isLocalpart(prepared) ? prepared : undefined
}

const isAscii = /^[\x21-\x7e]+$/

// RFC 7622 §3.3.1 and the categories that the PRECIS IdentifierClass leaves out (RFC 8264 §4.2.3).
const forbiddenInLocalpart = /["&'/:<>@\p{White_Space}\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u
// RFC 7622 §3.4: the FreeformClass allows spaces but no controls (RFC 8264 §4.3.3).
const forbiddenInResourcepart = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

function isLocalpart(text: string): boolean {
  return isPart(text) && !forbiddenInLocalpart.test(text)
}

function isResourcepart(text: string): boolean {
  return isPart(text) && !forbiddenInResourcepart.test(text)
}

function isPart(text: string): boolean {
  return text !== '' && text.length <= maxPartBytes && Buffer.byteLength(text) <= maxPartBytes
}
