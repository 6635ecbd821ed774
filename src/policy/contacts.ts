import { type BareJid, isDomainItself } from '../xmpp/address.ts'
import type { StanzaEnvelope } from '../xmpp/stanza.ts'
import type { PartnerType } from './partner.ts'

/** The presence types by which a local user adds and removes contacts (RFC 6121 §3). */
export const subscriptionWords = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'] as const

export type SubscriptionWord = (typeof subscriptionWords)[number]

/**
 * Which words a local user has given to a contact that is authorised: the sum of 1 = `subscribe` and 2 = `subscribed`. 0 = neither:
 * an operator has given it.
 */
export type Words = 0 | 1 | 2 | 3

/** Has the local user given `subscribed`, and not taken it back? */
export function isApproval(words: Words | undefined): boolean {
  return words !== undefined && words >= 2
}

/** A local user's contact, whether authorised or not: which user, and who with a partner. */
export type ContactPair = { readonly local: BareJid; readonly remote: BareJid }

/** The word that a local user's stanza gives to its receiver; undefined for any other stanza. */
export function wordOf({ name, type }: Pick<StanzaEnvelope, 'name' | 'type'>): SubscriptionWord | undefined {
  if (name !== 'presence' || type === undefined) return undefined
  return subscriptionWords.find(word => word === type)
}

/**
 * What stands after a word of the local user's (contract §3): `subscribe` and `subscribed` authorise; `unsubscribed` ends it, and
 * `unsubscribe` does where no `subscribed` stands.
 * @param words what stood before; undefined = the contact was not authorised
 * @returns undefined = it is not authorised
 */
export function afterWord(words: Words | undefined, word: SubscriptionWord): Words | undefined {
  switch (word) {
    case 'subscribe':
      return words === undefined || words < 2 ? 1 : 3
    case 'subscribed':
      return words === undefined || words % 2 === 0 ? 2 : 3
    case 'unsubscribe':
      return words !== undefined && words >= 2 ? 2 : undefined
    case 'unsubscribed':
      return undefined
  }
}

/**
 * What stands where a change could not be written: of what stood before, that which the change would have left. Nobody is
 * authorised by it who was not, or is not to be.
 */
export function withoutGrants(before: Words | undefined, after: Words | undefined): Words | undefined {
  if (before === undefined || after === undefined) return undefined
  const both = (before & after) as Words
  return both === 0 && before !== 0 ? undefined : both
}

/** Must the sender be an authorised contact of the receiver? Stanzas to a local domain itself are not a user's. */
export function needsContact(partnerType: PartnerType, receiver: BareJid | undefined): boolean {
  return partnerType === 'publicUnverified' && (receiver === undefined || !isDomainItself(receiver))
}
