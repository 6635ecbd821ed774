import type { ReasonCode } from '../xmpp/reason.ts'

/** Which side opened the stream: `in` = the partner, `out` = we did. */
export type Direction = 'in' | 'out'

/** The authentication methods, by the names of the negotiation matrix. */
export type MethodName = 'sasl-external-tls' | 'dialback-tls' | 'dialback-tcp'

/** What a log line tells of a secured stream; null in clear. */
export type TlsFacts = { readonly version: string; readonly cipher: string } | null

/**
 * Every event the gateway logs, with its fields. A domain that the peer did not name is null; `address` is where a peer
 * that opened the stream connects from.
 */
export type GatewayEvent =
  | {
      readonly event: 'listening'
      readonly address: string
      readonly port: number
      readonly directTls: boolean
    }
  | { readonly event: 'ready' }
  | {
      readonly event: 'stream.authenticated'
      readonly direction: Direction
      readonly local: string
      readonly remote: string
      readonly method: MethodName
      readonly tls: TlsFacts
      readonly certificate: 'valid' | 'invalid' | 'none'
      readonly id: string
      readonly address?: string
    }
  | {
      readonly event: 'stream.refused'
      readonly direction: Direction
      readonly local: string | null
      readonly remote: string | null
      readonly condition: string
      /** See docs/reasons.md. */
      readonly code: ReasonCode
      readonly reason: string
      readonly address?: string
    }
  | {
      readonly event: 'stream.closed'
      readonly direction: Direction
      readonly local: string | null
      readonly remote: string | null
      readonly code: ReasonCode
      readonly reason: string
      readonly stanzasIn: number
      readonly stanzasOut: number
      readonly address?: string
    }
  | {
      readonly event: 'stanza.refused'
      readonly local: string | null
      readonly remote: string | null
      readonly rule: string
      /** How many more there were, under this rule, that were not told one by one. */
      readonly untold?: number
    }
  | {
      readonly event: 'contact.allowed'
      readonly local: string
      readonly remote: string
      /** The operator who did it. */
      readonly by: string
      readonly reason: string | null
    }
  | {
      readonly event: 'contact.revoked'
      readonly local: string
      readonly remote: string
      readonly by: string
    }
  | { readonly event: 'internal.connected'; readonly domain: string }
  | { readonly event: 'internal.disconnected'; readonly domain: string; readonly reason: string }
  | {
      readonly event: 'certificate.expiring'
      /** Ours, of a local domain; or one that a partner has shown. */
      readonly owner: 'local' | 'partner'
      readonly domain: string
      /** ISO 8601. */
      readonly notAfter: string
      /** Whole days; negative once it has expired. */
      readonly daysLeft: number
    }
  | { readonly event: 'reloaded' }
  | { readonly event: 'reload.failed'; readonly problems: readonly string[] }

export type EventName = GatewayEvent['event']

/** The constant message and the level of each event. */
export const eventLines = {
  listening: { level: 'info', message: 'listening' },
  ready: { level: 'info', message: 'ready' },
  'stream.authenticated': { level: 'info', message: 'stream authenticated' },
  'stream.refused': { level: 'warn', message: 'stream refused' },
  'stream.closed': { level: 'info', message: 'stream closed' },
  'stanza.refused': { level: 'warn', message: 'stanza refused' },
  'contact.allowed': { level: 'info', message: 'contact allowed by command' },
  'contact.revoked': { level: 'info', message: 'contact revoked by command' },
  'internal.connected': { level: 'info', message: 'internal server connected' },
  'internal.disconnected': { level: 'warn', message: 'internal server disconnected' },
  'certificate.expiring': { level: 'warn', message: 'certificate comes to its end, or has' },
  reloaded: { level: 'info', message: 'configuration reloaded' },
  'reload.failed': { level: 'warn', message: 'reload failed, the old configuration stays' },
} as const satisfies Record<EventName, { level: 'info' | 'warn'; message: string }>
