import { createHash } from 'node:crypto'
import { bareAddress, canonicalAddress } from '../xmpp/address.ts'
import type { StanzaEnvelope } from '../xmpp/stanza.ts'

/** Contract §9: an answer passes within 10 minutes. */
const patienceMs = 600_000
/** In all: 80 requests a second for ten minutes. The oldest go first, of the user who has not asked for longest. */
const mostAwaited = 50_000
/** Of one user: nobody pushes out what others await. */
const mostOfAsker = 2_000
/** An id may be as long as a stanza, and an address 3 KB. */
const longestKept = 200

/** What one user awaits. */
type Asker = {
  /** From request to when it is too late, in ms; the oldest first. */
  readonly until: Map<string, number>
  /** When the last of them is too late. */
  last: number
}

/**
 * The IQ requests that local users have sent to those who may write to them only in answer: an answer passes once, for the id,
 * the exact address asked and the asker.
 */
export class AwaitedAnswers {
  readonly #now: () => number
  /** By bare address; first who has not asked for longest. */
  readonly #askers = new Map<string, Asker>()
  #size = 0

  /** @param now a clock that only goes forward, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** A local user asks. */
  expect({ id, from, to }: StanzaEnvelope): void {
    const request = requestOf(id, from, to)
    if (request === undefined) return
    const now = this.#now()
    const asker = this.#askers.get(request.asker) ?? { until: new Map(), last: 0 }
    this.#askers.delete(request.asker) // it goes to the end, as does what is asked again
    this.#drop(request.asker, asker, request.key)
    for (const [oldest, until] of asker.until) {
      if (until > now && asker.until.size < mostOfAsker) break
      this.#drop(request.asker, asker, oldest)
    }
    this.#makeRoom(now)
    asker.until.set(request.key, now + patienceMs)
    asker.last = now + patienceMs
    this.#size++
    this.#askers.set(request.asker, asker)
  }

  /** Is this an answer that is awaited? From now on it no longer is. */
  take({ id, from, to }: StanzaEnvelope): boolean {
    const request = requestOf(id, to, from)
    const asker = request && this.#askers.get(request.asker)
    const until = request && asker?.until.get(request.key)
    if (request === undefined || asker === undefined || until === undefined) return false
    this.#drop(request.asker, asker, request.key)
    return until > this.#now()
  }

  /** Forgets who awaits nothing any more, and where there are too many, what others have awaited for longest. */
  #makeRoom(now: number): void {
    for (const [name, asker] of this.#askers) {
      if (asker.last > now && this.#size < mostAwaited) return
      for (const key of asker.until.keys()) {
        if (asker.last > now && this.#size < mostAwaited) return
        this.#drop(name, asker, key)
      }
    }
  }

  #drop(name: string, asker: Asker, key: string): void {
    if (!asker.until.delete(key)) return
    this.#size--
    if (asker.until.size === 0) this.#askers.delete(name)
  }
}

function requestOf(
  id: string | undefined,
  asker: string | undefined,
  asked: string | undefined,
): { readonly asker: string; readonly key: string } | undefined {
  const one = asker === undefined ? undefined : canonicalAddress(asker)
  const other = asked === undefined ? undefined : canonicalAddress(asked)
  // No address holds a line end, and none of these is without an id (RFC 6120 §8.2.3).
  if (id === undefined || one === undefined || other === undefined) return undefined
  return { asker: short(bareAddress(one)), key: short(`${one}\n${other}\n${id}`) }
}

function short(text: string): string {
  return text.length > longestKept ? createHash('sha256').update(text).digest('hex') : text
}
