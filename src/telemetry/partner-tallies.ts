import type { Domain } from '../xmpp/address.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import type { Direction } from './events.ts'

type Tally = {
  readonly lastSuccess: Map<Direction, Date>
  readonly bounces: Map<StanzaCondition, number>
}

/**
 * What has become of each partner since the start, for the metrics. A partner is known by its primary domain; nothing is kept for
 * who is none, so the partner list bounds it.
 */
export class PartnerTallies {
  readonly #partnerOf: (domain: Domain) => Domain | undefined
  readonly #tallies = new Map<Domain, Tally>()

  /** @param partnerOf the primary domain of the partner that a domain belongs to */
  constructor(partnerOf: (domain: Domain) => Domain | undefined) {
    this.#partnerOf = partnerOf
  }

  /** A stream with one of a partner's domains has been authenticated. */
  authenticated(remote: Domain, direction: Direction, at: Date): void {
    this.#of(remote)?.lastSuccess.set(direction, at)
  }

  /** Stanzas for one of a partner's domains came back. */
  bounced(remote: Domain, reason: StanzaCondition, stanzas: number): void {
    const bounces = this.#of(remote)?.bounces
    bounces?.set(reason, (bounces.get(reason) ?? 0) + stanzas)
  }

  /** When a stream with a partner was authenticated last, if one was. */
  lastSuccess(partner: Domain, direction: Direction): Date | undefined {
    return this.#tallies.get(partner)?.lastSuccess.get(direction)
  }

  /** How many stanzas for a partner came back, by what their senders were told. */
  bounces(partner: Domain): ReadonlyMap<StanzaCondition, number> {
    return this.#tallies.get(partner)?.bounces ?? new Map()
  }

  /** Forgets who is no partner any more, under this primary domain. */
  forgetOthers(): void {
    for (const partner of this.#tallies.keys())
      if (this.#partnerOf(partner) !== partner) this.#tallies.delete(partner)
  }

  #of(remote: Domain): Tally | undefined {
    const partner = this.#partnerOf(remote)
    if (partner === undefined) return undefined
    const known = this.#tallies.get(partner)
    if (known !== undefined) return known
    const tally: Tally = { lastSuccess: new Map(), bounces: new Map() }
    this.#tallies.set(partner, tally)
    return tally
  }
}
