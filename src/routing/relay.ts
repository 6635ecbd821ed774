import type { Proof } from '../identity/proof.ts'
import { coveringProof, insidePair } from '../policy/addressing.ts'
import type { Learned } from '../policy/contacts.ts'
import type { PartnerType } from '../policy/partner.ts'
import { notesIn } from '../policy/privacy.ts'
import type { Privileges } from '../policy/privileges.ts'
import { type Answer, type Denial, denials } from '../policy/verdict.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { elementsOf, type Slice } from '../xml/reader.ts'
import { type Destination, type Run, RunBuilder } from '../xml/run.ts'
import { type BareJid, type Domain, isDomainAlone, toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { StanzaKind } from '../xmpp/stanza.ts'
import { StreamError } from '../xmpp/stream-error.ts'
import { AddressCache } from './address-cache.ts'
import { bounceOf, errorFor, unsubscribedFor } from './bounce.ts'
import { type Contacts, Gate } from './gate.ts'
import { GroupCommit } from './group-commit.ts'
import { HeldRead } from './held.ts'
import { portable } from './portable.ts'
import { PresenceService, type Taken } from './presence-service.ts'
import { GrantedPrivileges } from './privileges.ts'
import { Queue, Valve } from './queue.ts'
import { Refusals } from './refusals.ts'
import { RosterAccess } from './roster-access.ts'
import { Rosters } from './rosters.ts'
import type { Pair, Source, Undeliverable, Ways } from './ways.ts'

/**
 * The middle of the way of every stanza: addresses are judged, then what the partner's type allows; a destination is chosen, and
 * what fails comes back.
 */
export class Relay {
  readonly #ways: Ways
  readonly #domains: { isLocal(domain: Domain): boolean; isPartner(domain: Domain): boolean }
  readonly #contacts: Contacts
  readonly #metrics: Metrics
  readonly #refusals: Refusals
  readonly #addresses = new AddressCache()
  readonly #privileges = new GrantedPrivileges()
  readonly #access = new RosterAccess(this.#privileges)
  readonly #rosters: Rosters
  readonly #gate: Gate
  readonly #presence: PresenceService
  readonly #commit: GroupCommit
  /** Errors for peers that do not read what they are sent. */
  droppedErrors = 0

  /** @param later runs something at the end of this turn of the event loop */
  constructor(
    ways: Ways,
    contacts: Contacts,
    telemetry: { metrics: Metrics; log: Log },
    later: (work: () => void) => void = setImmediate,
  ) {
    this.#ways = ways
    this.#domains = {
      isLocal: ways.isLocal,
      isPartner: domain => ways.partnerType(domain) !== undefined,
    }
    this.#contacts = contacts
    this.#metrics = telemetry.metrics
    this.#refusals = new Refusals(telemetry)
    this.#rosters = new Rosters(ways.inward, this.#addresses)
    const parts = { ways, contacts, addresses: this.#addresses, privileges: this.#privileges }
    this.#gate = new Gate({ ...parts, rosters: this.#rosters, access: this.#access })
    this.#presence = new PresenceService(parts, telemetry.log, later)
    this.#commit = new GroupCommit(() => this.#gate.settle(), telemetry.log, later)
    // So that they can be watched before the first one.
    for (const rule of Object.keys(denials)) this.#metrics.refusal(rule, 0)
  }

  /** Presences for partners that do not read what they are sent. */
  get droppedPresences(): number {
    return this.#presence.teller.dropped
  }

  /** Takes the stanzas of one stream that a partner opened. */
  fromPartner(source: Source): { stanza(slice: Slice, proofs: readonly Proof[]): void; flush(): void } {
    const valve = new Valve(source)
    const runs = new RunBuilder(valve)
    let hasLeft = false
    const flush = () => {
      runs.flush()
      if (hasLeft) this.#commit.join(() => {})
      hasLeft = false
    }
    const read = new HeldRead<Pair, Taken | undefined>(source, valve, this.#commit, {
      pass: (slice, pair, taken, isKept, context) => {
        if (taken?.answer(isKept)) return
        const verdict = this.#gate.inward(this.#partnerType(pair.remote), slice, pair)
        if (verdict.do === 'refuse' || verdict.do === 'drop')
          return this.#deny('in', slice, pair, verdict.rule)
        hasLeft = this.#gate.learnInward(slice) || hasLeft
        const passed = portable(slice, context, ns.server, ns.component)
        runs.add(this.#ways.inward(pair.remote), passed, slice.name as StanzaKind)
      },
      flush,
    })
    const queue = new Queue<Pair>(valve, {
      mustWait: (slice, pair, resume) =>
        this.#gate.awaitsRoster(this.#partnerType(pair.remote), slice, pair, resume),
      pass: (slice, pair) => {
        const taken = slice.name === 'presence' ? this.#presence.take(slice, pair) : undefined
        read.add(slice, pair, taken, taken?.isDue === true)
      },
      flush: () => read.release(),
    })
    return {
      stanza: (slice, proofs) => {
        const proof = coveringProof(slice, proofs, this.#addresses.domainOf)
        if (typeof proof === 'string') {
          this.#refused('in', slice, proof, proofs[0])
          throw new StreamError(proof, `from="${slice.from ?? ''}" to="${slice.to ?? ''}"`.slice(0, 200), {
            code: 'address-not-proven',
          })
        }
        if (slice.name === 'iq' && this.#isPong(slice, proof)) return
        queue.add(slice, proof)
      },
      flush: () => read.release(),
    }
  }

  /** Takes the stanzas that the inside has for one partner domain. */
  fromInside(source: Source, component: Domain): { stanza(slice: Slice): void; flush(): void } {
    const valve = new Valve(source)
    const runs = new RunBuilder(valve)
    const pass = (slice: Slice, pair: Pair, learned: Learned | 'declined', isKept: boolean) => {
      if (learned === 'declined') {
        runs.flush()
        this.#presence.declined(slice, pair)
      }
      const isLost = learned === 'full' || (learned === 'due' && !isKept && !this.#gate.isKnown(slice))
      if (isLost && this.#dependsOnStore(slice, pair))
        return this.#deny('out', slice, pair, learned === 'full' ? 'too-many-contacts' : 'store-failed')
      if (isDomainAlone(slice.to ?? '') && this.#isForGateway(slice, pair, source, runs)) return
      const verdict = this.#gate.outward(this.#partnerType(pair.remote), slice)
      if (verdict.do === 'refuse' || verdict.do === 'drop')
        return this.#deny('out', slice, pair, verdict.rule)
      const notes = verdict.do === 'pass-without-notes' ? notesIn(slice, source.declarations) : undefined
      if (notes === 'whole')
        return this.#refusals.addFiltered('out', slice.name as StanzaKind, 'status-note', pair)
      const passed = portable(slice, source, ns.component, ns.server, notes)
      runs.add(this.#ways.outward(pair), passed, slice.name as StanzaKind)
    }
    const read = new HeldRead<Pair, Learned | 'declined'>(source, valve, this.#commit, {
      pass,
      flush: () => runs.flush(),
    })
    return {
      stanza: slice => {
        const pair = insidePair(slice, this.#domains, this.#addresses.domainOf)
        if ('condition' in pair) return this.#comesBack(slice, pair, component)
        const isDeclined =
          slice.name === 'presence' && slice.type === 'unsubscribed' && this.#presence.isSeenBy(slice)
        const learned = this.#gate.learn(slice)
        read.add(slice, pair, isDeclined ? 'declined' : learned, learned === 'due')
      },
      flush: () => read.release(),
    }
  }

  /** Ends by an operator's order what there is between the two, and tells the contact, where he saw the user by the gateway's approval. */
  revoke(local: BareJid, remote: BareJid, end: () => boolean): boolean {
    // What was read before comes before.
    this.#commit.now()
    const wasSeen = this.#contacts.subscriptions.has(local, remote)
    const isEnded = end()
    if (wasSeen) this.#presence.revoked(local, remote)
    return isEnded
  }

  /** What a local domain has granted to a partner domain's component. */
  privileges(pair: Pair): Privileges {
    return this.#privileges.of(pair)
  }

  /** The stream of a partner domain's component is up. */
  componentUp(remote: Domain): void {
    this.#access.connected(remote)
  }

  /** The stream of a partner domain's component is lost. */
  componentLost(remote: Domain): void {
    // What it has said comes first.
    this.#commit.now()
    this.#access.lost(remote)
    this.#presence.lost(remote)
    this.#rosters.lost(remote)
  }

  /** The partner of this domain is about to be trusted less. */
  distrusted(remote: Domain): void {
    this.#presence.distrusted(remote)
  }

  /** Nothing is told nor asked any more of the gateway's own accord; what waits for an answer goes on, what waits for the disk waits no more. */
  stop(): void {
    this.#commit.stop()
    this.#presence.stop()
    this.#rosters.stop()
  }

  /** Stanzas for a partner come back: their senders are inside. @returns how many of them; others may not */
  bounceInward(remote: Domain, run: Run, why: Undeliverable): number {
    return this.#bounce('out', elementsOf(run.bytes, ns.server), why, () => this.#ways.inward(remote))
  }

  /** Stanzas for the inside come back: their senders are a partner's. */
  bounceOutward(run: Run, why: Undeliverable): void {
    this.#bounce('in', elementsOf(run.bytes, ns.component), why, slice => {
      const local = this.#addresses.domainOf(slice.to ?? '')
      const remote = this.#addresses.domainOf(slice.from ?? '')
      return local && remote && this.#ways.outward({ local, remote })
    })
  }

  #bounce(
    direction: 'in' | 'out',
    slices: readonly Slice[],
    why: Undeliverable,
    wayBack: (slice: Slice) => Destination | undefined,
  ): number {
    let bounced = 0
    for (const slice of slices) {
      if (direction === 'in' && this.#rosters.comesBack(slice)) continue
      const error = bounceOf(slice, why)
      this.#metrics.stanza(direction, slice.name as StanzaKind, error === undefined ? 'dropped' : 'bounced')
      if (error === undefined) continue
      bounced++
      const destination = wayBack(slice)
      if (destination !== undefined) this.#sendError(destination, error)
    }
    return bounced
  }

  /** Sends an error, whose cause could not be made to wait. It is dropped for a peer that takes nothing: memory is bounded. */
  #sendError(destination: Destination, text: string): void {
    if (destination.isFull) this.droppedErrors++
    else destination.send({ bytes: Buffer.from(text), stanzas: 1 })
  }

  /** What the server inside tells the component itself. What was gathered goes first: presence must not overtake it. */
  #isForGateway(slice: Slice, pair: Pair, source: Source, runs: RunBuilder): boolean {
    if (slice.name === 'iq') return this.#rosters.hears(slice, pair, source, this.#privileges.of(pair).roster)
    if (slice.name === 'presence') runs.flush()
    return this.#presence.hears(slice, pair, source)
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
