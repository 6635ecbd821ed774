import type { Proof } from '../identity/proof.ts'
import { coveringProof, insidePair } from '../policy/addressing.ts'
import type { Learned } from '../policy/contacts.ts'
import type { PartnerType } from '../policy/partner.ts'
import { notesIn } from '../policy/privacy.ts'
import { type Answer, type Denial, denials } from '../policy/verdict.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { elementsOf, type Slice } from '../xml/reader.ts'
import { type Cut, rewrite } from '../xml/rewrite.ts'
import { type Destination, type Pausable, type Run, RunBuilder } from '../xml/run.ts'
import { type Domain, toUnicode } from '../xmpp/address.ts'
import { type ContentNamespace, ns } from '../xmpp/namespaces.ts'
import type { StanzaKind } from '../xmpp/stanza.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import { StreamError } from '../xmpp/stream-error.ts'
import { AddressCache } from './address-cache.ts'
import { bounceOf, errorFor, unsubscribedFor } from './bounce.ts'
import { type Contacts, Gate } from './gate.ts'
import { Refusals } from './refusals.ts'

/** A stream that stanzas are read from; `declarations` are those of its header. */
export type Source = Pausable & { readonly declarations: ReadonlyMap<string, string> }

/** Why stanzas come back, as their sender is told it. */
export type Undeliverable = { readonly condition: StanzaCondition; readonly text: string }

/** A local and a partner's domain. */
export type Pair = { readonly local: Domain; readonly remote: Domain }

/** Where stanzas can go. */
export type Ways = {
  readonly isLocal: (domain: Domain) => boolean
  /** How far the partner of this domain is trusted; undefined = it is no partner's. */
  readonly partnerType: (domain: Domain) => PartnerType | undefined
  /** Takes a partner's answer to a ping of the gateway's own; false when it is none. */
  readonly pong: (pair: Pair, id: string) => boolean
  /** To the inside, for what comes from a partner's domain. */
  readonly inward: (remote: Domain) => Destination
  /** To a partner, for what comes from a local domain. */
  readonly outward: (pair: Pair) => Destination
}

/**
 * The middle of the way of every stanza: addresses are judged, then what the partner's type allows; a destination is chosen, and
 * what fails comes back.
 */
export class Relay {
  readonly #ways: Ways
  readonly #domains: { isLocal(domain: Domain): boolean; isPartner(domain: Domain): boolean }
  readonly #metrics: Metrics
  readonly #refusals: Refusals
  readonly #addresses = new AddressCache()
  readonly #gate: Gate
  /** Errors for peers that do not read what they are sent. */
  droppedErrors = 0

  constructor(ways: Ways, contacts: Contacts, telemetry: { metrics: Metrics; log: Log }) {
    this.#ways = ways
    this.#domains = {
      isLocal: ways.isLocal,
      isPartner: domain => ways.partnerType(domain) !== undefined,
    }
    this.#metrics = telemetry.metrics
    this.#refusals = new Refusals(telemetry)
    this.#gate = new Gate(contacts, this.#addresses)
    // So that they can be watched before the first one.
    for (const rule of Object.keys(denials)) this.#metrics.refusal(rule, 0)
  }

  /** Takes the stanzas of one stream that a partner opened. */
  fromPartner(source: Source): { stanza(slice: Slice, proofs: readonly Proof[]): void; flush(): void } {
    const runs = new RunBuilder(source)
    let isDue = false
    return {
      stanza: (slice, proofs) => {
        const proof = coveringProof(slice, proofs, this.#addresses.domainOf)
        if (typeof proof === 'string') {
          this.#refused('in', slice, proof, proofs[0])
          throw new StreamError(proof, `from="${slice.from ?? ''}" to="${slice.to ?? ''}"`.slice(0, 200))
        }
        if (slice.name === 'iq' && this.#isPong(slice, proof)) return
        const verdict = this.#gate.inward(this.#partnerType(proof.remote), slice)
        if (verdict.do === 'refuse' || verdict.do === 'drop')
          return this.#deny('in', slice, proof, verdict.rule)
        isDue = this.#gate.learnInward(slice) || isDue
        this.#metrics.stanza('in', slice.name as StanzaKind, 'relayed')
        runs.add(this.#ways.inward(proof.remote), portable(slice, source, ns.server, ns.component))
      },
      flush: () => {
        runs.flush()
        if (!isDue) return
        isDue = false
        this.#gate.settle()
      },
    }
  }

  /** Takes the stanzas that the inside has for one partner domain. */
  fromInside(source: Source, component: Domain): { stanza(slice: Slice): void; flush(): void } {
    const runs = new RunBuilder(source)
    const pass = (slice: Slice, pair: Pair) => {
      const verdict = this.#gate.outward(this.#partnerType(pair.remote), slice)
      if (verdict.do === 'refuse' || verdict.do === 'drop')
        return this.#deny('out', slice, pair, verdict.rule)
      const notes = verdict.do === 'pass-without-notes' ? notesIn(slice, source.declarations) : undefined
      if (notes === 'whole')
        return this.#refusals.addFiltered('out', slice.name as StanzaKind, 'status-note', pair)
      this.#metrics.stanza('out', slice.name as StanzaKind, 'relayed')
      runs.add(this.#ways.outward(pair), portable(slice, source, ns.component, ns.server, notes))
    }
    // From the first stanza on that changes who is authorised, a read is held until that is on disk.
    let held: { readonly slice: Slice; readonly pair: Pair; readonly learned: Learned }[] = []
    return {
      stanza: slice => {
        const pair = insidePair(slice, this.#domains, this.#addresses.domainOf)
        if ('condition' in pair) return this.#comesBack(slice, pair, component)
        const learned = this.#gate.learn(slice)
        if (learned !== 'nothing' || held.length > 0) held.push({ slice, pair, learned })
        else pass(slice, pair)
      },
      flush: () => {
        if (held.length > 0) {
          const released = held
          held = []
          const isKept = this.#gate.settle() === undefined
          for (const { slice, pair, learned } of released) {
            const isLost = learned === 'full' || (learned === 'due' && !isKept && !this.#gate.isKnown(slice))
            if (!isLost || !this.#dependsOnStore(slice, pair)) pass(slice, pair)
            else this.#deny('out', slice, pair, learned === 'full' ? 'too-many-contacts' : 'store-failed')
          }
        }
        runs.flush()
      },
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

  /** What addresses nobody can be reached by comes back to the inside. */
  #comesBack(slice: Slice, why: Undeliverable, component: Domain): void {
    this.#refused('out', slice, why.condition, { remote: component })
    const domain = slice.to === undefined ? undefined : this.#addresses.domainOf(slice.to)
    const isPartners = domain !== undefined && this.#domains.isPartner(domain)
    const error = bounceOf(slice, why, isPartners ? slice.to : toUnicode(component))
    if (error !== undefined) this.#sendError(this.#ways.inward(component), error)
  }

  /** The stanza goes no further; its sender gets what the rule says. */
  #deny(direction: 'in' | 'out', slice: Slice, pair: Pair, rule: Denial): void {
    this.#refused(direction, slice, rule, pair)
    const answer: Answer = denials[rule]
    if (answer === undefined) return
    const text = answer === 'unsubscribed' ? unsubscribedFor(slice) : errorFor(slice, answer)
    if (text === undefined) return
    this.#sendError(direction === 'in' ? this.#ways.outward(pair) : this.#ways.inward(pair.remote), text)
  }

  /** Would the contact be kept out that this stanza adds, if nobody knew of it? */
  #dependsOnStore(slice: Slice, { remote }: Pair): boolean {
    const isGrant = slice.type === 'subscribe' || slice.type === 'subscribed'
    return isGrant && this.#partnerType(remote) === 'publicUnverified'
  }

  /** Who has just ceased to be a partner is trusted as little as can be. */
  #partnerType(remote: Domain): PartnerType {
    return this.#ways.partnerType(remote) ?? 'publicUnverified'
  }

  #refused(direction: 'in' | 'out', slice: Slice, rule: string, names: Partial<Pair> = {}): void {
    this.#refusals.add(direction, slice.name as StanzaKind, rule, names)
  }
}

/** The slice as it may stand on the other side; most may as they are. */
function portable(
  slice: Slice,
  source: Source,
  from: ContentNamespace,
  to: ContentNamespace,
  cut?: Cut,
): Pick<Slice, 'bytes' | 'start' | 'end'> {
  if (slice.isPortable && cut === undefined) return slice
  const bytes = rewrite(slice, { from, to, declarations: source.declarations, cut })
  return { bytes, start: 0, end: bytes.length }
}
