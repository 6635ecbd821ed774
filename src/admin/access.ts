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
/** For one id: so that nobody who tries one takes all places. */
const mostWaitingOfOne = 4

/** What a token was found to be; undefined = a wrong one. */
type Finding = { readonly token: KeptToken | undefined; readonly untilMs: number }

/** Knows callers by their tokens, as they stand in the file now. */
export class Access {
  readonly #file: string
  readonly #log: Log
  readonly #now: () => number
  /** By the id that a token bears. */
  readonly #attempts: Attempts
  /** Bounds what the log is told of those who have none. */
  readonly #told: Attempts
  /** Tokens are not kept: what they are remembered by is worth nothing outside of this process. */
  readonly #key = randomBytes(32)
  readonly #remembered = new Map<string, Finding>()
  /** Apart, so that whoever tries many does not push the good ones out. */
  readonly #wrong = new Map<string, Finding>()
  /** One for each token that is being looked into, however many requests bear it. */
  readonly #running = new Map<string, { readonly id: string; readonly found: Promise<Caller | Reply> }>()
  #turn: Promise<unknown> = Promise.resolve()
  #state = ''
  #tokens: ReadonlyMap<string, KeptToken> = new Map()

  /** @param now a clock in ms that never goes back */
  constructor(file: string, log: Log, now: () => number = () => performance.now()) {
    this.#file = file
    this.#log = log
    this.#now = now
    this.#attempts = new Attempts(now)
    this.#told = new Attempts(now)
  }

  /** What is kept for callers, good or not. */
  get size(): number {
    return (
      this.#remembered.size + this.#wrong.size + this.#running.size + this.#attempts.size + this.#told.size
    )
  }

  /**
   * Who asks; or what he is told instead, 401 or 429.
   * @param authorization the header of that name
   */
  async identify(authorization: string | undefined, address: string): Promise<Caller | Reply> {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return unauthenticated('this needs a token: Authorization: Bearer TOKEN')
    await this.#look()
    // Without a hash, and not counted against those of the same address whose tokens are good: ids are no secret.
    const kept = this.#tokens.get(idOf(token) ?? '')
    if (kept === undefined) return this.#refuse(address)
    // Of the file as it is now, too: what was found before is not asked for any more.
    const key = createHmac('sha256', this.#key).update(`${this.#state} ${token}`).digest('base64')
    const known = this.#remembered.get(key) ?? this.#wrong.get(key)
    if (known !== undefined && known.untilMs > this.#now()) {
      if (known.token === undefined) return this.#refuse(address)
      remember(this.#remembered, key, { token: known.token, untilMs: this.#now() + rememberedMs })
      return asCaller(known.token, address)
    }
    const running = this.#running.get(key)
    if (running !== undefined) return withAddress(await running.found, address)
    const found = this.#verify(token, kept, key, address)
    this.#running.set(key, { id: kept.id, found })
    try {
      return await found
    } finally {
      this.#running.delete(key)
    }
  }

  async #verify(token: string, kept: KeptToken, key: string, address: string): Promise<Caller | Reply> {
    const waiting = [...this.#running.values()]
    const ofOne = waiting.filter(({ id }) => id === kept.id)
    if (waiting.length >= mostWaiting || ofOne.length >= mostWaitingOfOne) return tooMany(1000)
    const waitMs = this.#attempts.begin(address, kept.id)
    if (waitMs > 0) return tooMany(waitMs)
    const isGood = await this.#inTurn(() => isToken(token, kept))
    const untilMs = this.#now() + rememberedMs
    if (!isGood) {
      // Its client may go on asking: once is enough to hash, and to count.
      remember(this.#wrong, key, { token: undefined, untilMs })
      return this.#refuse(address)
    }
    this.#attempts.succeeded(address, kept.id)
    remember(this.#remembered, key, { token: kept, untilMs })
    return asCaller(kept, address)
  }

  #refuse(address: string): Reply {
    if (this.#told.begin(address) === 0) this.#log.warn('a token is refused', { address })
    return unauthenticated('the token is not known here; it may have been revoked')
  }

  /** One at a time: it takes memory, and a thread that files wait for too. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Reads the file anew where it has changed: what is revoked is refused from the next request on. */
  async #look(): Promise<void> {
    const state = await stateOf(this.#file)
    if (state === this.#state) return
    this.#state = state
    this.#remembered.clear()
    this.#wrong.clear()
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

/** At the end: the first in the map is the one that was not used the longest. */
function remember(found: Map<string, Finding>, key: string, finding: Finding): void {
  found.delete(key)
  found.set(key, finding)
  if (found.size > mostRemembered) found.delete(found.keys().next().value!)
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
