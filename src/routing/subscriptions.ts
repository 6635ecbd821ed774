import type { BareJid, Domain } from '../xmpp/address.ts'

/** The subscriptions that the gateway has approved in the name of local users; the store, where there is one. */
export type Subscriptions = {
  has(local: BareJid, remote: BareJid): boolean
  /** Begins one; it holds once `settle` has put it on disk. @returns false where there is no room */
  keep(local: BareJid, remote: BareJid): boolean
  /** Ends one; `settle` is due then. @returns whether there was one */
  end(local: BareJid, remote: BareJid): boolean
  /** Who of a partner domain's sees the presence of a local user. */
  subscribersOf(local: BareJid, remote: Domain): Iterable<BareJid>
  /** The local users whose presence anybody of a partner domain's sees. */
  usersSeenBy(remote: Domain): Iterable<BareJid>
}
