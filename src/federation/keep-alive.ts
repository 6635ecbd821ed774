import type { Pair } from '../negotiation/stream.ts'
import type { Run } from '../xml/run.ts'
import { tag } from '../xml/writer.ts'
import { toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import { IdleWatch } from './idle-watch.ts'

/** What a keep-alive needs of the stream it keeps. */
export type KeptStream = {
  /** Milliseconds of `performance.now()` when the stream was last used, either way. */
  readonly lastUsedMs: number
  send(run: Run): boolean
}

/**
 * Pings a partner over a stream that was idle for a time (XEP-0199), from domain to domain; the answer comes on a stream of
 * the partner's. Without one in time the stream is given up: a connection can be dead for hours before TCP notices.
 */
export class KeepAlive {
  readonly #stream: KeptStream
  readonly #pair: Pair
  readonly #options: { readonly idleMs: number; readonly answerMs: number; readonly newId: () => string }
  readonly #onSilence: () => void
  #idle: IdleWatch
  #asked: { readonly id: string; readonly timer: NodeJS.Timeout } | undefined

  /** @param onSilence called once, when a ping was not answered */
  constructor(
    stream: KeptStream,
    pair: Pair,
    options: { readonly idleMs: number; readonly answerMs: number; readonly newId: () => string },
    onSilence: () => void,
  ) {
    this.#stream = stream
    this.#pair = pair
    this.#options = options
    this.#onSilence = onSilence
    this.#idle = this.#watch()
  }

  /**
   * Takes an answer, good or bad: either shows that the partner lives.
   * @returns false when the id is none of ours
   */
  answered(id: string): boolean {
    if (this.#asked?.id !== id) return false
    clearTimeout(this.#asked.timer)
    this.#asked = undefined
    this.#idle = this.#watch()
    return true
  }

  stop(): void {
    this.#idle.stop()
    clearTimeout(this.#asked?.timer)
    this.#asked = undefined
  }

  #watch(): IdleWatch {
    return new IdleWatch(
      this.#options.idleMs,
      () => this.#stream.lastUsedMs,
      () => this.#ping(),
    )
  }

  #ping(): void {
    const id = this.#options.newId()
    this.#asked = { id, timer: setTimeout(this.#onSilence, this.#options.answerMs) }
    const { local, remote } = this.#pair
    const addresses = { from: toUnicode(local), to: toUnicode(remote) }
    const text = tag('iq', { type: 'get', id, ...addresses }, tag('ping', { xmlns: ns.ping }))
    this.#stream.send({ bytes: Buffer.from(text), stanzas: 1, isOurs: true })
  }
}
