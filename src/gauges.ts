import type { Directory } from './federation/directory.ts'
import { parsePem } from './identity/certificate.ts'
import type { Connector } from './internal/connector.ts'
import type { Journal } from './journal.ts'
import type { Relay } from './routing/relay.ts'
import type { ContactStore } from './store/contacts.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Credential } from './transport/tls.ts'

/** Adds the metrics that are looked up when somebody asks (contract §8). */
export function addGauges(
  metrics: Metrics,
  parts: {
    directory: Directory
    connector: Connector
    relay: Relay
    contacts: Pick<ContactStore, 'size' | 'owed' | 'subscriptions'>
    journal: Pick<Journal, 'trouble'>
    credentials: () => readonly Credential[]
  },
): void {
  const { directory, connector, relay, contacts, journal, credentials } = parts
  metrics.gauge(
    'gatehouse_ready',
    'Whether /readyz says so: 1, or 0 while the inside is not connected.',
    () => [{ value: connector.isReady ? 1 : 0 }],
  )
  metrics.gauge('gatehouse_streams', 'Streams with partners; `verifying` asks about a dialback key.', () => {
    const inbound = [...directory.inbound]
    const trusted = inbound.filter(session => session.proofs.length > 0).length
    const sample = (direction: string, state: string, value: number) => ({
      labels: { direction, state },
      value,
    })
    return [
      sample('in', 'authenticated', trusted),
      sample('in', 'negotiating', inbound.length - trusted),
      sample(
        'out',
        'authenticated',
        directory.outbound.filter(({ task }) => task.purpose === 'stanzas').length,
      ),
      sample('out', 'negotiating', directory.opening),
      sample(
        'out',
        'verifying',
        directory.outbound.filter(({ task }) => task.purpose === 'verification').length,
      ),
    ]
  })
  metrics.counter(
    'gatehouse_errors_dropped_total',
    'Errors for peers that do not read what they are sent.',
    () => [{ value: relay.droppedErrors }],
  )
  metrics.counter(
    'gatehouse_presences_dropped_total',
    'Presences of the gateway’s own telling for partners that do not read what they are sent.',
    () => [{ value: relay.droppedPresences }],
  )
  metrics.gauge('gatehouse_subscriptions', 'Subscriptions that the gateway has approved itself.', () => [
    { value: contacts.subscriptions.size },
  ])
  metrics.gauge('gatehouse_contacts', 'Authorised contacts.', () => [{ value: contacts.size }])
  metrics.gauge('gatehouse_contacts_unsaved', 'Ended contacts that the disk has not taken yet.', () => [
    { value: contacts.owed },
  ])
  metrics.gauge(
    'gatehouse_journal_failing',
    'Whether the file of the journal cannot be used: 1, or 0.',
    () => [{ value: journal.trouble === undefined ? 0 : 1 }],
  )
  metrics.gauge('gatehouse_queue_stanzas', 'Stanzas waiting for a stream, to a partner or inside.', () => [
    { labels: { side: 'partner' }, value: directory.waiting },
    { labels: { side: 'inside' }, value: connector.waiting },
  ])
  metrics.gauge(
    'gatehouse_certificate_expiry_seconds',
    'When the certificate of a local domain expires, since the epoch.',
    () =>
      credentials().flatMap(({ domain, certificatePem }) => {
        const [leaf] = parsePem(certificatePem)
        return leaf === undefined
          ? []
          : [{ labels: { domain }, value: Math.floor(leaf.notAfter.getTime() / 1000) }]
      }),
  )
}
