import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartnerType } from '../../src/policy/partner.ts'
import type { EventName, GatewayEvent } from '../../src/telemetry/events.ts'
import { freePorts, ServerProcess } from './server-process.ts'

/** One entry of the partner file, without its type, which is `federated` unless it says otherwise. */
export type PartnerEntry = { readonly primaryDomain: string; readonly [setting: string]: unknown }

/** What the gateway is told; everything else is as shipped. */
export type GatewaySettings = {
  /** Its local domain, with the certificate it shows to partners. */
  readonly domain: string
  readonly certificatePem: string
  readonly keyPem: string
  /** The CA that partners' certificates are judged by. */
  readonly authorityPem: string
  /** Where the server inside listens for components. */
  readonly internal: { readonly port: number; readonly secret: string }
  readonly partners: readonly PartnerEntry[]
  /** An entry for `dns.servers`. */
  readonly dnsServer: string
  /** More sections: `limits`, `timeouts`, … */
  readonly sections?: Readonly<Record<string, object>>
}

/** The daemon as an operator runs it: `node src/main.ts run --config FILE`. */
export class GatewayProcess {
  readonly port: number
  readonly #directory: string
  readonly #settings: GatewaySettings
  #running: ServerProcess

  /** Starts the daemon, and waits until it listens and every partner domain is a component of the server inside. */
  static async start(settings: GatewaySettings): Promise<GatewayProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'gatehouse-'))
    try {
      const [port = 0] = await freePorts(1) // the same one after a crash
      await writeConfiguration(directory, settings, port)
      return new GatewayProcess({ running: await run(directory, settings), port, directory, settings })
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  private constructor(started: {
    readonly running: ServerProcess
    readonly port: number
    readonly directory: string
    readonly settings: GatewaySettings
  }) {
    this.#running = started.running
    this.port = started.port
    this.#directory = started.directory
    this.#settings = started.settings
  }

  /** The process that runs now. */
  get process(): ServerProcess {
    return this.#running
  }

  /** Is killed (-9), and started again at once. */
  async crashes(): Promise<void> {
    await this.dies()
    await this.comesBack()
  }

  /** Is killed (-9). */
  dies(): Promise<void> {
    return this.#running.kill()
  }

  /** Starts again on the same port, with what it has stored. */
  async comesBack(): Promise<void> {
    this.#running = await run(this.#directory, this.#settings)
  }

  /** Gives a partner another type, and reloads (SIGHUP). Types that were changed before are the first ones again. */
  async changesPartner(primaryDomain: string, partnerType: PartnerType): Promise<void> {
    const partners = this.#settings.partners.map(entry =>
      entry.primaryDomain === primaryDomain ? { ...entry, partnerType } : entry,
    )
    await writePartners(this.#directory, partners)
    let before = this.events('reloaded').length
    this.#running.signal('SIGHUP')
    const isNew = () => before-- === 0
    await this.#running.first('reload', eventOf('reloaded', isNew), 15_000)
  }

  /** The first event of that name that fits, also out of those that came before. */
  event<N extends EventName>(
    name: N,
    fits: (event: EventNamed<N>) => boolean = () => true,
    deadlineMs = 15_000,
  ): Promise<EventNamed<N>> {
    return this.process.first(name, eventOf(name, fits), deadlineMs)
  }

  /** All events of that name until now. */
  events<N extends EventName>(name: N): EventNamed<N>[] {
    return this.process.lines.flatMap(line => eventOf(name)(line) ?? [])
  }

  /** Ends the daemon by SIGTERM. @throws {Error} unless it exits with 0 within its shutdown time */
  async stop(): Promise<void> {
    const code = await this.#running.stop(15_000)
    await rm(this.#directory, { recursive: true, force: true })
    if (code !== 0) throw new Error(`exit code ${code} after SIGTERM\n${this.process.tail()}`)
  }
}

/** Starts the daemon; resolves when it listens and every partner domain is a component of the server inside. */
async function run(directory: string, settings: GatewaySettings): Promise<ServerProcess> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const running = new ServerProcess(
    `gatehouse ${settings.domain}`,
    process.execPath,
    [main, 'run', '--config', join(directory, configurationFile)],
    { cwd: directory },
  )
  try {
    await running.first('listening', eventOf('listening'), 20_000)
    await running.first('ready', eventOf('ready'), 20_000)
    for (const { primaryDomain } of settings.partners) {
      const connected = eventOf('internal.connected', event => event.domain === primaryDomain)
      await running.first(`component ${primaryDomain}`, connected, 20_000)
    }
    return running
  } catch (error) {
    await running.stop(0)
    throw error
  }
}

type EventNamed<N extends EventName> = Extract<GatewayEvent, { readonly event: N }>

function eventOf<N extends EventName>(name: N, fits: (event: EventNamed<N>) => boolean = () => true) {
  return (line: string): EventNamed<N> | undefined => {
    if (!line.includes(`"${name}"`)) return undefined
    const event: unknown = JSON.parse(line)
    return isNamed(event, name) && fits(event) ? event : undefined
  }
}

function isNamed<N extends EventName>(event: unknown, name: N): event is EventNamed<N> {
  return typeof event === 'object' && event !== null && 'event' in event && event.event === name
}

const configurationFile = 'gatehouse.yaml'

async function writeConfiguration(directory: string, settings: GatewaySettings, port: number): Promise<void> {
  const file = join(directory, configurationFile)
  const configuration = {
    listen: [{ address: '127.0.0.1', port }],
    domains: { [settings.domain]: { certificate: 'local.crt', key: 'local.key' } },
    internal: { connector: 'component', host: '127.0.0.1', ...settings.internal },
    partners: 'partners.yaml',
    dns: { servers: [settings.dnsServer] },
    trust: { system: false, anchors: ['authority.crt'] },
    store: { sqlite: 'gatehouse.db' },
    admin: { port: 0, socket: 'gatehouse.sock', tokens: 'tokens.yaml', audit: 'audit.log' },
    ...settings.sections,
    log: { level: 'debug' },
  }
  // JSON is YAML. The secret of the component is in the first file.
  await writeFile(file, JSON.stringify(configuration, null, 2), { mode: 0o600 })
  await writePartners(directory, settings.partners)
  await writeFile(join(directory, 'local.crt'), settings.certificatePem)
  await writeFile(join(directory, 'local.key'), settings.keyPem, { mode: 0o600 })
  await writeFile(join(directory, 'authority.crt'), settings.authorityPem)
}

async function writePartners(directory: string, entries: readonly PartnerEntry[]): Promise<void> {
  const partners = entries.map(entry => ({ partnerType: 'federated', ...entry }))
  await writeFile(join(directory, 'partners.yaml'), JSON.stringify({ partners }, null, 2))
}
