import { createHmac, randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { ConfigError, formatProblem } from '../config/problems.ts'
import { type KeptToken, readTokens } from '../config/tokens.ts'
import type { Log } from '../telemetry/log.ts'
import type { Caller } from './api.ts'
import { Attempts } from './attempts.ts'
import { failure, type Reply } from './reply.ts'
import { idOf, isToken } from './token-hash.ts'

const rememberedMs = 60_000
const mostRemembered = 256
const mostWaiting = 16

/** What a token was found to be. */
type Finding = { readonly token: KeptToken; readonly untilMs: number }

/** Knows callers by their tokens, as they stand in the file now. */
export class Access {
  readonly #file: string
  readonly #log: Log
  readonly #now: () => number
  readonly #attempts: Attempts
  /** Tokens are not kept: what they are remembered by is worth nothing outside of this process. */
  readonly #key = randomBytes(32)
  readonly #remembered = new Map<string, Finding>()
  /** One for each token that is being looked into, however many requests bear it. */
  readonly #running = new Map<string, Promise<Caller | Reply>>()
  #turn: Promise<unknown> = Promise.resolve()
  #state = ''
  #tokens: ReadonlyMap<string, KeptToken> = new Map()

  /** @param now a clock in ms that never goes back */
  constructor(file: string, log: Log, now: () => number = () => performance.now()) {
    this.#file = file
    this.#log = log
    this.#now = now
    this.#attempts = new Attempts(now)
  }

  /** What is kept for callers, good or not. */
  get size(): number {
    return this.#remembered.size + this.#running.size + this.#attempts.size
  }

  /**
   * Who asks; or what he is told instead, 401 or 429.
   * @param authorization the header of that name
   */
  async identify(authorization: string | undefined, address: string): Promise<Caller | Reply> {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return unauthenticated('this needs a token: Authorization: Bearer TOKEN')
    await this.#look()
    // Of the file as it is now, too: what was found before is not asked for any more.
    const key = createHmac('sha256', this.#key).update(`${this.#state} ${token}`).digest('base64')
    const known = this.#remembered.get(key)
    if (known !== undefined && known.untilMs > this.#now()) return asCaller(known.token, address)
    const running = this.#running.get(key)
    if (running !== undefined) return withAddress(await running, address)
    const found = this.#verify(token, key, address)
    this.#running.set(key, found)
    try {
      return await found
    } finally {
      this.#running.delete(key)
    }
  }

  async #verify(token: string, key: string, address: string): Promise<Caller | Reply> {
    if (this.#running.size >= mostWaiting) return tooMany(1000)
    const waitMs = this.#attempts.begin(address)
    if (waitMs > 0) return tooMany(waitMs)
    const kept = this.#tokens.get(idOf(token) ?? '')
    if (!(await this.#inTurn(() => isToken(token, kept))) || kept === undefined) {
      this.#log.warn('a token is refused', { address })
      return unauthenticated('the token is not known here; it may have been revoked')
    }
    this.#attempts.succeeded(address)
    this.#remember(key, { token: kept, untilMs: this.#now() + rememberedMs })
    return asCaller(kept, address)
  }

  /** One at a time: it takes memory, and a thread that files wait for too. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  #remember(key: string, finding: Finding): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, finding)
    if (this.#remembered.size > mostRemembered) this.#remembered.delete(this.#remembered.keys().next().value!)
  }

  /** Reads the file anew where it has changed: what is revoked is refused from the next request on. */
  async #look(): Promise<void> {
    const state = await stateOf(this.#file)
    if (state === this.#state) return
    this.#state = state
    this.#remembered.clear()
    this.#tokens = new Map()
    try {
      this.#tokens = new Map(readTokens(this.#file).map(token => [token.id, token]))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const problems = error.problems.map(formatProblem)
      this.#log.error('the file of tokens cannot be used, so none is accepted; mend it', { problems })
    }
  }
}

function asCaller({ name, role }: KeptToken, address: string): Caller {
  return { name, role, from: address }
}

function withAddress(found: Caller | Reply, address: string): Caller | Reply {
  return 'role' in found ? { ...found, from: address } : found
}

async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join()
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return 'none'
    return `not readable: ${error instanceof Error ? error.message : error}`
  }
}

function unauthenticated(message: string): Reply {
  return { ...failure(401, message), headers: { 'www-authenticate': 'Bearer realm="gatehouse"' } }
}

function tooMany(waitMs: number): Reply {
  const seconds = Math.ceil(waitMs / 1000)
  const message = `too many tokens were tried; try again in ${seconds} s`
  return { ...failure(429, message), headers: { 'retry-after': String(seconds) } }
}
