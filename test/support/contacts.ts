import { DatabaseSync } from 'node:sqlite'
import { afterNews, type Words } from '../../src/policy/contacts.ts'
import type { Contacts } from '../../src/routing/gate.ts'
import { migrate } from '../../src/store/schema.ts'
import { SubscriptionTable } from '../../src/store/subscriptions.ts'
import { type BareJid, canonicalBare } from '../../src/xmpp/address.ts'

/** An address as it is compared. @throws {Error} when it is none */
export function bare(address: string): BareJid {
  const jid = canonicalBare(address)
  if (jid === undefined) throw new Error(`no address: ${address}`)
  return jid
}

/** Contacts in memory, written `local remote`; `disk` says whether they can be kept. */
export type MemoryContacts = Contacts & {
  readonly subscriptions: SubscriptionTable
  readonly known: Map<string, Words>
  /** Those of them whom an operator has allowed. */
  readonly allowed: Set<string>
  disk: 'sound' | 'full'
  /** Takes no more of them. */
  isFull: boolean
  settled: number
}

/** Makes contacts that are kept in memory alone. */
export function memoryContacts(...known: readonly string[]): MemoryContacts {
  const learned = new Map<string, Words | undefined>()
  let version = 0
  const database = new DatabaseSync(':memory:')
  migrate(database)
  const contacts: MemoryContacts = {
    of: local => {
      const asOf = version
      return {
        get isCurrent() {
          return asOf === version
        },
        has: remote => contacts.has(local, remote),
      }
    },
    known: new Map(known.map(pair => [pair, 3])),
    allowed: new Set(),
    disk: 'sound',
    isFull: false,
    settled: 0,
    subscriptions: new SubscriptionTable(database, () => 0),
    words: (local, remote) => {
      const key = `${local} ${remote}`
      return learned.has(key) ? learned.get(key) : contacts.known.get(key)
    },
    isByOperator: (local, remote) => contacts.allowed.has(`${local} ${remote}`),
    has: (local, remote) => contacts.known.has(`${local} ${remote}`),
    learn: (local, remote, news) => {
      const key = `${local} ${remote}`
      if (contacts.isFull && !contacts.known.has(key)) return 'full'
      learned.set(key, afterNews(learned.has(key) ? learned.get(key) : contacts.known.get(key), news))
      return 'due'
    },
    settle: () => {
      contacts.settled++
      version++
      const changes = [...learned]
      learned.clear()
      const isSound = contacts.disk === 'sound'
      if (isSound) contacts.subscriptions.write()
      contacts.subscriptions.ended(isSound)
      if (!isSound) return new Error('database or disk is full')
      for (const [key, words] of changes) {
        if (words === undefined) contacts.known.delete(key)
        else contacts.known.set(key, words)
      }
      return undefined
    },
  }
  return contacts
}
