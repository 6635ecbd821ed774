import type { Socket } from 'node:net'
import type { OutboundFailure } from '../negotiation/outbound-stream.ts'
import { Attempt, type AttemptListener } from '../telemetry/attempt.ts'
import { DialError } from '../transport/dialer.ts'
import type { Target } from '../transport/service-records.ts'
import type { SecuredSocket } from '../transport/tls.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import type { ReasonCode, Why } from '../xmpp/reason.ts'
import type { OutboundTask } from './context.ts'
import { withoutTls } from './endings.ts'
import type { FederationEnvironment } from './environment.ts'
import type { OutboundHooks } from './outbound-hooks.ts'
import { OutboundSession } from './outbound-session.ts'

/** No stream to a partner could be had. `message` is for the log: it may name hosts. */
export class EstablishError extends Error {
  override readonly name = 'EstablishError'
  /** The last one: what waits comes back with its condition (contract §9). */
  readonly failure: OutboundFailure
  /** The partner was reached, and then negotiation failed. */
  readonly wasReached: boolean

  /** @param told the failure that tells most */
  constructor(told: Why, failure: OutboundFailure, wasReached: boolean) {
    super(told.reason)
    this.failure = failure
    this.wasReached = wasReached
  }
}

/** What the owner of a stream hears of it once it is established. */
export type StreamOwner = Omit<OutboundHooks, 'established' | 'failed'>

const maxTargets = 16

/**
 * Opens a stream to a partner: finds its servers, and tries one after the other until a stream is established
 * (contract §4: all targets are tried before giving up).
 * @throws {EstablishError} when none will do; or the signal's reason
 */
export async function establish(
  { step, ...given }: Omit<OutboundTask, 'tryExternal' | 'attempt'> & Pick<AttemptListener, 'step'>,
  environment: FederationEnvironment,
  owner: StreamOwner,
  signal: AbortSignal,
): Promise<OutboundSession> {
  const { dialer, record } = environment
  const { pair, peer, purpose } = given
  const attempt = new Attempt({ direction: 'out', purpose, ...pair }, { record, ...(step && { step }) })
  const opener = new Opener({ ...given, attempt }, environment, owner, signal)
  try {
    const targets = await dialer.targets(pair.remote, peer.proxy, signal, attemptStep =>
      attempt.tell(attemptStep),
    )
    for (const target of targets.slice(0, maxTargets)) {
      if (target.directTls && peer.terms.tls === 'notSupported') continue
      const session = await opener.tryTarget(target)
      if (session !== undefined) {
        opener.tellOfPassedOver()
        return session
      }
      signal.throwIfAborted()
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof DialError)) {
      attempt.failed({ code: 'internal-error', reason: String(error) })
      throw error
    }
    opener.note(failureOf(error.condition, whyOf(error)), false)
  }
  opener.giveUp()
  throw opener.error
}

/** Tries targets, and remembers how the last one failed, and the one where it came furthest: that one tells most. */
class Opener {
  readonly #task: Omit<OutboundTask, 'tryExternal'>
  readonly #environment: FederationEnvironment
  readonly #owner: StreamOwner
  readonly #signal: AbortSignal
  #last = failureOf('remote-server-not-found', noUsableServer)
  #furthest = this.#last
  #wasReached = false
  /** The stream that came furthest has told of its failure. */
  #isTold = false
  /** Why there was no connection to servers before the one that will do; what failed later has been logged. */
  readonly #passedOver: string[] = []

  constructor(
    task: Omit<OutboundTask, 'tryExternal'>,
    environment: FederationEnvironment,
    owner: StreamOwner,
    signal: AbortSignal,
  ) {
    this.#task = task
    this.#environment = environment
    this.#owner = owner
    this.#signal = signal
  }

  get error(): EstablishError {
    return new EstablishError(this.#furthest, this.#last, this.#wasReached)
  }

  note(failure: OutboundFailure, wasReached: boolean): void {
    this.#last = failure
    this.#wasReached ||= wasReached
    if (stageOf(failure.code) < stageOf(this.#furthest.code)) return
    this.#furthest = failure
    this.#isTold = wasReached
  }

  /** Tells the journal; and the log and the metrics, where there was no stream to do it. */
  giveUp(): void {
    const { code, reason, end } = this.#furthest
    const { attempt, pair } = this.#task
    if (this.#isTold) this.tellOfPassedOver()
    else {
      const { log, metrics } = this.#environment
      const { condition } = this.#last
      log.event({ event: 'stream.refused', direction: 'out', ...pair, condition, code, reason })
      metrics.failure('out', code)
    }
    if (end !== undefined) attempt.ended(end)
    attempt.failed(this.#furthest)
  }

  /** A dead server behind a living one is not seen by anybody else. */
  tellOfPassedOver(): void {
    const { log } = this.#environment
    for (const why of this.#passedOver) {
      const reason = `a server of the partner was passed over: ${why}`
      log.info('partner noted', { direction: 'out', ...this.#task.pair, reason })
    }
  }

  async tryTarget(target: Target): Promise<OutboundSession | undefined> {
    const first = await this.#open(target, true)
    if (!('reason' in first)) return first
    // Contract §9: the partner dropped the stream because of EXTERNAL; dialback follows on a new one.
    const mayDialback = this.#task.peer.terms.methods.includes('dialback-tls')
    if (!first.retryWithoutExternal || !mayDialback || this.#signal.aborted) return undefined
    const second = await this.#open(target, false)
    return 'reason' in second ? undefined : second
  }

  async #open(target: Target, tryExternal: boolean): Promise<OutboundSession | OutboundFailure> {
    let socket: Socket
    let secured: SecuredSocket | undefined
    try {
      const tell = (step: AttemptStep) => this.#task.attempt.tell(step)
      socket = await this.#environment.dialer.connect(target, this.#signal, tell)
      if (this.#signal.aborted) socket.destroy()
      this.#signal.throwIfAborted()
      if (target.directTls) secured = await this.#secure(socket)
    } catch (error) {
      this.#signal.throwIfAborted()
      const failure =
        error instanceof DialError
          ? failureOf(error.condition, whyOf(error))
          : failureOf('remote-server-timeout', withoutTls(error))
      this.note(failure, false)
      this.#passedOver.push(failure.reason)
      this.#task.attempt.tell({ step: 'failed', code: failure.code, reason: failure.reason })
      return failure
    }
    const failure = await this.#negotiate(secured?.socket ?? socket, secured, tryExternal)
    if ('reason' in failure) this.note(failure, true)
    return failure
  }

  async #secure(socket: Socket): Promise<SecuredSocket> {
    const limitMs = this.#environment.timeouts().streamEstablishmentMs
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(limitMs)])
    return this.#environment.tls.connect(socket, { ...this.#task.pair, directTls: true, signal })
  }

  #negotiate(
    socket: Socket,
    secured: SecuredSocket | undefined,
    tryExternal: boolean,
  ): Promise<OutboundSession | OutboundFailure> {
    const task = { ...this.#task, tryExternal }
    const leave = this.#environment.admission.countOutbound()
    const { promise, resolve } = Promise.withResolvers<OutboundSession | OutboundFailure>()
    const abort = () => session.destroy()
    let isOwned = false // the owner hears of no stream that failed on the way
    const hooks: OutboundHooks = {
      ...this.#owner,
      established: () => {
        isOwned = true
        resolve(session)
      },
      failed: resolve,
      closing: () => {
        if (isOwned) this.#owner.closing()
      },
      closed: unsent => {
        leave()
        resolve(failureOf('remote-server-timeout', connectionLost))
        if (isOwned) this.#owner.closed(unsent)
      },
    }
    const session = new OutboundSession(socket, secured, task, this.#environment, hooks)
    this.#signal.addEventListener('abort', abort, { once: true })
    void promise.then(() => this.#signal.removeEventListener('abort', abort))
    return promise
  }
}

const noUsableServer: Why = {
  code: 'no-usable-server',
  reason: 'the partner has no server that its policy lets us connect to',
}

const connectionLost: Why = { code: 'connection-lost', reason: 'the connection was lost' }

function whyOf({ code, message: reason }: DialError): Why {
  return { code, reason }
}

function failureOf(condition: OutboundFailure['condition'], { code, reason }: Why): OutboundFailure {
  const nothing = { retryWithoutExternal: false, method: undefined, isUnknownHost: false, end: undefined }
  return { condition, code, reason, ...nothing }
}

/** How far an attempt has come that failed so; of two that came as far, the later one tells more. */
function stageOf(code: ReasonCode): number {
  if (/^(dns|proxy)-|^no-usable-server$/.test(code)) return 0
  if (code.startsWith('connect-')) return 1
  // Who has refused EXTERNAL may refuse dialback after it: that is the same once more.
  if (/^(dialback-(refused|unanswered|not-offered)|no-permitted-method)$/.test(code)) return 3
  return /^(certificate|external|dialback)-|^(our-certificate-refused|internal-error)$/.test(code) ? 4 : 2
}
