import {
  type ContactNews,
  type ContactPair,
  isApproval,
  isLeaving,
  type Learned,
  needsContact,
  type Words,
  wordOf,
} from '../policy/contacts.ts'
import type { PartnerType } from '../policy/partner.ts'
import { inwardVerdict, outwardVerdict, type Verdict } from '../policy/verdict.ts'
import type { Slice } from '../xml/reader.ts'
import { isDomainItself } from '../xmpp/address.ts'
import type { AddressCache, KnownAddress } from './address-cache.ts'
import { AwaitedAnswers } from './awaited-answers.ts'
import type { RosterAccess } from './roster-access.ts'
import type { Rosters } from './rosters.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Pair } from './ways.ts'

/** The contacts of one local user, as they are as long as `isCurrent`; then nobody has ceased to be one of them. */
export type UserContacts = {
  readonly isCurrent: boolean
  has(remote: ContactPair['remote']): boolean
}

/** What is known of contacts; the store, where there is one. */
export type Contacts = {
  /** The contacts of a local user; undefined where he has none. */
  of(local: ContactPair['local']): UserContacts | undefined
  /** Is this partner's user an authorised contact of this local user's? */
  has(local: ContactPair['local'], remote: ContactPair['remote']): boolean
  /**
   * Takes note of what a stanza says.
   * @returns `due` = `settle` is, before a local user's stanza goes on
   */
  learn(local: ContactPair['local'], remote: ContactPair['remote'], news: ContactNews): Learned
  /** What stands of what the local user has given to this one; undefined = he is not authorised. */
  words(local: ContactPair['local'], remote: ContactPair['remote']): Words | undefined
  /** Has an operator made him a contact? Asks the disk. */
  isByOperator(local: ContactPair['local'], remote: ContactPair['remote']): boolean
  readonly subscriptions: Subscriptions
  /** Makes what was learned last. @returns why it cannot be kept; nobody is authorised then who was not */
  settle(): Error | undefined
}

/** What partner types mean for one stanza after the other: who may reach whom, and what he gets to see. */
export class Gate {
  readonly #contacts: Contacts
  readonly #addresses: AddressCache
  readonly #rosters: Rosters
  readonly #access: RosterAccess
  readonly #answers = new AwaitedAnswers()

  constructor(parts: {
    contacts: Contacts
    addresses: AddressCache
    rosters: Rosters
    access: RosterAccess
  }) {
    this.#contacts = parts.contacts
    this.#addresses = parts.addresses
    this.#rosters = parts.rosters
    this.#access = parts.access
  }

  /** Must it wait for the roster of its receiver, which may be asked for? `resume` is called once then, when it is to be asked about again. */
  awaitsRoster(partnerType: PartnerType, slice: Slice, pair: Pair, resume: () => void): boolean {
    if (partnerType !== 'publicUnverified' || this.#access.of(pair) !== 'granted') return false
    const local = this.#addresses.find(slice.to ?? '')?.bare
    if (local === undefined || isDomainItself(local)) return false
    return this.#rosters.ask(pair.remote, local, resume)
  }

  /** May it go in? */
  inward(partnerType: PartnerType, slice: Slice, pair: Pair): Verdict {
    return inwardVerdict(partnerType, slice, this.#isWelcome(partnerType, slice, pair))
  }

  /** May it go out? An answer to it may come back. */
  outward(partnerType: PartnerType, slice: Slice): Verdict {
    if (partnerType === 'publicUnverified' && slice.name === 'iq' && isRequest(slice)) {
      this.#answers.expect(slice)
    }
    return outwardVerdict(partnerType, slice)
  }

  /**
   * Takes note of what a local user's stanza says of a contact, whatever the partner's type, which may change.
   * @returns `due` = `settle` is, before it goes on
   */
  learn(slice: Slice): Learned {
    if (slice.name !== 'presence') return 'nothing'
    const word = wordOf(slice)
    if (word === undefined && slice.type !== undefined) return 'nothing'
    const local = this.#addresses.find(slice.from ?? '')?.bare
    const remote = this.#addresses.find(slice.to ?? '')?.bare
    if (local === undefined || remote === undefined || isDomainItself(local)) return 'nothing'
    if (word === undefined) return this.#isTakenOver(local, remote) ? 'due' : 'nothing'
    this.#rosters.changed(local)
    const isEnded = word === 'unsubscribed' && this.#contacts.subscriptions.end(local, remote)
    const learned = this.#contacts.learn(local, remote, word)
    return isEnded ? 'due' : learned
  }

  /**
   * Does the user's own `subscribed` take the place of what was said for him? His server tells his presence then; not before.
   * COMPAT(ejabberd 23.01): it passes on a `subscribed` that answers nothing, and knows nothing of it.
   */
  #isTakenOver(local: ContactPair['local'], remote: ContactPair['remote']): boolean {
    const { subscriptions } = this.#contacts
    if (!subscriptions.has(local, remote) || !isApproval(this.#contacts.words(local, remote))) return false
    return subscriptions.end(local, remote)
  }

  /** Is the receiver of a local user's stanza an authorised contact of his? */
  isKnown(slice: Slice): boolean {
    const local = this.#addresses.find(slice.from ?? '')?.bare
    const remote = this.#addresses.find(slice.to ?? '')?.bare
    return local !== undefined && remote !== undefined && this.#contacts.has(local, remote)
  }

  /**
   * Takes note of what a partner's stanza says of its sender.
   * @returns true = `settle` is due, which may follow the stanza: it authorises nobody
   */
  learnInward(slice: Slice): boolean {
    if (!isLeaving(slice)) return false
    const local = this.#addresses.find(slice.to ?? '')?.bare
    const remote = this.#addresses.find(slice.from ?? '')?.bare
    if (local === undefined || remote === undefined) return false
    return this.#contacts.learn(local, remote, 'left') === 'due'
  }

  /** Makes what was learned last. @returns why it cannot be kept */
  settle(): Error | undefined {
    return this.#contacts.settle()
  }

  /** @returns undefined where it cannot be known now */
  #isWelcome(partnerType: PartnerType, slice: Slice, pair: Pair): boolean | undefined {
    if (partnerType !== 'publicUnverified') return true
    const receiver = this.#addresses.find(slice.to ?? '')
    if (!needsContact(partnerType, receiver?.bare)) return true
    const isAnswer = slice.name === 'iq' && !isRequest(slice) && this.#answers.take(slice)
    if (isAnswer || receiver === undefined) return isAnswer
    const sender = this.#addresses.find(slice.from ?? '')
    if (sender === undefined) return false
    const isRead = this.#access.of(pair) !== 'none'
    return isRead ? this.#isInRoster(sender, receiver, pair) : this.#isContact(sender, receiver)
  }

  /**
   * What the receiver's roster says, and an operator besides; what was learned, where the server does not tell it. Where it cannot be
   * asked for now, who is in it as it was last, or learned where there was none, is a contact: nobody else is refused for that.
   */
  #isInRoster(sender: KnownAddress, receiver: KnownAddress, pair: Pair): boolean | undefined {
    const { bare: local } = receiver
    const { bare: remote } = sender
    if (local === undefined || remote === undefined) return false
    const known = this.#rosters.find(pair.remote, local)
    if (known?.is === 'refused') return this.#isContact(sender, receiver)
    if (known?.contacts?.has(remote)) return true
    // The disk is not asked for those of whom nothing is known at all.
    const isKept = this.#contacts.words(local, remote) !== undefined
    if (isKept && this.#contacts.isByOperator(local, remote)) return true
    if (known?.is === 'told' && known.untilMs > performance.now()) return false
    return (known?.contacts === undefined && this.#isContact(sender, receiver)) || undefined
  }

  /** Asks the contacts, or remembers: among a million of them, looking one up takes as long as much of the relaying. */
  #isContact(sender: KnownAddress, receiver: KnownAddress): boolean {
    const contacts = this.#contactsOf(receiver)
    if (contacts === undefined) return false
    if (sender.contactOf.includes(contacts)) return true
    if (sender.bare === undefined || !contacts.has(sender.bare)) return false
    if (sender.contactOf.length >= mostRemembered) sender.contactOf.length = 0
    sender.contactOf.push(contacts)
    return true
  }

  #contactsOf(receiver: KnownAddress): UserContacts | undefined {
    if (receiver.contacts?.isCurrent !== true) {
      receiver.contacts = receiver.bare === undefined ? undefined : this.#contacts.of(receiver.bare)
    }
    return receiver.contacts
  }
}

/** Of each sender: those he writes to at a time are few. */
const mostRemembered = 8

function isRequest({ type }: Slice): boolean {
  return type === 'get' || type === 'set'
}
