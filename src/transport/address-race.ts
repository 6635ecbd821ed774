import type { Socket } from 'node:net'
import { connect } from 'node:net'

const resolutionDelayMs = 50 // RFC 8305 §3: how long IPv4 waits for IPv6 to be found
const attemptDelayMs = 250 // RFC 8305 §5: between two attempts

/** The addresses of one host, as they come; neither promise may reject. */
export type Families = Readonly<Record<Family, Promise<readonly string[]>>>

type Family = 'ipv6' | 'ipv4'

const otherThan = { ipv6: 'ipv4', ipv4: 'ipv6' } as const

/** What became of an address: connected, or the cause, such as ECONNREFUSED or `no answer`; `abandoned` = another was faster. */
export type AddressOutcome = { readonly address: string; readonly outcome: string }

/** No address could be connected to; each has its cause in `failures`, and there are none without an address. */
export class RaceLost extends Error {
  override readonly name = 'RaceLost'
  readonly failures: readonly AddressOutcome[]

  constructor(failures: readonly AddressOutcome[]) {
    super(failures.map(({ address, outcome }) => `${address} ${outcome}`).join('; '))
    this.failures = failures
  }
}

/**
 * Connects to whichever address answers first (RFC 8305): IPv6 and IPv4 in turn, a new attempt every 250 ms or as soon
 * as one fails, the earlier ones going on. The losers are closed. Addresses may come while attempts run.
 * @param signal ends the race
 * @param told hears of each address that was tried, once
 * @throws {RaceLost} when every address has failed, or the signal ended it
 */
export function raceToConnect(
  families: Families,
  port: number,
  signal: AbortSignal,
  told: (outcome: AddressOutcome) => void = () => {},
): Promise<Socket> {
  return new Race(port, told).run(families, signal)
}

class Race {
  readonly #outcome = Promise.withResolvers<Socket>()
  readonly #port: number
  readonly #waiting: Record<Family, string[]> = { ipv6: [], ipv4: [] }
  readonly #attempts = new Map<Socket, string>()
  readonly #failures: AddressOutcome[] = []
  readonly #told: (outcome: AddressOutcome) => void
  #lookups = 2
  #next: Family = 'ipv6'
  #hasStarted = false
  #isOver = false
  #pause: NodeJS.Timeout | undefined

  constructor(port: number, told: (outcome: AddressOutcome) => void) {
    this.#port = port
    this.#told = told
  }

  async run(families: Families, signal: AbortSignal): Promise<Socket> {
    const onAbort = () => this.#lose()
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    void families.ipv6.then(addresses => this.#enter('ipv6', addresses))
    void families.ipv4.then(addresses => this.#enter('ipv4', addresses))
    try {
      return await this.#outcome.promise
    } finally {
      this.#isOver = true
      clearTimeout(this.#pause)
      signal.removeEventListener('abort', onAbort)
      for (const [socket, address] of this.#attempts) {
        socket.destroy()
        this.#told({ address, outcome: 'abandoned' })
      }
    }
  }

  #enter(family: Family, addresses: readonly string[]): void {
    if (this.#isOver) return
    this.#lookups -= 1
    this.#waiting[family].push(...addresses)
    const isEarly = family === 'ipv4' && addresses.length > 0 && this.#lookups > 0
    if (isEarly) this.#wait(resolutionDelayMs)
    else if (!this.#hasStarted) this.#resume()
    else this.#advance()
  }

  #wait(ms: number): void {
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => this.#resume(), ms)
  }

  #resume(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#advance()
  }

  #advance(): void {
    if (this.#pause !== undefined) return
    const family = this.#waiting[this.#next].length > 0 ? this.#next : otherThan[this.#next]
    const address = this.#waiting[family].shift()
    if (address !== undefined) {
      this.#next = otherThan[family]
      this.#attempt(address)
    } else if (this.#attempts.size === 0 && this.#lookups === 0) this.#lose()
  }

  #attempt(address: string): void {
    this.#hasStarted = true
    const socket = connect({ host: address, port: this.#port, allowHalfOpen: true, noDelay: true })
    this.#attempts.set(socket, address)
    const onError = (error: NodeJS.ErrnoException) => {
      this.#attempts.delete(socket)
      this.#fail({ address, outcome: error.code ?? error.message })
      this.#resume()
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      this.#attempts.delete(socket)
      socket.off('error', onError)
      this.#told({ address, outcome: 'connected' })
      this.#outcome.resolve(socket)
    })
    this.#wait(attemptDelayMs)
  }

  #lose(): void {
    for (const [socket, address] of this.#attempts) {
      socket.destroy()
      this.#fail({ address, outcome: 'no answer' })
    }
    this.#attempts.clear()
    this.#outcome.reject(new RaceLost(this.#failures))
    this.#isOver = true
  }

  #fail(failure: AddressOutcome): void {
    this.#failures.push(failure)
    this.#told(failure)
  }
}
