import type { BareJid } from '../xmpp/address.ts'

/** The contacts of one local user. Another takes its place when one of them ceases to be one, so that nobody remembers him. */
export class UserContacts {
  isCurrent = true
  readonly #contacts: ReadonlyMap<BareJid, unknown>

  constructor(contacts: ReadonlyMap<BareJid, unknown>) {
    this.#contacts = contacts
  }

  /** Is this one an authorised contact of the user's? */
  has(remote: BareJid): boolean {
    return this.#contacts.has(remote)
  }
}
