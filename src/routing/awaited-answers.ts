import { createHash } from 'node:crypto'
import { canonicalAddress } from '../xmpp/address.ts'
import type { StanzaEnvelope } from '../xmpp/stanza.ts'

/** Contract §9: an answer passes within 10 minutes. */
const patienceMs = 600_000
/** Local users fill it, and the oldest go first: 80 requests a second for ten minutes. */
const mostAwaited = 50_000
const longestKeptId = 128

/**
 * The IQ requests that local users have sent to those who may write to them only in answer: an answer passes once, for the id,
 * the exact address asked and the asker.
 */
export class AwaitedAnswers {
  readonly #now: () => number
  /** From request to when it is too late, in ms; the oldest first. */
  readonly #until = new Map<string, number>()

  /** @param now a clock that only goes forward, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** A local user asks. */
  expect({ id, from, to }: StanzaEnvelope): void {
    const key = keyOf(id, from, to)
    if (key === undefined) return
    const now = this.#now()
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size < mostAwaited) break
      this.#until.delete(oldest)
    }
    this.#until.delete(key) // asked again: it goes to the end
    this.#until.set(key, now + patienceMs)
  }

  /** Is this an answer that is awaited? From now on it no longer is. */
  take({ id, from, to }: StanzaEnvelope): boolean {
    const key = keyOf(id, to, from)
    const until = key === undefined ? undefined : this.#until.get(key)
    if (key === undefined || until === undefined) return false
    this.#until.delete(key)
    return until > this.#now()
  }
}

function keyOf(
  id: string | undefined,
  asker: string | undefined,
  asked: string | undefined,
): string | undefined {
  const one = asker === undefined ? undefined : canonicalAddress(asker)
  const other = asked === undefined ? undefined : canonicalAddress(asked)
  // No address holds a line end, and none of these is without an id (RFC 6120 §8.2.3).
  if (id === undefined || one === undefined || other === undefined) return undefined
  // An id may be as long as a stanza: 50,000 of those must not be kept.
  const short = id.length > longestKeptId ? createHash('sha256').update(id).digest('hex') : id
  return `${one}\n${other}\n${short}`
}
