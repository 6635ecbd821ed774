import type { Config } from './config/schema.ts'
import type { Partner } from './policy/partner.ts'
import { type AttemptFilter, AttemptStore, inMemory, type KeptAttempt } from './store/attempts.ts'
import type { Log } from './telemetry/log.ts'
import { networkOf } from './transport/listener.ts'
import type { Domain } from './xmpp/address.ts'
import { type AttemptRecord, failureOf, sourceOf } from './xmpp/attempt.ts'

/** The last attempts to have streams, for `why`. */
export type Journal = {
  /** Takes an attempt; it is written within a second. */
  record(attempt: AttemptRecord): void
  /** The newest attempts of a domain: all of its partner, if it is one's. Undefined = of anybody. */
  list(domain: Domain | undefined, most: number): AttemptRecord[]
  /** Forgets who is no partner any more. */
  keepPartners(): void
  close(): void
}

const everyMs = 1000
const mostOf = { failed: 40, authenticated: 10, claimed: 20, strangers: 200 } as const
/** Of those who gave a partner's name and proved nothing, the attempts of one source. */
const mostOfSource = 3
const mostPending = { strangers: 500, all: 2000 } as const
/** The ring of all who are nobody's partner: whatever names they give, they share it. */
const strangers = ''

/**
 * Opens the journal. It never keeps the gateway from its work: what goes wrong is logged, and where the file cannot be used, attempts
 * are kept in memory.
 */
export function openJournal(path: string, partners: () => Config['partners'], log: Log): Journal {
  const store = openStore(path, log)
  let pending = new Map<string, AttemptRecord>()
  let timer: NodeJS.Timeout | undefined
  let isFailing = false
  let isClosed = false
  const partnerOf = (remote: string | null) => partners().find(remote as Domain)
  const attempt = (work: () => void) => {
    try {
      work()
      isFailing = false
    } catch (error) {
      // Once for each time that it goes wrong.
      if (!isFailing) {
        const reason = error instanceof Error ? error.message : String(error)
        log.warn('the journal of attempts cannot be written', { path, reason })
      }
      isFailing = true
    }
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (pending.size === 0) return
    const records = [...pending.values()]
    pending = new Map()
    attempt(() =>
      store.write(records.map(record => ({ ...ringOf(record, partnerOf(record.remote)), record }))),
    )
  }
  return {
    record: record => {
      if (isClosed) return
      const isAnybody = record.claimed || partnerOf(record.remote) === undefined
      if (isAnybody && pending.size >= mostPending.strangers) return
      pending.delete(record.id)
      pending.set(record.id, record)
      if (pending.size > mostPending.all) pending.delete(pending.keys().next().value!)
      timer ??= setTimeout(flush, everyMs).unref()
    },
    list: (domain, most) => {
      flush()
      return store.list(domain && filterFor(domain, partnerOf(domain)), most)
    },
    keepPartners: () => attempt(() => store.keep([strangers, ...partners().all.flatMap(ringsOf)])),
    close: () => {
      if (isClosed) return
      flush()
      isClosed = true
      attempt(() => store.close())
    },
  }
}

function openStore(path: string, log: Log): AttemptStore {
  try {
    return AttemptStore.open(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn('the journal of attempts is kept in memory: its file cannot be used', { reason })
    return AttemptStore.open(inMemory)
  }
}

/**
 * Failures have more room, and rings of their own: what works does not wash them away. Nor does what anybody can bring about by giving
 * a partner's name: attempts without a proof, and the questions about keys that we ask because of them.
 */
function ringOf(record: AttemptRecord, partner: Partner | undefined): Omit<KeptAttempt, 'record'> {
  if (partner === undefined) return { ring: strangers, most: mostOf.strangers }
  const { claimed, purpose, direction } = record
  const outcome = failureOf(record) === undefined ? 'authenticated' : 'failed'
  const way = claimed ? 'claimed' : purpose === 'verification' ? 'verification' : direction
  const ring = `${partner.primaryDomain} ${way} ${outcome}`
  if (!claimed) return { ring, most: mostOf[outcome] }
  const source = networkOf(sourceOf(record) ?? '')
  return { ring, most: Math.min(mostOf.claimed, mostOf[outcome]), bySource: { source, most: mostOfSource } }
}

function ringsOf({ primaryDomain }: Partner): string[] {
  return ['in', 'out', 'verification', 'claimed'].flatMap(way =>
    ['failed', 'authenticated'].map(outcome => `${primaryDomain} ${way} ${outcome}`),
  )
}

function filterFor(domain: Domain, partner: Partner | undefined): AttemptFilter {
  return partner === undefined
    ? { rings: [], of: strangers, domains: [domain] }
    : { rings: ringsOf(partner), of: strangers, domains: partner.domains }
}
