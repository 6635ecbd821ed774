import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { BareJid } from '../xmpp/address.ts'

/** Who changes a contact by command, and why. */
export type Order = { readonly operator: string; readonly reason?: string | undefined }

/** An authorised contact, or one whose subscription the gateway has approved: who, whom, when and why. */
export type Contact = {
  readonly local: BareJid
  readonly remote: BareJid
  /** When it became authorised; when it was approved, where that was all. */
  readonly since: Date
  /** What the local user has sent to it, and not taken back; nothing where an operator alone has allowed it. */
  readonly words: readonly ('subscribe' | 'subscribed')[]
  /** The operator who allowed it; undefined = the local user alone has. */
  readonly operator: string | undefined
  /** The gateway has approved its subscription itself. That alone authorises nobody. */
  readonly isApproved: boolean
  /** Why, in the operator's words. */
  readonly reason: string | undefined
}

/** Contacts of this user, or of all users of this domain, on either side; undefined = of anybody. */
export type ContactFilter = { readonly local: BareJid | undefined; readonly remote: BareJid | undefined }

/** Some contacts in order of local user and contact; `next` = there may be more behind this one. */
export type ContactPage = {
  readonly contacts: readonly Contact[]
  readonly next: Pick<Contact, 'local' | 'remote'> | undefined
}

/** Rows looked at for one page: among a million, a filter that fits few would hold up all else. */
const mostScanned = 10_000

/** Reads a page of at most `most` contacts, out of those behind `after`. It may be empty and still have a next one. */
export function listContacts(
  database: DatabaseSync,
  { local, remote }: ContactFilter,
  most: number,
  after: ContactPage['next'],
): ContactPage {
  const start = [after?.local ?? '', after?.remote ?? '']
  const rows = database
    .prepare(
      `${columns} FROM (${pairs} LIMIT ${mostScanned}) ${joined}
       WHERE ${among('local', local)} AND ${among('remote', remote)} ORDER BY local, remote LIMIT ?`,
    )
    .all(...start, ...start, ...[local, remote].filter(bare => bare !== undefined), most)
  const contacts = rows.map(asContact)
  if (contacts.length === most) return { contacts, next: contacts.at(-1) }
  const last = database.prepare(`${pairs} LIMIT 1 OFFSET ${mostScanned - 1}`).get(...start, ...start)
  const next = last && { local: last['local'] as BareJid, remote: last['remote'] as BareJid }
  return { contacts, next }
}

const columns = 'SELECT local, remote, subscribe, subscribed, granted_ms, operator, reason, since_ms'
const joined = 'LEFT JOIN contact USING (local, remote) LEFT JOIN subscription USING (local, remote)'
/** All behind a pair, which is given twice. */
const pairs = `SELECT local, remote FROM contact WHERE (local, remote) > (?, ?)
  UNION SELECT local, remote FROM subscription WHERE (local, remote) > (?, ?) ORDER BY local, remote`

/** Reads one contact. */
export function findContact(database: DatabaseSync, local: BareJid, remote: BareJid): Contact | undefined {
  const row = database
    .prepare(`${columns} FROM (SELECT ? AS local, ? AS remote) ${joined}`)
    .get(local, remote)
  return row && (row['granted_ms'] ?? row['since_ms']) !== null ? asContact(row) : undefined
}

function asContact(row: Readonly<Record<string, SQLOutputValue>>): Contact {
  return {
    local: row['local'] as BareJid,
    remote: row['remote'] as BareJid,
    since: new Date((row['granted_ms'] ?? row['since_ms']) as number),
    words: (['subscribe', 'subscribed'] as const).filter(word => row[word] === 1),
    operator: (row['operator'] ?? undefined) as string | undefined,
    isApproved: row['since_ms'] !== null,
    reason: (row['reason'] ?? undefined) as string | undefined,
  }
}

/** The condition that a column holds this user, or one of this domain; it takes a parameter where there is a condition. */
function among(column: 'local' | 'remote', bare: BareJid | undefined): string {
  if (bare === undefined) return 'TRUE'
  return bare.includes('@') ? `${column} = ?` : `substr(${column}, instr(${column}, '@') + 1) = ?`
}
