import type { DatabaseSync } from 'node:sqlite'
import type { Words } from '../policy/contacts.ts'
import type { BareJid } from '../xmpp/address.ts'

/** Contacts read at a time. */
const pageRows = 10_000

/**
 * Reads all contacts: from local user to contact to the words that stand. A page for each call into SQLite: one for each contact
 * takes half as long again, one for each user twice as long.
 */
export function loadContacts(database: DatabaseSync): Map<BareJid, Map<BareJid, Words>> {
  const all = new Map<BareJid, Map<BareJid, Words>>()
  const page = database.prepare(
    `SELECT json_group_array(local), json_group_array(remote), json_group_array(words) FROM
     (SELECT local, remote, subscribe + 2 * subscribed AS words FROM contact WHERE (local, remote) > (?, ?)
      ORDER BY local, remote LIMIT ${pageRows})`,
  )
  page.setReturnArrays(true)
  let contacts = new Map<BareJid, Words>()
  for (let user: string = '', contact = '', rows = pageRows; rows === pageRows; ) {
    const columns = page.get(user, contact) as unknown as readonly [string, string, string]
    const [locals, remotes, words]: [BareJid[], BareJid[], Words[]] = [
      JSON.parse(columns[0]),
      JSON.parse(columns[1]),
      JSON.parse(columns[2]),
    ]
    rows = locals.length
    for (let at = 0; at < rows; at++) {
      const local = locals[at]!
      contact = remotes[at]!
      if (local !== user) {
        user = local
        contacts = new Map()
        all.set(local, contacts)
      }
      contacts.set(contact as BareJid, words[at]!)
    }
  }
  return all
}
