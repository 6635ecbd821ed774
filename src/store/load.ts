import type { DatabaseSync } from 'node:sqlite'
import type { Words } from '../policy/contacts.ts'
import type { BareJid } from '../xmpp/address.ts'

/** Pairs read at a time. */
const pageRows = 10_000

/**
 * Reads all pairs of a table, in their order, each with a number. A page for each call into SQLite: one for each pair takes half as
 * long again, one for each user twice as long.
 * @param number SQL, over the columns of the table
 */
export function loadPairs(
  database: DatabaseSync,
  table: 'contact' | 'subscription',
  number: string,
  take: (local: BareJid, remote: BareJid, number: number) => void,
): void {
  const page = database.prepare(
    `SELECT json_group_array(local), json_group_array(remote), json_group_array(number) FROM
     (SELECT local, remote, ${number} AS number FROM ${table} WHERE (local, remote) > (?, ?)
      ORDER BY local, remote LIMIT ${pageRows})`,
  )
  page.setReturnArrays(true)
  for (let user: string = '', contact = '', rows = pageRows; rows === pageRows; ) {
    const columns = page.get(user, contact) as unknown as readonly [string, string, string]
    const [locals, remotes, numbers]: [BareJid[], BareJid[], number[]] = [
      JSON.parse(columns[0]),
      JSON.parse(columns[1]),
      JSON.parse(columns[2]),
    ]
    rows = locals.length
    for (let at = 0; at < rows; at++) take(locals[at]!, remotes[at]!, numbers[at]!)
    user = locals.at(-1) ?? ''
    contact = remotes.at(-1) ?? ''
  }
}

/** Reads all contacts: from local user to contact to the words that stand. */
export function loadContacts(database: DatabaseSync): Map<BareJid, Map<BareJid, Words>> {
  const all = new Map<BareJid, Map<BareJid, Words>>()
  let user: BareJid | undefined
  let contacts = new Map<BareJid, Words>()
  loadPairs(database, 'contact', 'subscribe + 2 * subscribed', (local, remote, words) => {
    if (local !== user) {
      user = local
      contacts = new Map()
      all.set(local, contacts)
    }
    contacts.set(remote, words as Words)
  })
  return all
}
