import { setTimeout as wait } from 'node:timers/promises'
import type { KeyAnswer, KeyRequest } from '../negotiation/dialback.ts'
import type { Pair } from '../negotiation/stream.ts'
import type { Directory } from './directory.ts'
import { policyChanged } from './endings.ts'
import type { FederationEnvironment } from './environment.ts'
import { EstablishError, establish } from './establish.ts'
import type { OutboundSession } from './outbound-session.ts'

type Question = { readonly session: OutboundSession; readonly answer: (answer: KeyAnswer) => void }

/**
 * Milliseconds between the starts of two attempts to reach one authoritative server: forged keys must not make connection after
 * connection to a partner. A key that comes in between waits: whoever forges keys must not have the true one refused.
 */
const attemptEveryMs = 1_000

/**
 * The receiving server's questions to authoritative servers (XEP-0220 §2.1.2). A stream that is up for the pair is used; else one
 * is opened, and kept for the next question.
 */
export class KeyVerification {
  readonly #environment: FederationEnvironment
  readonly #directory: Directory
  /** Questions out, by pair and stream id. Bounded: each inbound stream asks for few pairs, each for a limited time. */
  readonly #questions = new Map<string, Question>()
  readonly #streams = new Map<string, Promise<OutboundSession>>()
  /** Pairs with an attempt in the last second, each with the end of that. */
  readonly #pauses = new Map<string, Promise<void>>()
  readonly #abort = new AbortController()

  constructor(environment: FederationEnvironment, directory: Directory) {
    this.#environment = environment
    this.#directory = directory
    directory.onKeyAnswer = (session, pair, streamId, answer) =>
      this.#answered(session, pair, streamId, answer)
    directory.onStreamClosed = session => this.#lost(session)
  }

  /** Asks; always answers within `timeouts.dialback`. */
  async verify(request: KeyRequest): Promise<KeyAnswer> {
    const { dialbackMs } = this.#environment.timeouts()
    const { promise, resolve } = Promise.withResolvers<KeyAnswer>()
    const isOver = new AbortController()
    const timer = setTimeout(() => {
      resolve(
        failed(
          'remote-server-timeout',
          `its authoritative server did not answer within ${dialbackMs / 1000} s`,
        ),
      )
    }, dialbackMs)
    try {
      return await Promise.race([promise, this.#ask(request, resolve, isOver.signal)])
    } finally {
      clearTimeout(timer)
      isOver.abort()
      this.#questions.delete(nameOf(request, request.streamId))
    }
  }

  /** Opens nothing any more. */
  stop(): void {
    this.#abort.abort(new Error('the gateway is stopping'))
  }

  /** Resolves only when the question could not be put. */
  async #ask(
    request: KeyRequest,
    answer: (answer: KeyAnswer) => void,
    isOver: AbortSignal,
  ): Promise<KeyAnswer> {
    try {
      const session = this.#directory.link(request).session ?? (await this.#stream(request))
      if (isOver.aborted) return failed('remote-server-timeout', 'the time for an answer was over')
      this.#questions.set(nameOf(request, request.streamId), { session, answer })
      session.verify(request)
    } catch (error) {
      return this.#explain(error, request)
    }
    return new Promise(() => {})
  }

  #stream(pair: Pair): Promise<OutboundSession> {
    const name = nameOf(pair)
    const known = this.#streams.get(name)
    if (known !== undefined) return known
    // Not a newer one, which may have taken its place meanwhile.
    const forget = () => {
      if (this.#streams.get(name) === opening) this.#streams.delete(name)
    }
    const opening = this.#open(pair, forget)
    this.#streams.set(name, opening)
    opening.catch(forget)
    return opening
  }

  async #open(pair: Pair, forget: () => void): Promise<OutboundSession> {
    await this.#turn(nameOf(pair))
    const peer = this.#environment.peerFor(pair.remote)
    if (peer === undefined) throw new Error(`${pair.remote} is no longer a partner`)
    let session: OutboundSession | undefined
    const owner = {
      drained: () => {},
      keyAnswer: (of: Pair, streamId: string, answer: KeyAnswer) =>
        this.#answered(session, of, streamId, answer),
      closing: forget,
      closed: () => {
        if (session === undefined) return
        this.#directory.removeVerifying(session)
        this.#lost(session)
      },
    }
    const task = { pair: { local: pair.local, remote: pair.remote }, peer, purpose: 'verification' } as const
    session = await this.#directory.countOpening(
      establish(task, this.#environment, owner, this.#abort.signal),
    )
    this.#directory.addVerifying(session)
    if (this.#environment.peerFor(pair.remote)?.terms.tls !== peer.terms.tls) {
      session.close('policy-violation', policyChanged)
      throw new Error('the policy has changed meanwhile')
    }
    return session
  }

  /** Resolves when the next attempt may begin; that of the gateway's stop does not. */
  async #turn(name: string): Promise<void> {
    const { signal } = this.#abort
    await this.#pauses.get(name)
    signal.throwIfAborted()
    const pause = wait(attemptEveryMs, undefined, { ref: false, signal })
      .catch(() => {}) // aborted: over at once
      .then(() => void this.#pauses.delete(name))
    this.#pauses.set(name, pause)
  }

  /** An answer counts only on the stream the question went out on (XEP-0220 §2.1.2). */
  #answered(session: OutboundSession | undefined, pair: Pair, streamId: string, answer: KeyAnswer): void {
    const question = this.#questions.get(nameOf(pair, streamId))
    if (question === undefined || question.session !== session) {
      const reason = 'a dialback answer that nobody here had asked for was ignored'
      this.#environment.log.info('partner noted', { direction: 'out', ...pair, reason })
      return
    }
    question.answer(answer)
  }

  #lost(session: OutboundSession): void {
    for (const question of this.#questions.values()) {
      if (question.session !== session) continue
      question.answer(
        failed('remote-server-timeout', 'its authoritative server closed the stream without an answer'),
      )
    }
  }

  #explain(error: unknown, pair: Pair): KeyAnswer {
    const reason = `its authoritative server could not be asked: ${error instanceof Error ? error.message : error}`
    if (!(error instanceof EstablishError)) {
      this.#environment.log.warn('verification failed', {
        local: pair.local,
        remote: pair.remote,
        err: error,
      })
      return failed('not-acceptable', reason) // the cause lies here, not with a connection
    }
    const { condition, isUnknownHost } = error.failure
    if (isUnknownHost || condition === 'remote-server-not-found')
      return failed('remote-server-not-found', reason)
    // XEP-0220 §2.4: no connection at all, or trouble on one that was there.
    return failed(error.wasReached ? 'remote-server-timeout' : 'remote-connection-failed', reason)
  }
}

function failed(condition: (KeyAnswer & { outcome: 'error' })['condition'], reason: string): KeyAnswer {
  return { outcome: 'error', condition, code: 'dialback-unverified', reason }
}

function nameOf(pair: Pair, streamId = ''): string {
  return `${pair.local} ${pair.remote} ${streamId}`
}
