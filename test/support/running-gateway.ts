import { EventEmitter, once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { ReloadOutcome } from '../../src/admin/reload.ts'
import { reloadGateway } from '../../src/cli/run.ts'
import { type Gatehouse, startGatehouse } from '../../src/gatehouse.ts'
import type { EventName, GatewayEvent } from '../../src/telemetry/events.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { type Authority, type CertificateOptions, createAuthority } from './certificates.ts'
import { type ConfigFolder, configFolder } from './config-folder.ts'
import type { PartnerEntry } from './gateway-process.ts'
import { InsideServer } from './inside-server.ts'
import { type MemoryLog, memoryLog } from './log.ts'
import { patienceMs, type Shown } from './wire.ts'
import { type PeerIdentity, WirePeer, WireServer } from './wire-peer.ts'
import { startZone, type Zone } from './zone.ts'

/** What a gateway under test is told; the local domain is contoso.com. */
export type GatewayOptions = {
  /** Default: fabrikam.com, federated. `partnerType` is federated where an entry has none. */
  readonly partners?: readonly PartnerEntry[]
  /** `embedded` echoes; `component` has a scripted server inside. Default: embedded. */
  readonly inside?: 'embedded' | 'component'
  /** Listeners; default: one, and one for direct TLS, on 127.0.0.1. */
  readonly listen?: readonly object[]
  /** Sections of the configuration, merged into what a test needs: `limits`, `timeouts`, `dialback`, … */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

type EventNamed<N extends EventName> = Extract<GatewayEvent, { readonly event: N }>

/** Starts a gateway in this process, with a DNS zone and a CA of its own; all of it ends with the test. */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const zone = await startZone()
  onTestFinished(() => zone.close())
  const authority = createAuthority()
  const inside = options.inside === 'component' ? await InsideServer.start() : undefined
  const folder = writeFolder(options, { zone, authority, inside })
  const heard = new EventEmitter().setMaxListeners(0)
  const log = tellingLog(heard)
  const metrics = new Metrics()
  const host = { env: {} }
  const reload = (): Promise<ReloadOutcome> => reloadGateway(gatehouse, folder.file, host, log)
  const gatehouse: Gatehouse = await startGatehouse(folder.load(), { log, metrics }, reload)
  onTestFinished(() => gatehouse.stop())
  const running = new RunningGateway(gatehouse, { zone, authority, inside, folder, log, metrics, heard })
  if (inside !== undefined) await running.event('ready')
  return running
}

/** A gateway for contoso.com in this process, and what stands around it. */
export class RunningGateway {
  readonly local = 'contoso.com'
  readonly gatehouse: Gatehouse
  readonly zone: Zone
  /** Signed the gateway's certificate, and is its only trust anchor. */
  readonly authority: Authority
  readonly folder: ConfigFolder
  readonly log: MemoryLog
  readonly metrics: Metrics
  readonly #inside: InsideServer | undefined
  readonly #heard: EventEmitter

  constructor(
    gatehouse: Gatehouse,
    around: {
      zone: Zone
      authority: Authority
      inside: InsideServer | undefined
      folder: ConfigFolder
      log: MemoryLog
      metrics: Metrics
      heard: EventEmitter
    },
  ) {
    this.gatehouse = gatehouse
    this.zone = around.zone
    this.authority = around.authority
    this.folder = around.folder
    this.log = around.log
    this.metrics = around.metrics
    this.#inside = around.inside
    this.#heard = around.heard
  }

  /** Where partners connect. */
  get port(): number {
    return this.#portOf(false)
  }

  /** Where partners connect with TLS from the first byte. */
  get directTlsPort(): number {
    return this.#portOf(true)
  }

  /** The server inside, where `inside` is `component`. */
  get inside(): InsideServer {
    if (this.#inside === undefined) throw new Error('this gateway has no server inside')
    return this.#inside
  }

  /** A partner as the gateway knows it: with a certificate of the trusted CA, or what the options make of it. */
  identity(domain = 'fabrikam.com', certificate: CertificateOptions | Shown | 'none' = {}): PeerIdentity {
    const shown =
      certificate === 'none'
        ? undefined
        : 'keyPem' in certificate
          ? certificate
          : this.authority.issueFor(domain, certificate)
    return { domain, local: this.local, certificate: shown, authorityPem: this.authority.certificatePem }
  }

  /** A partner's connection to the gateway, nothing sent yet. */
  connect(
    identity: PeerIdentity = this.identity(),
    options: { localAddress?: string; directTls?: boolean } = {},
  ): Promise<WirePeer> {
    return WirePeer.connect(options.directTls ? this.directTlsPort : this.port, identity, options)
  }

  /** A partner's server that the gateway finds by DNS. */
  async serve(identity: PeerIdentity = this.identity()): Promise<WireServer> {
    const server = await WireServer.listen(identity)
    this.zone.federate(identity.domain, { port: server.port })
    return server
  }

  /** The first event of that name that fits, also out of those that came before. @throws {Error} with all events, at the deadline */
  async event<N extends EventName>(
    name: N,
    fits: (event: EventNamed<N>) => boolean = () => true,
    deadlineMs = patienceMs,
  ): Promise<EventNamed<N>> {
    const look = () => this.events(name).find(fits)
    await this.#until(() => look() !== undefined, deadlineMs, `no event ${name}`)
    return look()!
  }

  /** All events of that name until now. */
  events<N extends EventName>(name: N): EventNamed<N>[] {
    return this.log.events.filter((event): event is EventNamed<N> => event.event === name)
  }

  /** Waits until the log has a line with this message, at whatever level. */
  async line(message: string, deadlineMs = patienceMs): Promise<void> {
    const isThere = () => this.log.lines.some(line => line.message === message)
    await this.#until(isThere, deadlineMs, `no line "${message}"`)
  }

  /** The value of one line of the metrics, as `gatehouse_streams{direction="in",state="negotiating"}`. */
  metric(line: string): number {
    const found = this.metrics
      .render()
      .split('\n')
      .find(text => text.startsWith(`${line} `))
    if (found === undefined) throw new Error(`no metric ${line}`)
    return Number(found.slice(line.length + 1))
  }

  /** Streams by the metric `gatehouse_streams`. */
  get streams(): {
    inNegotiating: number
    inAuthenticated: number
    outNegotiating: number
    outVerifying: number
    outAuthenticated: number
  } {
    const value = (direction: string, state: string) =>
      this.metric(`gatehouse_streams{direction="${direction}",state="${state}"}`)
    return {
      inNegotiating: value('in', 'negotiating'),
      inAuthenticated: value('in', 'authenticated'),
      outNegotiating: value('out', 'negotiating'),
      outVerifying: value('out', 'verifying'),
      outAuthenticated: value('out', 'authenticated'),
    }
  }

  /** Waits until the gateway has no stream at all. */
  async hasNoStreams(deadlineMs = patienceMs): Promise<void> {
    const total = () => Object.values(this.streams).reduce((sum, value) => sum + value, 0)
    await this.#until(() => total() === 0, deadlineMs, 'there are streams left')
  }

  #portOf(directTls: boolean): number {
    const at = this.gatehouse.listening.find(listener => listener.directTls === directTls)
    if (at === undefined) throw new Error('no such listener')
    return at.port
  }

  // Whatever a test waits for shows in the log: that is when to look.
  async #until(isSo: () => boolean, deadlineMs: number, complaint: string): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs)
    while (!isSo()) {
      await once(this.#heard, 'event', { signal }).catch(() => {
        const told = [...this.log.events, ...this.log.lines].map(line => JSON.stringify(line)).join('\n')
        throw new Error(`${complaint} within ${deadlineMs} ms, but:\n${told}`)
      })
    }
  }
}

/** Keeps what it is told, and says that it was, once whoever told it has gone on. */
function tellingLog(heard: EventEmitter): MemoryLog {
  const log = memoryLog()
  const telling =
    <Told extends readonly unknown[]>(keep: (...told: Told) => void) =>
    (...told: Told): void => {
      keep(...told)
      setImmediate(() => heard.emit('event'))
    }
  const { event, debug, info, warn, error } = log
  return {
    ...log,
    event: telling(event),
    debug: telling(debug),
    info: telling(info),
    warn: telling(warn),
    error: telling(error),
  }
}

const loopback = [
  { address: '127.0.0.1', port: 0 },
  { address: '127.0.0.1', port: 0, directTls: true },
]

function writeFolder(
  { partners = [{ primaryDomain: 'fabrikam.com' }], settings = {}, listen = loopback }: GatewayOptions,
  around: { zone: Zone; authority: Authority; inside: InsideServer | undefined },
): ConfigFolder {
  const { zone, authority, inside } = around
  const own = authority.issueFor('contoso.com')
  const internal =
    inside === undefined
      ? { connector: 'embedded' }
      : { connector: 'component', host: '127.0.0.1', port: inside.port, secret: inside.secret }
  const sections: Record<string, object> = {
    internal,
    dns: { servers: [zone.address], timeout: '2s' },
    trust: { system: false, anchors: ['authority.crt'] },
    admin: { port: 0 },
    timeouts: { shutdown: '2s' },
    log: { level: 'debug' },
  }
  for (const [name, section] of Object.entries(settings)) sections[name] = { ...sections[name], ...section }
  const configuration = {
    listen,
    domains: { 'contoso.com': { certificate: 'local.crt', key: 'local.key' } },
    ...sections,
  }
  const entries = partners.map(entry => ({ partnerType: 'federated', ...entry }))
  // JSON is YAML.
  return configFolder({
    'config/gatehouse.yaml': JSON.stringify(configuration),
    'config/partners.yaml': JSON.stringify({ partners: entries }),
    'config/local.crt': own.chainPem,
    'config/local.key': own.keyPem,
    'config/authority.crt': authority.certificatePem,
  })
}
