import type { JournalTrouble } from './admin/why.ts'
import { reason } from './config/files.ts'
import type { Config } from './config/schema.ts'
import { filterFor, placeOf, provenIn, ringNames, sourceNetwork } from './journal-rings.ts'
import type { Partner } from './policy/partner.ts'
import { type AttemptFilter, AttemptStore } from './store/attempts.ts'
import { StoreError } from './store/database.ts'
import { PendingAttempts } from './store/pending-attempts.ts'
import type { Log } from './telemetry/log.ts'
import type { Domain } from './xmpp/address.ts'
import type { AttemptRecord } from './xmpp/attempt.ts'

/** The last attempts to have streams, for `why`. */
export type Journal = {
  /** Takes an attempt; it is written within a second. */
  record(attempt: AttemptRecord): void
  /** The newest attempts of a domain: all of its partner, if it is one's. Undefined = of anybody. */
  list(domain: Domain | undefined, most: number): AttemptRecord[]
  /** What is wrong with the file; attempts are kept in memory as long as it is. */
  readonly trouble: JournalTrouble | undefined
  /** Forgets who is no partner any more. */
  keepPartners(): void
  close(): void
}

const everyMs = 1000
const retryMs = 60_000
/** Attempts in memory, 8 KiB each at most. */
const mostPending = 2000
/** Networks that a partner has proven itself from. */
const mostKnown = 20

const complaints = {
  open: 'the journal of attempts is kept in memory: its file cannot be used',
  write: 'the journal of attempts is kept in memory: its file cannot be written',
  read: 'the journal of attempts cannot be read',
} as const

/**
 * Opens the journal. It never keeps the gateway from its work: what goes wrong is logged, and attempts that the file does not take stay
 * in memory until it does.
 */
export function openJournal(
  path: string,
  config: () => { readonly partners: Config['partners']; readonly domains: { readonly size: number } },
  log: Log,
): Journal {
  const pending = new PendingAttempts(mostPending)
  const troubles = new Map<keyof typeof complaints, { readonly since: string; readonly reason: string }>()
  const known = new Map<Domain, Set<string>>()
  let store: AttemptStore | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const partnerOf = (remote: string | null) => config().partners.find(remote as Domain)
  const attempt = (what: keyof typeof complaints, work: () => void) => {
    try {
      work()
      troubles.delete(what)
    } catch (error) {
      const trouble = troubles.get(what) ?? { since: new Date().toISOString(), reason: wordsOf(error) }
      // Once for each time that it goes wrong.
      if (!troubles.has(what)) log.warn(complaints[what], { path, reason: trouble.reason })
      troubles.set(what, trouble)
    }
  }
  const open = () =>
    attempt('open', () => {
      if (store?.isInPlace === false) {
        log.warn('the journal of attempts was moved away; another one is begun', { path })
        const gone = store
        store = undefined
        gone.close()
      }
      store ??= AttemptStore.open(path)
    })
  const write = (before: (store: AttemptStore) => void = () => {}) => {
    clearTimeout(timer)
    timer = undefined
    open()
    if (store !== undefined) {
      const writable = store
      attempt('write', () => {
        before(writable)
        writable.write(pending.all)
        pending.clear()
        troubles.delete('read') // whoever asks next hears of it, if it is so still
      })
    }
    if (pending.all.length > 0) awaitWriting()
  }
  const awaitWriting = () => {
    const isStuck = troubles.has('open') || troubles.has('write')
    timer ??= setTimeout(write, isStuck ? retryMs : everyMs).unref()
  }
  const read = (filter: AttemptFilter | undefined, most: number): AttemptRecord[] => {
    const kept: AttemptRecord[] = []
    if (store !== undefined) {
      const readable = store
      attempt('read', () => void kept.push(...readable.list(filter, most)))
    }
    const waiting = pending.list(filter).toReversed()
    const ids = new Set(waiting.map(({ id }) => id))
    return [...waiting, ...kept.filter(({ id }) => !ids.has(id))]
      .toSorted((one, other) => Date.parse(other.started) - Date.parse(one.started))
      .slice(0, most)
  }
  const knownOf = (partner: Partner) => {
    const networks =
      known.get(partner.primaryDomain) ?? new Set(read(provenIn(partner), mostKnown).map(sourceNetwork))
    known.set(partner.primaryDomain, networks)
    return networks
  }
  open()
  return {
    record: record => {
      if (isClosed) return
      const partner = partnerOf(record.remote)
      const isKnown = (network: string) => partner !== undefined && knownOf(partner).has(network)
      pending.put(placeOf(record, partner, config().domains.size, isKnown))
      if (partner !== undefined && record.direction === 'in' && !record.claimed)
        remember(knownOf(partner), sourceNetwork(record))
      awaitWriting()
    },
    list: (domain, most) => {
      write()
      return read(domain && filterFor(domain, partnerOf(domain)), most)
    },
    get trouble() {
      const [first] = [...troubles.values()].toSorted((one, other) => (one.since < other.since ? -1 : 1))
      return first && { ...first, isReadable: !troubles.has('open') && !troubles.has('read') }
    },
    keepPartners: () => {
      const names = ringNames(config().partners.all)
      known.clear()
      pending.keep(names)
      write(writable => writable.keep(names))
    },
    close: () => {
      if (isClosed) return
      write()
      clearTimeout(timer)
      isClosed = true
      attempt('write', () => store?.close())
    },
  }
}

/** Takes a network in as the newest. */
function remember(networks: Set<string>, network: string): void {
  networks.delete(network)
  networks.add(network)
  const [oldest] = networks
  if (networks.size > mostKnown && oldest !== undefined) networks.delete(oldest)
}

function wordsOf(error: unknown): string {
  const cause = error instanceof StoreError ? error.cause : error
  // Of a file's error the message has the path, which not everybody who asks has to know.
  if (cause instanceof Error && 'syscall' in cause) return reason(cause)
  return cause instanceof Error ? cause.message : String(cause)
}
