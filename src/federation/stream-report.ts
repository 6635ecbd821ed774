import { randomBytes } from 'node:crypto'
import type { CertificateStanding } from '../identity/proof.ts'
import type { Method, Pair } from '../negotiation/stream.ts'
import type { Direction } from '../telemetry/events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { SecuredSocket } from '../transport/tls.ts'
import type { Domain } from '../xmpp/address.ts'

/** What is known of a stream, for operators. */
export type StreamFacts = {
  /** Of this process: 8 hex digits that it has drawn, a hyphen, and a number that counts its streams. */
  readonly id: string
  readonly direction: Direction
  readonly names: { readonly local: Domain | null; readonly remote: Domain | null }
  readonly tls: { readonly version: string; readonly cipher: string } | null
  /** As it was judged at the last authentication; null = there was none yet. */
  readonly certificate: CertificateStanding | null
  /** The peer's; null = it was gone before it was seen. */
  readonly address: string | null
  readonly since: Date
  /** Stanzas that came or went on it. */
  readonly stanzas: number
}

const drawn = randomBytes(4).toString('hex')
let opened = 0

/** What the log, the metrics and operators are told of one stream (contract §8). */
export class StreamReport {
  readonly #direction: Direction
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #from: { readonly address?: string }
  readonly #openedMs = performance.now()
  readonly #id = `${drawn}-${++opened}`
  readonly #since = new Date()
  readonly #address: string | null
  #certificate: CertificateStanding | null = null
  /** The domains of the stream, as far as they are known. */
  names: { readonly local: Domain | null; readonly remote: Domain | null } = { local: null, remote: null }
  tls: { readonly version: string; readonly cipher: string } | null = null
  /** The id of the stream, given by its receiving side. */
  streamId = ''
  /** Stanzas that came or went on it. */
  stanzas = 0

  /** @param address where the peer is; the log tells it of streams that the peer opened */
  constructor(
    direction: Direction,
    telemetry: { readonly log: Log; readonly metrics: Metrics },
    address: string | undefined,
  ) {
    this.#direction = direction
    this.#address = address ?? null
    this.#from = direction === 'out' || address === undefined ? {} : { address }
    this.#log = telemetry.log
    this.#metrics = telemetry.metrics
  }

  get facts(): StreamFacts {
    return {
      id: this.#id,
      direction: this.#direction,
      names: this.names,
      tls: this.tls,
      certificate: this.#certificate,
      address: this.#address,
      since: this.#since,
      stanzas: this.stanzas,
    }
  }

  secured(secured: Pick<SecuredSocket, 'version' | 'cipher'>): void {
    this.tls = { version: secured.version, cipher: secured.cipher }
  }

  authenticated(pair: Pair, method: Method, certificate: CertificateStanding): void {
    const { local, remote } = pair
    this.names = { local, remote }
    this.#certificate = certificate
    this.#metrics.authentication(this.#direction, method, 'success')
    this.#log.event({
      event: 'stream.authenticated',
      direction: this.#direction,
      local,
      remote,
      method,
      tls: this.tls,
      certificate,
      id: this.streamId,
      ...this.#from,
    })
  }

  /** The stream is up for the first time. */
  established(): void {
    const seconds = (performance.now() - this.#openedMs) / 1000
    this.#metrics.observe('gatehouse_stream_establishment_seconds', seconds)
  }

  /** One way to authenticate failed. */
  failed(method: Method): void {
    this.#metrics.authentication(this.#direction, method, 'failure')
  }

  refused(condition: string, reason: string): void {
    this.#log.event({
      event: 'stream.refused',
      direction: this.#direction,
      ...this.names,
      condition,
      reason,
      ...this.#from,
    })
  }

  note(reason: string): void {
    this.#log.info('peer noted', { direction: this.#direction, ...this.names, reason })
  }

  /** Our own code failed on what the peer sent. */
  broken(error: unknown): void {
    const fields = { direction: this.#direction, ...this.names, err: error }
    this.#log.error('a stream failed on an unexpected error', fields)
  }

  closed(reason: string): void {
    const isIn = this.#direction === 'in'
    this.#log.event({
      event: 'stream.closed',
      direction: this.#direction,
      ...this.names,
      reason,
      stanzasIn: isIn ? this.stanzas : 0,
      stanzasOut: isIn ? 0 : this.stanzas,
      ...this.#from,
    })
  }
}
