import type { ContactOrders } from './admin/contacts.ts'
import type { Contacts } from './routing/gate.ts'
import { ContactStore } from './store/contacts.ts'
import type { Log } from './telemetry/log.ts'

/** How often the disk is asked again to take what it would not. */
const retryMs = 15_000

/** The store of contacts as the gateway uses it: what goes wrong with the disk is logged, and tried again. */
export type KeptContacts = Contacts &
  Pick<ContactStore, 'subscriptions'> &
  ContactOrders & {
    readonly size: number
    readonly owed: number
    close(): void
  }

/**
 * Opens the store of contacts.
 * @param mostOfUser how many contacts of one local user are learned
 * @throws {StoreError} when it cannot be used: a gateway that does not know who is authorised does not start
 */
export function openContacts(path: string, log: Log, mostOfUser: () => number): KeptContacts {
  const store = ContactStore.open(path, Date.now, mostOfUser)
  /** How often the disk had taken something when it last did not; undefined = nothing is wrong. */
  let failedAt: number | undefined
  const tell = (error: Error | undefined) => {
    // Once for each time that it goes wrong: with a full disk, every subscription is another failure.
    if (error !== undefined && failedAt === undefined) {
      log.error('contacts cannot be stored; until that is mended no more of them are authorised', {
        reason: error.message,
      })
    }
    if (error !== undefined) failedAt = store.writes
    else if (failedAt !== undefined && store.writes > failedAt) {
      log.info('contacts can be stored again')
      failedAt = undefined
    }
    return error
  }
  const retry = setInterval(() => {
    if (failedAt !== undefined) tell(store.retry())
  }, retryMs)
  return {
    of: local => store.of(local),
    has: (local, remote) => store.has(local, remote),
    words: (local, remote) => store.words(local, remote),
    isByOperator: (local, remote) => store.isByOperator(local, remote),
    subscriptions: store.subscriptions,
    learn: (local, remote, news) => store.learn(local, remote, news),
    settle: () => tell(store.settle()),
    allow: (local, remote, order) => {
      const isNew = store.allow(local, remote, order)
      const { operator, reason = null } = order
      if (isNew) log.event({ event: 'contact.allowed', local, remote, by: operator, reason })
      return isNew
    },
    revoke: (local, remote, { operator }) => {
      const isEnded = store.revoke(local, remote)
      if (isEnded) log.event({ event: 'contact.revoked', local, remote, by: operator })
      return isEnded
    },
    find: (local, remote) => store.find(local, remote),
    list: (filter, most, after) => store.list(filter, most, after),
    get size() {
      return store.size
    },
    get owed() {
      return store.owed
    },
    close: () => {
      clearInterval(retry)
      tell(store.close())
    },
  }
}
