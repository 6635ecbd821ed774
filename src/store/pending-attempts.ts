import type { AttemptRecord } from '../xmpp/attempt.ts'
import type { AttemptFilter, KeptAttempt } from './attempts.ts'

/** Attempts that no file has taken yet, in memory: in the same rings, and no more than `most` in all. */
export class PendingAttempts {
  readonly #most: number
  readonly #byId = new Map<string, KeptAttempt>()
  /** By the name of the ring and the id of the attempt, the oldest first. */
  readonly #rings = new Map<string, Map<string, KeptAttempt>>()

  constructor(most: number) {
    this.#most = most
  }

  get all(): readonly KeptAttempt[] {
    return [...this.#byId.values()]
  }

  /** Takes an attempt, in place of what is there of the same id; whatever there is, there is room for it. */
  put(attempt: KeptAttempt): void {
    const { ring, source, record } = attempt
    this.#drop(record.id)
    this.#byId.set(record.id, attempt)
    const kept = this.#rings.get(ring.name) ?? new Map<string, KeptAttempt>()
    this.#rings.set(ring.name, kept.set(record.id, attempt))
    this.#bound(
      [...kept.values()].filter(of => of.source === source),
      ring.ofSource,
    )
    this.#bound(
      [...kept.values()].filter(of => of.record.remote === record.remote),
      ring.ofRemote,
    )
    this.#bound([...kept.values()], ring.most)
    if (this.#byId.size > this.#most) this.#bound(this.#largest(), 0)
  }

  list(filter: AttemptFilter | undefined): AttemptRecord[] {
    return this.all
      .filter(({ ring, record }) => {
        if (filter === undefined || filter.rings.includes(ring.name)) return true
        return ring.name === filter.of && record.remote !== null && filter.domains.includes(record.remote)
      })
      .map(({ record }) => record)
  }

  /** Forgets every ring that is not among these. */
  keep(rings: readonly string[]): void {
    const names = new Set(rings)
    for (const { ring, record } of this.all) if (!names.has(ring.name)) this.#drop(record.id)
  }

  clear(): void {
    this.#byId.clear()
    this.#rings.clear()
  }

  /** Drops one where there are more than `most`: the oldest of whom there are most. */
  #bound(attempts: readonly KeptAttempt[], most: number): void {
    if (attempts.length <= most) return
    const counts = new Map<string, number>()
    for (const { source } of attempts) counts.set(source, (counts.get(source) ?? 0) + 1)
    const largest = Math.max(...counts.values())
    const victim = attempts.find(({ source }) => counts.get(source) === largest)
    if (victim !== undefined) this.#drop(victim.record.id)
  }

  #largest(): readonly KeptAttempt[] {
    const [first] = [...this.#rings.values()].toSorted((one, other) => other.size - one.size)
    return [...(first?.values() ?? [])]
  }

  #drop(id: string): void {
    const { ring } = this.#byId.get(id) ?? {}
    if (ring === undefined) return
    this.#byId.delete(id)
    const kept = this.#rings.get(ring.name)
    kept?.delete(id)
    if (kept?.size === 0) this.#rings.delete(ring.name)
  }
}
