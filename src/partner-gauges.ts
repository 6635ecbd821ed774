import type { Directory } from './federation/directory.ts'
import type { Method } from './negotiation/stream.ts'
import type { PartnerList } from './policy/partner.ts'
import type { Direction } from './telemetry/events.ts'
import type { ExpiryWatch } from './telemetry/expiry.ts'
import type { Metrics, Sample } from './telemetry/metrics.ts'
import type { PartnerTallies } from './telemetry/partner-tallies.ts'
import type { Domain } from './xmpp/address.ts'
import type { StanzaCondition } from './xmpp/stanza-error.ts'

const directions = ['in', 'out'] as const

/** What stanzas come back with from the first day on: shown at 0, so that the first bounce is seen as a rise. */
const usualReasons = [
  'internal-server-error',
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
] as const

/**
 * Adds the metrics of each partner, by its primary domain. They are worked out when somebody asks, for the partners of the list in
 * force: nothing of it is on the way of a stanza, and who is removed from the list is gone from here.
 */
export function addPartnerGauges(
  metrics: Metrics,
  parts: {
    directory: Directory
    tallies: PartnerTallies
    expiry: Pick<ExpiryWatch, 'shown'>
    partners: () => PartnerList
  },
): void {
  const { directory, tallies, expiry, partners } = parts
  const partnerOf = (domain: Domain) => partners().find(domain)?.primaryDomain
  const eachPartner = (value: (partner: Domain) => number): Sample[] =>
    partners().all.map(({ primaryDomain: partner }) => ({ labels: { partner }, value: value(partner) }))
  const eachWay = (value: (partner: Domain, direction: Direction) => number | undefined): Sample[] =>
    partners().all.flatMap(({ primaryDomain: partner }) =>
      directions.flatMap(direction => {
        const known = value(partner, direction)
        return known === undefined ? [] : [{ labels: { partner, direction }, value: known }]
      }),
    )
  metrics.gauge(
    'gatehouse_partner_certificate_expiry_seconds',
    'When the valid certificate that a partner has shown last for a domain expires, since the epoch.',
    () =>
      Array.from(expiry.shown).flatMap(({ domain, notAfter }) => {
        const partner = partnerOf(domain)
        const value = Math.floor(notAfter.getTime() / 1000)
        return partner === undefined ? [] : [{ labels: { partner, domain }, value }]
      }),
  )
  metrics.gauge(
    'gatehouse_partner_up',
    'Whether an authenticated stream with the partner stands now: 1, or 0.',
    () => {
      const streams = countStreams(directory, partnerOf)
      return eachWay((partner, direction) => (streams.has(`${partner} ${direction}`) ? 1 : 0))
    },
  )
  metrics.gauge(
    'gatehouse_partner_last_success_timestamp_seconds',
    'When a stream with the partner was authenticated last, since the epoch; none until one was.',
    () => {
      const seconds = (at: Date | undefined) => at && Math.floor(at.getTime() / 1000)
      return eachWay((partner, direction) => seconds(tallies.lastSuccess(partner, direction)))
    },
  )
  metrics.gauge(
    'gatehouse_partner_streams',
    'Authenticated streams with the partner now, by the method in use.',
    () => {
      const streams = countStreams(directory, partnerOf)
      return partners().all.flatMap(({ primaryDomain: partner, terms }) =>
        directions.flatMap(direction => {
          const counts = streams.get(`${partner} ${direction}`)
          return terms.methods.map(method => ({
            labels: { partner, direction, method },
            value: counts?.get(method) ?? 0,
          }))
        }),
      )
    },
  )
  metrics.gauge('gatehouse_partner_queue_stanzas', 'Stanzas waiting for a stream to the partner.', () => {
    const queues = sumQueues(directory, partnerOf)
    return eachPartner(partner => queues.get(partner)?.stanzas ?? 0)
  })
  metrics.gauge(
    'gatehouse_partner_queue_age_seconds',
    'How long the oldest stanza for the partner has waited for a stream; 0 where none waits.',
    () => {
      const queues = sumQueues(directory, partnerOf)
      return eachPartner(partner => (queues.get(partner)?.oldestMs ?? 0) / 1000)
    },
  )
  metrics.counter(
    'gatehouse_partner_bounces_total',
    'Stanzas for the partner that came back, by the error their senders got.',
    () =>
      partners().all.flatMap(({ primaryDomain: partner }) => {
        const bounces = tallies.bounces(partner)
        const reasons = new Set<StanzaCondition>([...usualReasons, ...bounces.keys()])
        return Array.from(reasons, reason => ({
          labels: { partner, reason },
          value: bounces.get(reason) ?? 0,
        }))
      }),
  )
}

/** Authenticated streams that are not closing, by `PARTNER DIRECTION`; one with two methods counts under each. */
function countStreams(
  directory: Directory,
  partnerOf: (domain: Domain) => Domain | undefined,
): ReadonlyMap<string, ReadonlyMap<Method, number>> {
  const streams = new Map<string, Map<Method, number>>()
  const count = (
    ways: readonly { readonly remote: Domain; readonly method: Method }[],
    direction: Direction,
  ) => {
    const seen = new Set<string>()
    for (const { remote, method } of ways) {
      const name = `${partnerOf(remote)} ${direction}`
      if (seen.has(`${name} ${method}`)) continue
      seen.add(`${name} ${method}`)
      const counts = streams.get(name) ?? new Map<Method, number>()
      streams.set(name, counts.set(method, (counts.get(method) ?? 0) + 1))
    }
  }
  for (const session of directory.inbound) if (!session.isClosing) count(session.proofs, 'in')
  for (const { task, method, isEstablished } of directory.outbound) {
    if (isEstablished && task.purpose === 'stanzas' && method !== undefined)
      count([{ remote: task.pair.remote, method }], 'out')
  }
  return streams
}

/** What waits for streams to each partner. */
function sumQueues(
  directory: Directory,
  partnerOf: (domain: Domain) => Domain | undefined,
): ReadonlyMap<Domain | undefined, { readonly stanzas: number; readonly oldestMs: number }> {
  const queues = new Map<Domain | undefined, { readonly stanzas: number; readonly oldestMs: number }>()
  for (const { remote, stanzas, oldestMs } of directory.queues) {
    const partner = partnerOf(remote)
    const sum = queues.get(partner) ?? { stanzas: 0, oldestMs: 0 }
    queues.set(partner, {
      stanzas: sum.stanzas + stanzas,
      oldestMs: Math.max(sum.oldestMs, oldestMs),
    })
  }
  return queues
}
