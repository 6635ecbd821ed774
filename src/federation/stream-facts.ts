import type { CertificateStanding } from '../identity/proof.ts'
import type { Direction } from '../telemetry/events.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Why } from '../xmpp/reason.ts'

/** What is known of a stream, for operators. */
export type StreamFacts = {
  /** Of this process: 8 hex digits that it has drawn, a hyphen, and a number that counts its streams. */
  readonly id: string
  readonly direction: Direction
  readonly names: Names
  readonly tls: { readonly version: string; readonly cipher: string } | null
  /** As it was judged at the last authentication; null = there was none yet. */
  readonly certificate: CertificateStanding | null
  /** The peer's; null = it was gone before it was seen. */
  readonly address: string | null
  readonly since: Date
  /** What has gone wrong, while nobody is authenticated. */
  readonly soFar: Why | null
  /** Somebody asked about a key on it, and has his answer. */
  readonly hasServed: boolean
  /** Stanzas that came or went on it. */
  readonly stanzas: number
}

/** The domains of a stream, as far as they are known. */
export type Names = { readonly local: Domain | null; readonly remote: Domain | null }
