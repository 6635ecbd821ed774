import { type BareJid, domainOfBare } from '../xmpp/address.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Pair } from './ways.ts'

/** The server inside tells who is online meanwhile; Prosody does so behind its advertisement. */
const firstMs = 1000
const everyMs = 250
/** Of each pair of domains: more would fill the queue for a partner's stream, which is opened for the first of them. */
const subscribersAtOnce = 50

type Walk = {
  readonly pair: Pair
  readonly subscribers: Iterator<readonly [local: BareJid, remote: BareJid]>
  readonly fromMs: number
}

/**
 * Tells all who see the presence of a local domain's users how it stands, some at a time: after a restart they may have been told
 * something that holds no longer.
 */
export class Announcements {
  readonly #subscriptions: Subscriptions
  readonly #hasRoom: (pair: Pair) => boolean
  readonly #tell: (pair: Pair, local: BareJid, remote: BareJid) => void
  readonly #walks = new Map<string, Walk>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(
    subscriptions: Subscriptions,
    hasRoom: (pair: Pair) => boolean,
    tell: (pair: Pair, local: BareJid, remote: BareJid) => void,
  ) {
    this.#subscriptions = subscriptions
    this.#hasRoom = hasRoom
    this.#tell = tell
  }

  /** Begins; from the start again, where it had begun. */
  begin(pair: Pair): void {
    if (this.#isStopped) return
    const fromMs = performance.now() + firstMs
    this.#walks.set(keyOf(pair), { pair, subscribers: this.#subscribers(pair), fromMs })
    this.#timer ??= setTimeout(() => this.#goOn(), firstMs)
  }

  end(pair: Pair): void {
    this.#walks.delete(keyOf(pair))
  }

  stop(): void {
    this.#isStopped = true
    this.#walks.clear()
    clearTimeout(this.#timer)
  }

  #goOn(): void {
    const nowMs = performance.now()
    for (const [key, walk] of this.#walks) {
      // Timers may be early by a millisecond.
      if (walk.fromMs <= nowMs + 1 && this.#isOver(walk)) this.#walks.delete(key)
    }
    this.#timer = this.#walks.size === 0 ? undefined : setTimeout(() => this.#goOn(), everyMs)
  }

  #isOver({ pair, subscribers }: Walk): boolean {
    for (let told = 0; told < subscribersAtOnce && this.#hasRoom(pair); told++) {
      const next = subscribers.next()
      if (next.done === true) return true
      this.#tell(pair, ...next.value)
    }
    return false
  }

  *#subscribers({ local, remote }: Pair): Generator<readonly [BareJid, BareJid]> {
    for (const user of this.#subscriptions.usersSeenBy(remote)) {
      if (domainOfBare(user) !== local) continue
      for (const subscriber of this.#subscriptions.subscribersOf(user, remote)) yield [user, subscriber]
    }
  }
}

function keyOf({ local, remote }: Pair): string {
  return `${local} ${remote}`
}
