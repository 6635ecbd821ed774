import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { auditFault, auditFile } from './admin/audit.ts'
import type { Readiness } from './admin/health.ts'
import type { ReloadOutcome } from './admin/reload.ts'
import { type AdminServer, startAdminServer } from './admin/server.ts'
import { apiRoutes } from './api-routes.ts'
import type { Config } from './config/schema.ts'
import type { Environment } from './config/secrets.ts'
import { openContacts } from './contacts.ts'
import { credentialsOf, type Derived, derive, needRestart } from './derived.ts'
import { environmentOf, judgeBy } from './environment.ts'
import { watchCertificates } from './expiry.ts'
import { Directory } from './federation/directory.ts'
import { KeyVerification } from './federation/key-verification.ts'
import { receive } from './federation/receive.ts'
import { addGauges } from './gauges.ts'
import { connectInside } from './inside.ts'
import { openJournal } from './journal.ts'
import { addPartnerGauges } from './partner-gauges.ts'
import { boundedProbe, proberOf } from './probe.ts'
import { describeMissing, PrivilegeWatch } from './routing/privilege-watch.ts'
import { Relay } from './routing/relay.ts'
import type { Pair } from './routing/ways.ts'
import { stopInOrder } from './shutdown.ts'
import { ExpiryWatch } from './telemetry/expiry.ts'
import type { Log } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { PartnerTallies } from './telemetry/partner-tallies.ts'
import { Admission, type Admitted, Listener } from './transport/listener.ts'
import { RefusedConnections } from './transport/refused-connections.ts'
import { TlsContexts } from './transport/tls.ts'
import type { Domain } from './xmpp/address.ts'

/** A gateway that runs. */
export type Gatehouse = {
  /** Where it listens, with the ports in use. */
  readonly listening: readonly {
    readonly address: string
    readonly port: number
    readonly directTls: boolean
  }[]
  readonly admin: { readonly address: string; readonly port: number }
  readonly readiness: () => Readiness
  /**
   * Uses another configuration; listeners, admin port and connector stay as they were started.
   * @returns what there is to know of that, in words
   */
  reload(config: Config): Promise<readonly string[]>
  /** Delivers or bounces what was accepted, and closes everything within `timeouts.shutdown` (contract §5). */
  stop(): Promise<void>
}

/**
 * Starts the gateway: certificates, the inside, listeners, admin port.
 * @param reload reads the configuration anew and uses it; what the API calls
 * @param env where it finds secrets, by which the API judges what is to be written
 * @throws {Error} when a certificate is unusable or an address cannot be had; nothing is left running
 */
export async function startGatehouse(
  config: Config,
  telemetry: { log: Log; metrics: Metrics },
  reload?: () => Promise<ReloadOutcome>,
  env: Environment = {},
): Promise<Gatehouse> {
  const { log, metrics } = telemetry
  let credentials = await credentialsOf(config, log)
  const tls = new TlsContexts(credentials)
  let current: Derived = derive(config, log)
  const contacts = openContacts(config.store.sqlite, log, () => current.config.limits.contactsPerUser)
  const journal = openJournal(config.store.journal, () => current.config, log)
  journal.keepPartners()
  const expiry = new ExpiryWatch(log)
  const tallies = new PartnerTallies(domain => current.config.partners.find(domain)?.primaryDomain)
  const admission = new Admission(() => current.config.limits)
  const environment = environmentOf(() => current, {
    log,
    metrics,
    tls,
    admission,
    expiry,
    dialbackSecret: randomBytes(32).toString('hex'),
    record: attempt => journal.record(attempt),
    authenticated: (remote, direction) => tallies.authenticated(remote, direction, new Date()),
    openSink: source => relay.fromPartner(source),
    bounce: (pair, run, why) => {
      tallies.bounced(pair.remote, why.condition, relay.bounceInward(pair.remote, run, why))
    },
  })
  const directory = new Directory(environment)
  const keys = new KeyVerification(environment, directory)
  const probe = proberOf(environment, {
    judge: judgeBy(() => current),
    succeeded: remote => directory.heardFrom(remote),
  })
  const relay = new Relay(
    {
      isLocal: environment.isLocal,
      partnerType: domain => current.config.partners.find(domain)?.partnerType,
      pong: (pair, id) => directory.pong(pair, id),
      inward: remote => connector.destination(remote),
      outward: pair => directory.link(pair),
    },
    contacts,
    telemetry,
  )
  let wasReady = false
  const announceReady = () => {
    if (wasReady || !connector.isReady) return
    wasReady = true
    log.event({ event: 'ready' })
  }
  const watch = new PrivilegeWatch(
    {
      partnerType: domain => current.config.partners.find(domain)?.partnerType,
      locals: () => current.config.domains.keys(),
      privileges: pair => relay.privileges(pair),
    },
    log,
  )
  const reports = {
    connected: (remote: Domain) => {
      announceReady()
      watch.connected(remote)
      relay.componentUp(remote)
    },
    lost: (remote: Domain) => {
      watch.lost(remote)
      relay.componentLost(remote)
    },
  }
  const connector = connectInside(config, () => current.config, log, reports, {
    openSink: (source, remote) => relay.fromInside(source, remote),
    taken: ({ kinds }) => metrics.relayed('in', kinds),
    bounce: (run, why) => relay.bounceOutward(run, why),
    isLocal: environment.isLocal,
  })
  const accept = (directTls: boolean) => (socket: Socket, admitted: Admitted) =>
    receive(socket, admitted, directTls, { environment, directory, keys }).catch((error: unknown) => {
      log.error('an accepted connection failed on an unexpected error', { err: error })
      socket.destroy()
    })

  const insideState = {
    faults: () => connector.faults,
    faultOf: (remote: Domain) => connector.faultOf(remote),
    privileges: (pair: Pair) => relay.privileges(pair),
    missing: () => watch.missing,
  }
  const refusals = new RefusedConnections(log)
  const listeners = config.listen.map(
    at =>
      new Listener(at, admission, {
        accept: accept(at.directTls),
        refused: (from, reason) => refusals.add(at.port, from, reason),
        dropped: (from, { code, reason }) => {
          metrics.failure('in', code)
          refusals.add(at.port, from, reason, code)
        },
        headerMs: () => current.config.timeouts.connectMs,
      }),
  )
  const listening: Gatehouse['listening'][number][] = []
  let admin: AdminServer | undefined
  const readiness = (): Readiness => ({
    ready: connector.isReady,
    detail: [
      connector.faults.join('; ') || (connector.isReady ? readyWords(current.config) : 'starting'),
      describeMissing(watch.missing) ?? [],
    ]
      .flat()
      .join('; '),
  })
  try {
    for (const listener of listeners) {
      const at = await listener.listen()
      listening.push(at)
      log.event({ event: 'listening', ...at })
    }
    const routes = apiRoutes({
      config: () => current.config,
      env,
      contacts: {
        ...contacts,
        revoke: (local, remote, order) =>
          relay.revoke(local, remote, () => contacts.revoke(local, remote, order)),
      },
      directory,
      inside: insideState,
      credentials: () => credentials,
      readiness,
      listening,
      reload,
      audit: auditFile(config.admin.audit),
      journal,
      probe: boundedProbe(probe, domain => environment.peerFor(domain)?.primaryDomain),
    })
    const health = { readiness, metrics: () => metrics.render() }
    admin = await startAdminServer({ ...config.admin, log, health, routes })
  } catch (error) {
    for (const listener of listeners) listener.close()
    directory.openNothingMore()
    await connector.stop(0)
    contacts.close()
    journal.close()
    throw error
  }
  const unrecorded = auditFault(config.admin.audit)
  if (unrecorded !== undefined) log.warn('changes by API will be refused', { reason: unrecorded })
  addGauges(metrics, { directory, connector, relay, contacts, journal, credentials: () => credentials })
  addPartnerGauges(metrics, { directory, tallies, expiry, partners: () => current.config.partners })
  const expiryLooks = watchCertificates(expiry, () => credentials)
  connector.setPartners(partnerDomains(config))
  announceReady()

  let stopped: Promise<void> | undefined
  const apply = async (next: Config): Promise<readonly string[]> => {
    const nextCredentials = await credentialsOf(next, log)
    const derived = derive(next, log)
    if (stopped !== undefined) return []
    tls.replace(nextCredentials)
    credentials = nextCredentials
    // Who is no partner any more leaves the inside last: what was on its way to him comes back over his own component.
    connector.setPartners([...new Set([...partnerDomains(current.config), ...partnerDomains(next)])])
    for (const domain of partnerDomains(next))
      if (next.partners.find(domain)?.partnerType === 'publicUnverified') relay.distrusted(domain)
    current = derived
    journal.keepPartners()
    tallies.forgetOthers()
    expiry.keep(domain => next.partners.find(domain) !== undefined)
    expiryLooks.look()
    directory.forgetFailures()
    await directory.closeForbidden()
    if (stopped !== undefined) return []
    connector.setPartners(partnerDomains(next))
    watch.look()
    const sections = needRestart(config, next)
    if (sections.length > 0) log.warn(waitsForRestart, { sections })
    log.event({ event: 'reloaded' })
    return sections.map(section => `${section}: ${waitsForRestart}`)
  }
  let lastReload: Promise<unknown> = Promise.resolve()
  return {
    listening,
    admin,
    readiness,
    reload: next => {
      const reload = lastReload.then(() => apply(next))
      lastReload = reload.catch(() => {}) // whoever asked for it hears of the failure
      return reload
    },
    stop: () => {
      expiryLooks.stop()
      const { shutdownMs } = current.config.timeouts
      const parts = { listeners, directory, keys, connector, admin }
      watch.stop()
      relay.stop()
      return (stopped ??= stopInOrder(parts, shutdownMs).finally(() => {
        contacts.close()
        journal.close()
      }))
    },
  }
}

const waitsForRestart = 'changed, but only a restart puts it into force'

function readyWords({ internal, partners }: Config): string {
  if (internal.connector === 'embedded') return 'listening; the inside is the embedded echo'
  if (partners.all.length > 0) return 'listening, and connected to the inside'
  return 'listening; there is no partner yet, and so nothing to connect to the inside'
}

function partnerDomains(config: Config): readonly Domain[] {
  return config.partners.all.flatMap(partner => partner.domains)
}
