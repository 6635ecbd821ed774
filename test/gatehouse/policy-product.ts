import type { CertificateStanding } from '../../src/identity/proof.ts'
import { matrixRows, termsOf } from '../../src/policy/matrix.ts'
import type { Direction } from '../../src/telemetry/events.ts'
import { createAuthority, createSelfSigned, daysFromNow } from '../support/certificates.ts'
import type { PartnerEntry } from '../support/gateway-process.ts'
import type { CertificateKind, InitiatingPeer, Outcome, ReceivingPeer } from '../support/policy-outcome.ts'
import type { RunningGateway } from '../support/running-gateway.ts'
import type { PeerIdentity } from '../support/wire-peer.ts'

/** The valid rows of the matrix, and the partner of each. */
export const rows = matrixRows
  .filter(({ valid }) => valid)
  .map((row, at) => ({ ...row, terms: termsOf(row), domain: `row${at}.example` }))

export type Row = (typeof rows)[number]

/** One peer under one row, in a domain of its own. */
export type Case<Peer> = { readonly peer: Peer; readonly domain: string; readonly expected: Outcome }

/** Every peer under a row. */
export function casesOf<Peer>(
  row: Row,
  peers: readonly Peer[],
  outcomeOf: (terms: Row['terms'], peer: Peer) => Outcome,
): Case<Peer>[] {
  return peers.map((peer, at) => ({
    peer,
    domain: `p${at}.${row.domain}`,
    expected: outcomeOf(row.terms, peer),
  }))
}

/** The partners of all rows; that of the row under test has a domain for each case. */
export function partnersFor(under: Row, cases: readonly { readonly domain: string }[]): PartnerEntry[] {
  return rows.map(row => ({
    primaryDomain: row.domain,
    additionalDomains: row === under ? cases.map(({ domain }) => domain) : [],
    tlsNegotiation: row.tls,
    saslNegotiation: row.sasl,
    dialbackNegotiation: row.dialback,
    connectionLimit: 10_000,
  }))
}

/** Makes what tells who a peer is; the certificates are made once, for all domains of the row. */
export function identities(
  gateway: RunningGateway,
  row: Row,
): (domain: string, kind: CertificateKind) => PeerIdentity {
  const names = { dns: [`*.${row.domain}`] }
  const certificates = {
    none: 'none',
    expired: gateway.authority.issue({ names, notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }),
    'self-signed': createSelfSigned({ names }),
    'unknown-authority': createAuthority({ name: 'Unknown Root' }).issue({ names }),
    'wrong-name': gateway.authority.issue({ names: { dns: ['*.elsewhere.example'] } }),
    valid: gateway.authority.issue({ names }),
  } as const satisfies Record<CertificateKind, unknown>
  return (domain, kind) => gateway.identity(domain, certificates[kind])
}

/** What a case comes to, on a line: `told` and `wire` are the peer's, `log` is the gateway's. */
export type Account = { readonly told: readonly string[]; readonly wire: string; readonly log: string }

/** What a case must come to; an authenticated stream carries a stanza. */
export function accountOf({ told, end }: Outcome, { certificate }: InitiatingPeer | ReceivingPeer): Account {
  switch (end) {
    case 'connection-timeout':
    case 'remote-server-timeout':
      return { told, wire: end, log: end }
    case 'peer-leaves':
      return { told, wire: end, log: '' }
    case 'dialback-tcp':
      return { told, wire: 'stanza taken', log: methodLine(end, 'none', false) }
    default:
      return {
        told,
        wire: 'stanza taken',
        log: methodLine(
          end,
          certificate === 'valid' || certificate === 'none' ? certificate : 'invalid',
          true,
        ),
      }
  }
}

/** What the log says of a case: how it was authenticated, or why it ended at last. */
export function logOf(gateway: RunningGateway, direction: Direction, domain: string): string {
  const isOf = (event: { direction: Direction; remote: string | null }) =>
    event.direction === direction && event.remote === domain
  const lines = gateway
    .events('stream.authenticated')
    .filter(isOf)
    .map(({ method, certificate, tls }) => methodLine(method, certificate, tls !== null))
  return lines.length > 0
    ? lines.join(' and ')
    : (gateway.events('stream.refused').filter(isOf).at(-1)?.condition ?? '')
}

function methodLine(method: string, certificate: CertificateStanding, isSecure: boolean): string {
  return `${method}, certificate ${certificate}, ${isSecure ? 'TLS' : 'clear'}`
}

const shown = 12

/** The cases that came to something else than they must, each in a few lines; of many the first, and how many more. */
export function differences<Peer extends InitiatingPeer | ReceivingPeer>(
  row: Row,
  cases: readonly Case<Peer>[],
  seen: readonly Account[],
): string[] {
  const policy = `TLS ${row.tls}, SASL ${row.sasl}, dialback ${row.dialback}`
  const wrong = cases.flatMap(({ peer, domain, expected }, at) => {
    const must = lineOf(accountOf(expected, peer))
    const is = lineOf(seen[at] ?? { told: [], wire: 'nothing', log: '' })
    const profile = Object.entries(peer).map(([name, value]) => `${name} ${value}`)
    return must === is
      ? []
      : [`${domain}: ${policy}\n  peer      ${profile.join(', ')}\n  expected  ${must}\n  seen      ${is}`]
  })
  return wrong.length > shown ? [...wrong.slice(0, shown), `and ${wrong.length - shown} more`] : wrong
}

function lineOf({ told, wire, log }: Account): string {
  return `told: ${told.join(', ') || '-'}; wire: ${wire}; log: ${log || '-'}`
}

/** Does the work for each item, so many at once. @returns the results in the items' order */
export async function forEach<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const left = items.entries()
  const worker = async () => {
    for (const [at, item] of left) results[at] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
