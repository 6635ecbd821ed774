import type { PartnerType } from '../policy/partner.ts'
import type { Destination, Pausable } from '../xml/run.ts'
import type { Domain } from '../xmpp/address.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'

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
