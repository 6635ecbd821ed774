/** The record types the gateway asks for. */
export type RecordType = keyof RecordOf

/** What a record of each type holds: an SRV record, or an address as text. */
export type RecordOf = { readonly SRV: SrvRecord; readonly A: string; readonly AAAA: string }

/** One SRV record (RFC 2782); its target is a host name in lower case, or `.` for "no service here". */
export type SrvRecord = {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/**
 * What DNS says of a name: its records, that it has none of this type, or that it does not exist; of an alias (CNAME), what it
 * says of the name at its end. `authenticated` is true where a resolver on this machine vouches for the records by DNSSEC.
 */
export type DnsAnswer<Value> = {
  /** Where aliases led, one name after another; empty where the name that was asked for is none. */
  readonly aliases: readonly string[]
  /** In seconds, the shortest of records and aliases; of records that are not there, how long this may be believed. */
  readonly ttl: number
} & (
  | {
      readonly kind: 'records'
      readonly records: readonly Value[]
      /** SRV records whose target is no host name, that target as in a zone file (RFC 1035 §5.1): nobody can use them. */
      readonly unusable: readonly Value[]
      readonly authenticated: boolean
    }
  | { readonly kind: 'no-data' }
  | { readonly kind: 'no-domain' }
)

/** Why no answer could be had; `refused` stands for every other response code too. */
export type DnsFailure = 'servfail' | 'refused' | 'timeout' | 'unreachable' | 'bad-response'

/** Says that DNS gave no answer, which tells nothing of the name; `message` is for the operator. */
export class DnsError extends Error {
  override readonly name = 'DnsError'
  readonly code: DnsFailure

  constructor(code: DnsFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const maxNameLength = 253 // RFC 1035 §2.3.4, written with dots
const labels = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i

/** Whether the text can be a host's name (RFC 1123 §2.1, with underscores), and not an address written out. */
export function isHostName(text: string): boolean {
  return text.length <= maxNameLength && labels.test(text) && !/(?:^|\.)\d+$/.test(text)
}

/** A name as a zone file has it (RFC 1035 §5.1); of a host name nothing changes. @param name of bytes, a character each */
export function escapeName(name: string): string {
  return name.replace(/[^!#%&'*-:<-?A-[\]-~]/g, byte => `\\${`${byte.charCodeAt(0)}`.padStart(3, '0')}`)
}

/** Whether a record can be used: the target of SRV has to be a host's name (RFC 2782), and could be anything. */
export function isUsable(content: RecordOf[RecordType]): boolean {
  return typeof content === 'string' || content.target === '.' || isHostName(content.target)
}
