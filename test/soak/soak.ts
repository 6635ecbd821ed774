import { tag } from '../../src/xml/writer.ts'
import { createAuthority } from '../support/certificates.ts'
import { startZone, type Zone } from '../support/zone.ts'
import { Daemon } from './daemon.ts'
import { Flooder } from './flooder.ts'
import { Inside, insideHost } from './inside.ts'
import { Ledger, type Way } from './ledger.ts'
import { Partner, type SoakMethod } from './partner.ts'
import { type Report, report, type Sample } from './report.ts'

const local = 'contoso.com'
const partnerCount = 20
const stanzasPerSecond = 3_000
const tickMs = 20
const insideEveryMs = 10_000
/** Longer than anything may wait in the gateway, and its connections to close. */
const settleMs = 30_000
const restMs = 8_000

const policies: Readonly<Record<SoakMethod, object>> = {
  'sasl-external-tls': { partnerType: 'federated' },
  'dialback-tls': { partnerType: 'publicVerified', saslNegotiation: 'notSupported' },
  'dialback-tcp': {
    ...{ partnerType: 'publicVerified', tlsNegotiation: 'notSupported', saslNegotiation: 'notSupported' },
  },
}
const methods = Object.keys(policies) as SoakMethod[]

/** The daemon with everybody around it, under load and in trouble. */
export class Soak {
  readonly #ledger = new Ledger(partnerCount)
  readonly #arrives = (id: string, cause?: string) => this.#ledger.arrives(id, cause)
  readonly #inside = new Inside(this.#arrives)
  readonly #partners: Partner[] = []
  /** Partners that send nothing, and are sent nothing, at the moment. */
  readonly #paused = new Set<number>()
  readonly #samples: Sample[] = []
  readonly #events: Record<string, number> = {}
  readonly #faults: string[] = []
  #daemon!: Daemon
  #zone!: Zone
  #say: (text: string) => void = () => {}

  /** Runs for so long, and then until everything is accounted for. */
  async run(seconds: number, say: (text: string) => void): Promise<Report> {
    this.#say = say
    await this.#begin()
    try {
      await this.#daemon.collectGarbage()
      const first = await this.#sample()
      const flooder = new Flooder({ port: this.#daemon.port, local, victims: this.#domains }, 24)
      const sampling = setInterval(() => void this.#sample().catch(() => {}), 1_000)
      const untilMs = performance.now() + seconds * 1_000
      const loading = this.#load(untilMs)
      await this.#trouble(untilMs)
      await loading
      await flooder.stop()
      await this.#settles(this.#everybody, 'at the end')
      await pause(restMs)
      clearInterval(sampling)
      const rested = await this.#sample()
      await this.#daemon.collectGarbage()
      await pause(1_000)
      const last = await this.#sample()
      const { connections, bytes } = flooder
      const flood = { connections, bytes }
      const lost = this.#partners.reduce((sum, partner) => sum + partner.lost, 0)
      if (lost > 0) this.#faults.push(`${lost} streams of partners were ended by the gateway`)
      const failures = this.#partners.reduce((sum, partner) => sum + partner.failures, 0)
      this.#counts('attempts of partners that failed', failures)
      const exitCode = await this.#end()
      const errors = this.#daemon.log.filter(line => line.includes('"level":"error"'))
      const facts = {
        seconds,
        first,
        rested,
        last,
        samples: this.#samples,
        events: this.#events,
        flood,
        exitCode,
      }
      const result = report(this.#ledger, { ...facts, errors, faults: this.#faults })
      if (result.isGood) this.#daemon.clean()
      return {
        ...result,
        lines: [...result.lines, ...(result.isGood ? [] : [`log: ${this.#daemon.logFile}`])],
      }
    } finally {
      await this.#daemon.stop()
      await this.#zone.close()
    }
  }

  get #everybody(): number[] {
    return this.#partners.map((_, index) => index)
  }

  get #domains(): string[] {
    return Array.from({ length: partnerCount }, (_, index) => domainOf(index))
  }

  async #begin(): Promise<void> {
    this.#zone = await startZone()
    const authority = createAuthority()
    const own = authority.issueFor(local)
    await this.#inside.start()
    const partners = this.#domains.map((primaryDomain, index) => ({
      primaryDomain,
      ...policies[methodOf(index)],
    }))
    this.#daemon = await Daemon.start(
      {
        domains: { [local]: { certificate: 'local.crt', key: 'local.key' } },
        internal: { connector: 'component', host: insideHost, port: this.#inside.port, secret: 'soak' },
        dns: { servers: [this.#zone.address] },
        trust: { system: false, anchors: ['authority.crt'] },
        // So little that both bounds of a queue are met.
        limits: { queueStanzas: 60 },
        timeouts: { queue: '3s', streamEstablishment: '5s', dialback: '5s' },
      },
      {
        'partners.yaml': JSON.stringify({ partners }),
        'local.crt': own.chainPem,
        'local.key': own.keyPem,
        'authority.crt': authority.certificatePem,
      },
    )
    for (const [index, domain] of this.#domains.entries()) {
      const { chainPem, keyPem } = authority.issueFor(domain)
      const authorityPem = authority.certificatePem
      const identity = {
        domain,
        local,
        method: methodOf(index),
        address: `127.0.2.${index + 1}`,
        host: `127.0.4.${index + 1}`,
      }
      const gatewayPort = this.#daemon.port
      const of = { ...identity, gatewayPort, chainPem, keyPem, authorityPem }
      const partner = new Partner(of, this.#arrives)
      await partner.listen()
      this.#zone.federate(domain, { port: partner.port, host: identity.host })
      this.#partners.push(partner)
    }
    await Promise.all(this.#partners.map(partner => partner.connect()))
  }

  async #end(): Promise<number | null> {
    await Promise.all(this.#partners.map(partner => partner.stop()))
    const exited = this.#daemon.stop()
    const code = await exited
    await this.#inside.stop()
    return code
  }

  /** Sends at a steady rate, wherever there is a stream to send on. */
  async #load(untilMs: number): Promise<void> {
    const perTick = (stanzasPerSecond * tickMs) / 1_000 / (2 * partnerCount)
    let ticks = 0
    const startMs = performance.now()
    while (performance.now() < untilMs) {
      const due = Math.floor((performance.now() - startMs) / tickMs)
      // Who comes late catches up, but not with more than a second's worth at once.
      const count = Math.floor(due * perTick) - Math.floor(Math.max(ticks, due - 50) * perTick)
      ticks = due
      for (const index of this.#everybody) {
        if (!this.#paused.has(index)) this.#sends(index, count)
      }
      await new Promise(resolve => setTimeout(resolve, tickMs))
    }
  }

  #sends(partner: number, count: number): void {
    const juliet = `juliet@${local}/balcony`
    const romeo = `romeo@${domainOf(partner)}/orchard`
    const write = (way: Way, from: string, to: string) =>
      Array.from({ length: count }, () => {
        const id = this.#ledger.send(partner, way)
        return tag(
          'message',
          { id, type: 'chat', from, to },
          tag('body', {}, id.repeat(1 + (id.length % 7) * 4)),
        )
      }).join('')
    const out = this.#partners[partner]!.out
    if (out !== undefined) out.send(write('in', romeo, juliet))
    const component = this.#inside.component(domainOf(partner))
    if (component !== undefined) component.send(write('out', juliet, romeo))
  }

  /**
   * One trouble after the other, each over before the next: an error that cannot be delivered is dropped (RFC 6120 §8.3.1), so
   * that a partner and the inside must not be down at once if everything is to be accounted for.
   */
  async #trouble(untilMs: number): Promise<void> {
    let insideMs = performance.now()
    for (let round = 0; performance.now() < untilMs - 2_000; round++) {
      if (performance.now() - insideMs > insideEveryMs) {
        await this.#insideTrouble(this.#inside.restarts % 3 === 2)
        insideMs = performance.now()
      } else await this.#partnersTrouble(round)
    }
  }

  async #insideTrouble(isSudden: boolean): Promise<void> {
    this.#counts(isSudden ? 'inside killed, once all was read' : 'inside restarted in good order')
    if (isSudden) await this.#onceAllIsRead(this.#everybody, () => this.#inside.dies())
    else await this.#inside.restart(500)
    const deadlineMs = performance.now() + settleMs
    while (this.#inside.up < partnerCount && performance.now() < deadlineMs) await pause(50)
    if (this.#inside.up < partnerCount) this.#faults.push(`only ${this.#inside.up} components came back`)
    await this.#settles(this.#everybody, 'after the inside came back')
  }

  async #partnersTrouble(round: number): Promise<void> {
    const indices = [0, 7, 14].map(offset => (round * 3 + offset) % partnerCount)
    const kind = (['reopens', 'restarts', 'dies'] as const)[round % 3]!
    this.#counts(
      { reopens: 'streams closed, and opened again', restarts: 'partner down 2 s', dies: 'partner killed' }[
        kind
      ],
      indices.length,
    )
    const befall = {
      reopens: (partner: Partner) => partner.reopens(),
      restarts: (partner: Partner) => partner.restarts(2_000),
      dies: (partner: Partner) => partner.dies(),
    }[kind]
    const all = () => Promise.all(indices.map(index => befall(this.#partners[index]!)))
    if (kind === 'dies') await this.#onceAllIsRead(indices, all)
    else await all()
    await this.#settles(indices, `after partners ${indices} (${kind})`)
    await pause(300)
  }

  /** What the kernel took for a connection that is then reset is not promised: so nothing is on its way then. */
  async #onceAllIsRead(partners: readonly number[], act: () => Promise<unknown>): Promise<void> {
    for (const partner of partners) this.#paused.add(partner)
    await this.#settles(partners, 'before a kill')
    const acted = act()
    for (const partner of partners) this.#paused.delete(partner)
    await acted
  }

  async #settles(partners: readonly number[], when: string): Promise<void> {
    if (await this.#ledger.settles(partners, settleMs)) return
    this.#faults.push(`not everything was accounted for in ${settleMs / 1000} s ${when}`)
  }

  #counts(event: string, times = 1): void {
    this.#events[event] = (this.#events[event] ?? 0) + times
  }

  async #sample(): Promise<Sample> {
    const figures = await this.#daemon.figures()
    const sample: Sample = {
      rssBytes: figures('process_resident_memory_bytes'),
      heapBytes: figures('nodejs_heap_size_used_bytes'),
      descriptors: figures('process_open_fds'),
      cpuSeconds: figures('process_cpu_seconds_total'),
      lagSeconds: figures('nodejs_eventloop_lag_p99_seconds'),
      droppedErrors: figures('gatehouse_errors_dropped_total'),
      open: this.#ledger.open,
    }
    this.#samples.push(sample)
    const megabytes = Math.round(sample.rssBytes / 2 ** 20)
    const up = `${this.#partners.filter(({ out }) => out !== undefined).length} partners, ${this.#inside.up} components`
    this.#say(
      `${String(this.#samples.length).padStart(3)} s  ${megabytes} MB, ${sample.descriptors} descriptors, ${sample.open} on their way, ${up}`,
    )
    return sample
  }
}

function methodOf(index: number): SoakMethod {
  return methods[index % methods.length]!
}

function domainOf(index: number): string {
  return `partner${index}.example`
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
