import { randomUUID } from 'node:crypto'
import {
  type AttemptOutcome,
  type AttemptRecord,
  type AttemptStep,
  type Purpose,
  type StreamEnd,
  sideOf,
  type TimedStep,
} from '../xmpp/attempt.ts'
import type { Why } from '../xmpp/reason.ts'
import type { Direction, MethodName } from './events.ts'

// A record takes 8 KiB at most: so many bytes for its first steps, as many for its last ones, and 2 KiB for all else.
const mostHalfBytes = 3000
const mostText = 200 // characters of one text
const mostReasonBytes = 700 // of why it failed or ended: our sentences fit in, with what the peer has said
const mostItems = 10 // of a list

/** What an attempt is about. */
export type AttemptAbout = {
  readonly direction: Direction
  readonly purpose: Purpose
  readonly local: string | null
  readonly remote: string | null
}

/** Who hears of an attempt. */
export type AttemptListener = {
  /** At its outcome, and once more at the end of its stream. */
  readonly record?: (record: AttemptRecord) => void
  /** At each step. */
  readonly step?: (step: TimedStep) => void
}

/**
 * Takes down one attempt to have a stream. It keeps little, whatever a peer does: its first steps and its last ones, each cut short,
 * control characters taken out.
 */
export class Attempt {
  readonly started = new Date()
  readonly #id = randomUUID()
  /** The same on the monotonic clock. */
  readonly startedMs = performance.now()
  readonly #direction: Direction
  readonly #given: Purpose
  #purpose: Purpose
  readonly #listener: AttemptListener
  readonly #first: TimedStep[] = []
  #last: { readonly step: TimedStep; readonly bytes: number }[] = []
  #firstBytes = 0
  #lastBytes = 0
  #leftOut = 0
  #outcome: AttemptOutcome | undefined
  #durationMs = 0
  #closed: StreamEnd | null = null
  /** The domains, as far as they are known. */
  names: { readonly local: string | null; readonly remote: string | null }
  /** Who the peer has proven to be: a header says anything. */
  #proven: string | null = null

  constructor({ direction, purpose, local, remote }: AttemptAbout, listener: AttemptListener) {
    this.#direction = direction
    this.#given = purpose
    this.#purpose = purpose
    this.names = { local, remote }
    this.#listener = listener
  }

  /** Of a stream that is good for questions about keys alone, the outcome may change. */
  get isOver(): boolean {
    return this.#outcome !== undefined && !this.#isForKeys
  }

  get #isForKeys(): boolean {
    return this.#outcome?.is === 'authenticated' && this.#outcome.method === null
  }

  /** The peer has shown a certificate that is valid for the domain that it says it is. */
  proven(): void {
    this.#proven = this.names.remote
  }

  /** Takes down a step. */
  tell(given: AttemptStep): void {
    const isFailure = given.step === 'failed'
    const text = JSON.stringify({ ms: this.#ms(), ...given }, (key, value: unknown) =>
      isFailure && key === 'reason' ? cleanReason(given.reason) : shorten(value),
    )
    const step = JSON.parse(text) as TimedStep
    this.#keep(step, Buffer.byteLength(text))
    this.#listener.step?.(step)
  }

  /** The stream is up; `method` is null where it is good for questions about keys alone, which may change. */
  authenticated(method: MethodName | null): void {
    if (this.isOver || (method === null && this.#isForKeys)) return
    this.#outcome = undefined
    if (method !== null) this.proven()
    if (method === null) this.#purpose = 'verification'
    else if (this.#purpose === 'verification') this.#purpose = 'stanzas'
    this.#settle({ is: 'authenticated', method })
  }

  /** Also of one that was good for questions about keys, where the peer has wanted more, in vain. */
  failed({ code, reason }: Why): void {
    if (this.#isForKeys) {
      this.#outcome = undefined
      this.#purpose = this.#given
    }
    this.#settle({ is: 'failed', code, reason: cleanReason(reason) })
  }

  /** The stream has ended, or is about to; the first end counts. */
  ended({ code, reason }: Why): void {
    if (this.#closed !== null) return
    const side = sideOf({ code, reason })
    this.#closed = { at: new Date().toISOString(), side, code, reason: cleanReason(reason) }
    if (this.#outcome !== undefined) this.#listener.record?.(this.#record(this.#outcome))
  }

  /** An attempt of another pair of domains on the same stream. */
  ofAnother(pair: { readonly local: string; readonly remote: string }): Attempt {
    const { record } = this.#listener
    return new Attempt(
      { direction: this.#direction, purpose: this.#given, ...pair },
      record ? { record } : {},
    )
  }

  #settle(outcome: AttemptOutcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    this.#durationMs = this.#ms()
    this.#listener.record?.(this.#record(outcome))
  }

  #record(outcome: AttemptOutcome): AttemptRecord {
    const { local, remote } = this.names
    const last = this.#last.map(({ step }) => step)
    const gap: TimedStep[] =
      this.#leftOut === 0 ? [] : [{ ms: last[0]?.ms ?? 0, step: 'left-out', count: this.#leftOut }]
    return {
      id: this.#id,
      direction: this.#direction,
      purpose: this.#purpose,
      local,
      remote,
      claimed: this.#direction === 'in' && (remote === null || this.#proven !== remote),
      started: this.started.toISOString(),
      durationMs: this.#durationMs,
      steps: [...this.#first, ...gap, ...last],
      outcome,
      closed: this.#closed,
    }
  }

  #keep(step: TimedStep, bytes: number): void {
    if (this.#last.length === 0 && this.#leftOut === 0 && this.#firstBytes + bytes <= mostHalfBytes) {
      this.#first.push(step)
      this.#firstBytes += bytes
      return
    }
    this.#last.push({ step, bytes })
    this.#lastBytes += bytes
    while (this.#lastBytes > mostHalfBytes) {
      this.#lastBytes -= this.#last.shift()!.bytes
      this.#leftOut += 1
    }
  }

  #ms(): number {
    return Math.round(performance.now() - this.startedMs)
  }
}

function shorten(value: unknown): unknown {
  if (Array.isArray(value) && value.length > mostItems)
    return [...value.slice(0, mostItems), `and ${value.length - mostItems} more`]
  return typeof value === 'string' ? clean(value) : value
}

/** It is shown on terminals. */
function clean(text: string, most = mostText): string {
  const plain = text.replace(/\p{C}/gu, '?')
  return plain.length <= most ? plain : `${plain.slice(0, most)}…`
}

function cleanReason(text: string): string {
  let most = mostReasonBytes
  let reason = clean(text, most)
  while (Buffer.byteLength(JSON.stringify(reason)) > mostReasonBytes) reason = clean(text, (most -= 10))
  return reason
}
