import type { Element } from '../xml/element.ts'
import { type BareJid, canonicalBare } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'

/** What one item says: whose it is, and whether it makes him an authorised contact. */
export type RosterItem = { readonly contact: BareJid; readonly isAuthorised: boolean }

const subscribed: readonly string[] = ['to', 'from', 'both']

/**
 * Reads the items of a roster, or of a push (RFC 6121 §2.1.2). A contact is authorised whom the user has added: there is a
 * subscription either way, he has asked for one, or approved one beforehand.
 * @returns undefined where the stanza brings no roster
 */
export function rosterItemsIn(iq: Element): RosterItem[] | undefined {
  const query = iq.getChild('query', ns.roster)
  return query?.getChildren('item').flatMap(({ attrs }) => {
    const contact = canonicalBare(attrs['jid'] ?? '')
    if (contact === undefined) return []
    const { subscription, ask, approved } = attrs
    const isAuthorised =
      subscribed.includes(subscription ?? '') ||
      (subscription !== 'remove' && (ask === 'subscribe' || approved === 'true' || approved === '1'))
    return [{ contact, isAuthorised }]
  })
}

/** Does an error say that there is no such user, or none who has a roster (RFC 6121 §2.1.4, §8.5.1)? Any other leaves that open. */
export function isWithoutRoster(iq: Element): boolean {
  const error = iq.getChild('error')
  return ['item-not-found', 'service-unavailable'].some(
    name => error?.getChild(name, ns.stanzas) !== undefined,
  )
}
