import { type BareJid, isDomainItself } from '../xmpp/address.ts'
import type { StanzaEnvelope } from '../xmpp/stanza.ts'
import type { PartnerType } from './partner.ts'

/** The presence types by which a local user adds and removes contacts (RFC 6121 §3). */
export const subscriptionWords = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'] as const

export type SubscriptionWord = (typeof subscriptionWords)[number]

/**
 * Which words of a local user's stand towards a contact that is authorised: the sum of 1 = `subscribe` and 2 = `subscribed`. 0 = none:
 * an operator has authorised it, or the contact has left what `subscribed` gave it.
 */
export type Words = 0 | 1 | 2 | 3

/** What changes the words that stand: one of the local user's, or `left` = the contact itself has sent him `unsubscribe`. */
export type ContactNews = SubscriptionWord | 'left'

/** What becomes of it: nothing to be kept; to be kept; or one contact more than the user may have, and nothing is kept. */
export type Learned = 'nothing' | 'due' | 'full'

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
 * What stands after that (contract §3): `subscribe` and `subscribed` authorise; `unsubscribed` ends it, and `unsubscribe` does where
 * no `subscribed` stands. A contact that leaves stays authorised, but then `subscribed` no longer stands: the user's server says no
 * more than `unsubscribe` when he drops it from the roster (RFC 6121 §2.5.2, §3.3).
 * @param words what stood before; undefined = the contact was not authorised
 * @returns undefined = it is not authorised
 */
export function afterNews(words: Words | undefined, news: ContactNews): Words | undefined {
  switch (news) {
    case 'subscribe':
      return words === undefined || words < 2 ? 1 : 3
    case 'subscribed':
      return words === undefined || words % 2 === 0 ? 2 : 3
    case 'unsubscribe':
      return words !== undefined && words >= 2 ? 2 : undefined
    case 'unsubscribed':
      return undefined
    case 'left':
      return words === undefined ? undefined : words % 2 === 0 ? 0 : 1
  }
}

/**
 * What stands where a change could not be written: of what stood before, that which the change would have left. Nobody is
 * authorised by it who was not, or is not to be.
 */
export function withoutGrants(before: Words | undefined, after: Words | undefined): Words | undefined {
  if (before === undefined || after === undefined) return undefined
  const both = (before & after) as Words
  // Nothing need stand where the contact has left; else what stood was ended, and given anew.
  return both === 0 && before !== 0 && !(before >= 2 && after === 0) ? undefined : both
}

/** The partner's stanza says that its sender leaves what the local user's `subscribed` gave it. */
export function isLeaving({ name, type }: Pick<StanzaEnvelope, 'name' | 'type'>): boolean {
  return name === 'presence' && type === 'unsubscribe'
}

/** Must the sender be an authorised contact of the receiver? Stanzas to a local domain itself are not a user's. */
export function needsContact(partnerType: PartnerType, receiver: BareJid | undefined): boolean {
  return partnerType === 'publicUnverified' && (receiver === undefined || !isDomainItself(receiver))
}
