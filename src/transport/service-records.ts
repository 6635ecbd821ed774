import type { DnsAnswer, SrvRecord } from './dns-answer.ts'

/** A host and port to try. With `directTls` TLS comes first, without STARTTLS (XEP-0368). */
export type Target = {
  readonly host: string
  readonly port: number
  readonly directTls: boolean
  readonly source: 'proxy' | 'srv' | 'fallback'
  /** Priority and weight are its SRV record's. */
  readonly priority?: number
  readonly weight?: number
}

/** An SRV record of one of the two services: `_xmpps-server` is direct TLS, `_xmpp-server` is not. */
export type ServiceRecord = SrvRecord & { readonly directTls: boolean }

/** Where to find a domain's servers, that it says it has none, or that it names them in records that nobody can use. */
export type Targets =
  | { readonly kind: 'targets'; readonly targets: readonly [Target, ...Target[]] }
  | { readonly kind: 'no-service' }
  | { readonly kind: 'unusable'; readonly records: readonly [SrvRecord, ...SrvRecord[]] }

const serverPort = 5269

/**
 * Turns the answers about a domain's two services into targets in the order they are to be tried: both services merged
 * (XEP-0368 §3), else the domain itself on port 5269 (RFC 6120 §3.2.2). The target `.` takes away its own service.
 */
export function targetsFor(
  domain: string,
  xmpps: DnsAnswer<SrvRecord>,
  xmpp: DnsAnswer<SrvRecord>,
  random: () => number,
): Targets {
  const [first, ...others] = orderTargets([...usable(xmpps, true), ...usable(xmpp, false)], random)
  if (first !== undefined) return { kind: 'targets', targets: [first, ...others] }
  // Whoever publishes `_xmpp-server` is nowhere else (RFC 6120 §3.2.1); no direct TLS says nothing of STARTTLS.
  if (xmpp.kind === 'records') {
    const [record, ...records] = [...unusable(xmpps), ...unusable(xmpp)]
    return record === undefined ? { kind: 'no-service' } : { kind: 'unusable', records: [record, ...records] }
  }
  return {
    kind: 'targets',
    targets: [{ host: domain, port: serverPort, directTls: false, source: 'fallback' }],
  }
}

/**
 * Orders records by priority, and within one priority by a draw in proportion to weight (RFC 2782, "Usage rules").
 * @param random at least 0 and less than 1
 */
export function orderTargets(records: readonly ServiceRecord[], random: () => number): Target[] {
  const ordered: Target[] = []
  // Those of weight 0 come first in the running sum, which leaves them a small chance.
  const waiting = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight)
  while (waiting.length > 0) {
    const size = waiting.findIndex(record => record.priority !== waiting[0]?.priority)
    const group = size < 0 ? waiting : waiting.slice(0, size)
    const [drawn] = waiting.splice(draw(group, random), 1)
    if (drawn === undefined) continue
    const { target: host, port, directTls, priority, weight } = drawn
    ordered.push({ host, port, directTls, source: 'srv', priority, weight })
  }
  return ordered
}

function usable(answer: DnsAnswer<SrvRecord>, directTls: boolean): ServiceRecord[] {
  if (answer.kind !== 'records') return []
  const records = answer.records.filter(record => record.target !== '.' && record.port !== 0)
  return records.map(record => ({ ...record, directTls }))
}

// Records that name a server, and lead to none.
function unusable(answer: DnsAnswer<SrvRecord>): readonly SrvRecord[] {
  if (answer.kind !== 'records') return []
  return [...answer.unusable, ...answer.records.filter(({ target, port }) => target !== '.' && port === 0)]
}

function draw(group: readonly ServiceRecord[], random: () => number): number {
  const sum = group.reduce((total, record) => total + record.weight, 0)
  const chosen = Math.floor(random() * (sum + 1)) // from 0 to the sum, both included
  let running = 0
  return group.findIndex(record => (running += record.weight) >= chosen)
}
