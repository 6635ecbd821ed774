import type { OutboxLimits } from '../transport/outbox.ts'
import { closeGraceMs } from '../transport/xml-stream.ts'
import type { Destination } from '../xml/run.ts'
import type { Domain } from '../xmpp/address.ts'
import { ComponentLink } from './component-link.ts'
import type { Connector, InsideEnvironment } from './connector.ts'

/** Where the internal server takes components, and how much may wait while it is down. */
export type ComponentSettings = {
  readonly host: string
  readonly port: number
  readonly secretFor: (domain: Domain) => string
  readonly connectMs: number
  readonly limits: { readonly stanzaBytes: number; readonly depth: number }
  readonly queue: () => OutboxLimits
}

/** What the connector reports. */
export type ComponentReports = {
  readonly connected: (domain: Domain) => void
  readonly disconnected: (domain: Domain, reason: string, wasUp: boolean) => void
}

/** Every partner domain as an external component of the internal server (XEP-0114). */
export class ComponentConnector implements Connector {
  readonly #settings: ComponentSettings
  readonly #reports: ComponentReports
  readonly #environment: InsideEnvironment
  readonly #links = new Map<Domain, ComponentLink>()
  readonly #leaving = new Set<ComponentLink>()
  #wasReady = false

  constructor(settings: ComponentSettings, reports: ComponentReports, environment: InsideEnvironment) {
    this.#settings = settings
    this.#reports = reports
    this.#environment = environment
  }

  setPartners(domains: readonly Domain[]): void {
    for (const [domain, link] of this.#links) {
      if (domains.includes(domain)) continue
      this.#links.delete(domain)
      this.#leaving.add(link)
      void link.stop(closeGraceMs).then(() => this.#leaving.delete(link))
    }
    for (const domain of domains) if (!this.#links.has(domain)) this.#links.set(domain, this.#open(domain))
    this.#look()
  }

  destination(remote: Domain): Destination {
    return this.#links.get(remote) ?? this.#nowhere
  }

  get waiting(): number {
    let waiting = 0
    for (const link of this.#links.values()) waiting += link.waiting
    return waiting
  }

  get faults(): readonly string[] {
    const faults: string[] = []
    for (const [domain, { fault }] of this.#links)
      if (fault !== undefined) faults.push(`component ${domain}: ${fault}`)
    return faults
  }

  faultOf(remote: Domain): string | undefined {
    return this.#links.get(remote)?.fault
  }

  get isReady(): boolean {
    if (!this.#wasReady) return false
    return this.#links.size === 0 || [...this.#links.values()].some(link => link.isUp)
  }

  async settle(ms: number): Promise<void> {
    await Promise.all([...this.#links.values()].map(link => link.settle(ms)))
  }

  async stop(ms: number): Promise<void> {
    await Promise.all([...this.#links.values(), ...this.#leaving].map(link => link.stop(ms)))
  }

  #open(domain: Domain): ComponentLink {
    const { secretFor, ...settings } = this.#settings
    const options = {
      ...settings,
      domain,
      get secret() {
        return secretFor(domain)
      },
      connected: () => {
        this.#look()
        this.#reports.connected(domain)
      },
      disconnected: (reason: string, wasUp: boolean) => this.#reports.disconnected(domain, reason, wasUp),
    }
    return new ComponentLink(options, this.#environment)
  }

  /** Ready from the moment on when every partner domain has had its stream. */
  #look(): void {
    this.#wasReady ||= [...this.#links.values()].every(link => link.isUp)
  }

  /** For a domain that has just ceased to be a partner's. */
  readonly #nowhere: Destination = {
    send: run => {
      this.#environment.bounce(run, { condition: 'not-allowed', text: 'this domain is not a partner' })
      return true
    },
    whenDrained: resume => resume(),
    isFull: false,
  }
}
