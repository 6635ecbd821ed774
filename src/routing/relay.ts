import type { Proof } from '../identity/proof.ts'
import { coveringProof, insidePair } from '../policy/addressing.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { elementsOf, type Slice } from '../xml/reader.ts'
import { rewrite } from '../xml/rewrite.ts'
import { type Destination, type Pausable, type Run, RunBuilder } from '../xml/run.ts'
import { type Domain, toUnicode } from '../xmpp/address.ts'
import { type ContentNamespace, ns } from '../xmpp/namespaces.ts'
import type { StanzaKind } from '../xmpp/stanza.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import { StreamError } from '../xmpp/stream-error.ts'
import { AddressCache } from './address-cache.ts'
import { bounceOf } from './bounce.ts'

/** A stream that stanzas are read from; `declarations` are those of its header. */
export type Source = Pausable & { readonly declarations: ReadonlyMap<string, string> }

/** Why stanzas come back, as their sender is told it. */
export type Undeliverable = { readonly condition: StanzaCondition; readonly text: string }

/** A local and a partner's domain. */
export type Pair = { readonly local: Domain; readonly remote: Domain }

/** Where stanzas can go. */
export type Ways = {
  readonly isLocal: (domain: Domain) => boolean
  readonly isPartner: (domain: Domain) => boolean
  /** Takes a partner's answer to a ping of the gateway's own; false when it is none. */
  readonly pong: (pair: Pair, id: string) => boolean
  /** To the inside, for what comes from a partner's domain. */
  readonly inward: (remote: Domain) => Destination
  /** To a partner, for what comes from a local domain. */
  readonly outward: (pair: Pair) => Destination
}

/** The middle of the way of every stanza: addresses are judged, a destination is chosen, what fails comes back. */
export class Relay {
  readonly #ways: Ways
  readonly #metrics: Metrics
  readonly #log: Log
  readonly #addresses = new AddressCache()
  /** Errors for peers that do not read what they are sent. */
  droppedErrors = 0

  constructor(ways: Ways, telemetry: { metrics: Metrics; log: Log }) {
    this.#ways = ways
    this.#metrics = telemetry.metrics
    this.#log = telemetry.log
  }

  /** Takes the stanzas of one stream that a partner opened. */
  fromPartner(source: Source): { stanza(slice: Slice, proofs: readonly Proof[]): void; flush(): void } {
    const runs = new RunBuilder(source)
    return {
      stanza: (slice, proofs) => {
        const proof = coveringProof(slice, proofs, this.#addresses.domainOf)
        if (typeof proof === 'string') {
          this.#refused('in', slice, proof, { local: proofs[0]?.local, remote: proofs[0]?.remote })
          throw new StreamError(proof, `from="${slice.from ?? ''}" to="${slice.to ?? ''}"`.slice(0, 200))
        }
        if (slice.name === 'iq' && this.#isPong(slice, proof)) return
        this.#metrics.stanza('in', slice.name as StanzaKind, 'relayed')
        runs.add(this.#ways.inward(proof.remote), portable(slice, source, ns.server, ns.component))
      },
      flush: () => runs.flush(),
    }
  }

  /** Takes the stanzas that the inside has for one partner domain. */
  fromInside(source: Source, component: Domain): { stanza(slice: Slice): void; flush(): void } {
    const runs = new RunBuilder(source)
    return {
      stanza: slice => {
        const pair = insidePair(slice, this.#ways, this.#addresses.domainOf)
        if ('condition' in pair) {
          this.#refused('out', slice, pair.condition, { local: undefined, remote: component })
          const isPartners = slice.to !== undefined && this.#isPartner(slice.to)
          const error = bounceOf(slice, pair, isPartners ? slice.to : toUnicode(component))
          if (error !== undefined) this.#sendError(this.#ways.inward(component), error)
          return
        }
        this.#metrics.stanza('out', slice.name as StanzaKind, 'relayed')
        runs.add(this.#ways.outward(pair), portable(slice, source, ns.component, ns.server))
      },
      flush: () => runs.flush(),
    }
  }

  /** Stanzas for a partner come back: their senders are inside. */
  bounceInward(remote: Domain, run: Run, why: Undeliverable): void {
    this.#bounce('out', run, ns.server, why, () => this.#ways.inward(remote))
  }

  /** Stanzas for the inside come back: their senders are a partner's. */
  bounceOutward(run: Run, why: Undeliverable): void {
    this.#bounce('in', run, ns.component, why, slice => {
      const local = this.#addresses.domainOf(slice.to ?? '')
      const remote = this.#addresses.domainOf(slice.from ?? '')
      return local && remote && this.#ways.outward({ local, remote })
    })
  }

  #bounce(
    direction: 'in' | 'out',
    run: Run,
    content: ContentNamespace,
    why: Undeliverable,
    wayBack: (slice: Slice) => Destination | undefined,
  ): void {
    for (const slice of elementsOf(run.bytes, content)) {
      this.#metrics.stanza(direction, slice.name as StanzaKind, 'bounced')
      const error = bounceOf(slice, why)
      const destination = error === undefined ? undefined : wayBack(slice)
      if (error !== undefined && destination !== undefined) this.#sendError(destination, error)
    }
  }

  /** Sends an error, whose cause could not be made to wait. It is dropped for a peer that takes nothing: memory is bounded. */
  #sendError(destination: Destination, text: string): void {
    if (destination.isFull) this.droppedErrors++
    else destination.send({ bytes: Buffer.from(text), stanzas: 1 })
  }

  /** The answer to a ping of our own, which nobody inside has asked for. */
  #isPong({ type, id }: Slice, pair: Pair): boolean {
    const isAnswer = (type === 'result' || type === 'error') && id !== undefined
    return isAnswer && this.#ways.pong(pair, id)
  }

  #isPartner(address: string): boolean {
    const domain = this.#addresses.domainOf(address)
    return domain !== undefined && this.#ways.isPartner(domain)
  }

  #refused(
    direction: 'in' | 'out',
    slice: Slice,
    rule: string,
    names: { local: Domain | undefined; remote: Domain | undefined },
  ): void {
    this.#metrics.stanza(direction, slice.name as StanzaKind, 'refused')
    this.#log.event({
      event: 'stanza.refused',
      local: names.local ?? null,
      remote: names.remote ?? null,
      rule,
    })
  }
}

/** The slice as it may stand on the other side; most may as they are. */
function portable(
  slice: Slice,
  source: Source,
  from: ContentNamespace,
  to: ContentNamespace,
): Pick<Slice, 'bytes' | 'start' | 'end'> {
  if (slice.isPortable) return slice
  const bytes = rewrite(slice, { from, to, declarations: source.declarations })
  return { bytes, start: 0, end: bytes.length }
}
