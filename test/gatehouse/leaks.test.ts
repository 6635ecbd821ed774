import { readdirSync } from 'node:fs'
import { queryObjects } from 'node:v8'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { OutboundLink } from '../../src/federation/outbound-link.ts'
import { Connection } from '../../src/transport/connection.ts'
import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { listen } from '../support/wire.ts'
import { WirePeer } from '../support/wire-peer.ts'
import { inboundStages, outboundStages, type Stages } from './failing-handshakes.ts'
import { message } from './numbered.ts'

const partners = 20
const rounds = 12
const streamsPerAddress = 4
/** Which handshakes may end in silence: the gateway bears that for 5 s, which are to pass meanwhile. */
const silent = { from: 60, to: 300 }

describe('500 handshakes that fail at random points', () => {
  test('leave no descriptor, timer, stream, link, question or admission behind', async () => {
    const gateway = await startGateway({
      inside: 'component',
      partners: Array.from({ length: partners }, (_, index) => ({
        primaryDomain: domainOf(index),
        tlsNegotiation: index % 2 === 0 ? 'required' : 'optional',
        saslNegotiation: 'optional',
        dialbackNegotiation: true,
      })),
      settings: {
        limits: { connections: partners * streamsPerAddress, unauthenticatedPerAddress: streamsPerAddress },
        timeouts: { streamEstablishment: '250ms', dialback: '250ms', queue: '1s', shutdown: '500ms' },
      },
    })
    const trouble = new Trouble(gateway)
    await trouble.begin()
    await trouble.happens(1)
    await gateway.hasNoStreams()
    const before = { ...count(), ...objects() }

    await trouble.happens(rounds)
    await gateway.hasNoStreams()
    await expectNoMoreThan(before)

    expect(trouble.handshakes).toBeGreaterThanOrEqual(500)
    const stages = [...Object.keys(inboundStages), ...Object.keys(outboundStages)]
    expect(stages.filter(stage => !trouble.reached.has(stage))).toEqual([])
    // One place still taken, of an address or of all, and somebody would be refused.
    await Promise.all(Array.from({ length: partners }, (_, index) => trouble.fills(index)))
  }, 30_000)
})

/** Partners that do nothing right, each at an address of its own. */
class Trouble {
  readonly #gateway: RunningGateway
  readonly #identities: ReturnType<RunningGateway['identity']>[]
  readonly #background: Promise<unknown>[] = []
  readonly #config: Config
  readonly #random = seeded(20_260_101)
  readonly reached = new Set<string>()
  handshakes = 0

  constructor(gateway: RunningGateway) {
    this.#gateway = gateway
    this.#config = gateway.folder.load()
    // Every fifth partner's certificate names somebody else.
    this.#identities = Array.from({ length: partners }, (_, index) => {
      const domain = domainOf(index)
      const certificate = gateway.authority.issueFor(index % 5 === 0 ? 'adatum.com' : domain)
      return gateway.identity(domain, certificate)
    })
  }

  async begin(): Promise<void> {
    for (const identity of this.#identities) {
      const port = await listen(socket => {
        this.#keep(this.#fails(outboundStages, new WirePeer(socket, identity)))
      })
      this.#gateway.zone.federate(identity.domain, { port })
    }
  }

  /** Each partner fails so often where it connects, and at least so often where the gateway connects to it. */
  async happens(rounds: number): Promise<void> {
    await Promise.all(
      this.#identities.flatMap((identity, index) => [
        this.#fromPartner(identity, index, rounds),
        this.#toPartner(identity.domain, rounds),
      ]),
    )
    while (this.#background.length > 0) await this.#background.pop()
  }

  /** As many streams from one address as there may be, none of which is refused. */
  async fills(index: number): Promise<void> {
    for (let stream = 0; stream < streamsPerAddress; stream++) {
      const peer = await this.#gateway.connect(this.#identities[index], { localAddress: addressOf(index) })
      await peer.opens()
      peer.send(tag('auth', { xmlns: ns.sasl, mechanism: 'EXTERNAL' }))
      await peer.next('failure')
    }
  }

  async #fromPartner(identity: WirePeer['identity'], index: number, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const directTls = this.#random() < 0.15
      const peer = await this.#gateway.connect(identity, { localAddress: addressOf(index), directTls })
      await this.#fails(inboundStages, peer)
    }
  }

  /** No message is lost by all that. */
  async #toPartner(domain: string, rounds: number): Promise<void> {
    const inside = await this.#gateway.inside.component(domain)
    for (let round = 0; round < rounds; round++) {
      inside.send(message(round, 'juliet@contoso.com', `romeo@${domain}`))
      await this.#gateway.inside.stanza(domain, String(round))
      await this.#gateway.gatehouse.reload(this.#config) // forgets that the partner failed
    }
  }

  async #fails(stages: Stages, peer: WirePeer): Promise<void> {
    this.handshakes++
    const names = Object.keys(stages)
    const stage = names[Math.floor(this.#random() * names.length)]!
    const ending = this.#random()
    const reached = stages[stage]!(peer).then(() => this.reached.add(stage))
    // It may fail even earlier: the gateway was asked for something else, or its time was over.
    await Promise.race([reached, peer.streamEnd(600)]).catch(ignore)
    if (ending < 0.3) peer.reset()
    else if (ending < 0.55) peer.end()
    else if (ending < 0.75) peer.end('</stream:stream>')
    else if (ending < 0.95 || this.handshakes < silent.from || this.handshakes > silent.to)
      await peer.streamEnd(350).then(() => peer.end('</stream:stream>'), ignore)
    // Silence to the end, for as long as the gateway bears it; the others need not wait for that.
    else return this.#keep(peer.closed(7_000).then(ignore, () => peer.reset()))
    await peer.closed(300).catch(() => peer.reset())
  }

  #keep(promise: Promise<unknown>): void {
    this.#background.push(promise.catch(ignore))
  }
}

type Counts = Readonly<Record<string, number>>

/**
 * Objects that are still referred to from anywhere: sessions have connections, and questions have sessions. Takes three
 * collections of all garbage.
 */
function objects(): Counts {
  const options = { format: 'count' } as const
  return { connections: queryObjects(Connection, options), links: queryObjects(OutboundLink, options) }
}

/** What is there now, and is soon counted. */
function count(): Counts {
  const timers = process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  return { descriptors: readdirSync('/proc/self/fd').length, timers }
}

async function expectNoMoreThan(before: Counts): Promise<void> {
  const moreOf = (now: Counts) => Object.entries(now).filter(([name, value]) => value > (before[name] ?? 0))
  const untilMs = performance.now() + 3_000
  while (moreOf(count()).length > 0 && performance.now() < untilMs) await new Promise(setImmediate)
  expect(moreOf({ ...count(), ...objects() })).toEqual([])
}

function domainOf(index: number): string {
  return `partner${index}.example`
}

function addressOf(index: number): string {
  return `127.0.1.${index + 1}`
}

function ignore(): void {}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
