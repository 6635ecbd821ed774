import { randomBytes } from 'node:crypto'
import type { Certificate } from '../identity/certificate.ts'
import type { CertificateStanding } from '../identity/proof.ts'
import type { CertificateVerdict } from '../identity/verdict.ts'
import type { InboundContext } from '../negotiation/inbound-stream.ts'
import type { Method, Pair, StreamHeader } from '../negotiation/stream.ts'
import { Attempt } from '../telemetry/attempt.ts'
import type { Direction } from '../telemetry/events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { SecuredSocket } from '../transport/tls.ts'
import type { Domain } from '../xmpp/address.ts'
import type { AttemptStep } from '../xmpp/attempt.ts'
import { isFailure, type ReasonCode, type Why } from '../xmpp/reason.ts'
import { certificateStep } from './certificate-step.ts'
import { brokenBy, wordless } from './endings.ts'
import type { FederationEnvironment } from './environment.ts'
import type { Names, StreamFacts } from './stream-facts.ts'

const drawn = randomBytes(4).toString('hex')
let opened = 0

/** What the log, the metrics, the journal and operators are told of one stream (contract §8). */
export class StreamReport {
  readonly #direction: Direction
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #from: { readonly address?: string }
  readonly #attempt: Attempt
  readonly #id = `${drawn}-${++opened}`
  readonly #address: string | null
  #certificate: CertificateStanding | null = null
  readonly #counted = new Set<string>()
  #names: Names = { local: null, remote: null }
  /** What was tried in vain, the last of it; why nothing came of the stream, if nothing does. */
  #failure: Why | undefined
  /** What is wrong with the certificate of a peer that has not tried to authenticate by it. */
  #flaw: Why | undefined
  #why: Why | undefined
  #chain: readonly Certificate[] | undefined
  #isUp = false
  /** Nobody has authenticated, and yet the peer has got what it came for: the answer to a question about a key. */
  #hasServed = false
  tls: { readonly version: string; readonly cipher: string } | null = null
  /** The id of the stream, given by its receiving side. */
  streamId = ''
  /** Stanzas that came or went on it. */
  stanzas = 0

  /** Of a stream that somebody opens to us. */
  static ofAccepted(
    address: string,
    environment: Pick<FederationEnvironment, 'log' | 'metrics' | 'record'>,
  ): StreamReport {
    const about = { direction: 'in', purpose: 'stanzas', local: null, remote: null } as const
    const report = new StreamReport('in', environment, new Attempt(about, environment), address)
    report.tell({ step: 'accepted', address })
    return report
  }

  /** @param address where the peer is; the log tells it of streams that the peer opened */
  constructor(
    direction: Direction,
    telemetry: { readonly log: Log; readonly metrics: Metrics },
    attempt: Attempt,
    address: string | undefined,
  ) {
    this.#direction = direction
    this.#address = address ?? null
    this.#from = direction === 'out' || address === undefined ? {} : { address }
    this.#log = telemetry.log
    this.#metrics = telemetry.metrics
    this.#attempt = attempt
  }

  get facts(): StreamFacts {
    return {
      id: this.#id,
      direction: this.#direction,
      names: this.names,
      tls: this.tls,
      certificate: this.#certificate,
      address: this.#address,
      since: this.#attempt.started,
      soFar: this.#cause ?? null,
      hasServed: this.#hasServed,
      stanzas: this.stanzas,
    }
  }

  /** The domains of the stream, as far as they are known. */
  get names(): Names {
    return this.#names
  }

  set names(names: Names) {
    this.#names = names
    if (!this.#attempt.isOver) this.#attempt.names = names
  }

  /** What it is when the time for authentication is over: mostly, something went wrong before. */
  get overdue(): ReasonCode {
    return this.#cause?.code ?? (this.#hasServed ? 'idle' : 'establishment-timeout')
  }

  /** Something for the journal alone. */
  tell(step: AttemptStep): void {
    this.#attempt.tell(step)
    // To be idle, or to meet a stop, is no failure of who has got the answer that it came for.
    if (step.step === 'failed' && isFailure(step.code)) this.#remember(step)
    if (step.step !== 'dialback' || step.leg !== 'peer-ask' || this.#isUp) return
    this.#hasServed = true
    this.#attempt.authenticated(null)
  }

  secured({ version, cipher, chain }: Pick<SecuredSocket, 'version' | 'cipher' | 'chain'>): void {
    this.tls = { version, cipher }
    this.tell({ step: 'tls', version, cipher })
    this.#chain = chain
  }

  /** The peer has opened a stream, and may have said who it is. Strangers are not judged at all. */
  header({ from, to }: StreamHeader, context: Pick<InboundContext, 'judge' | 'termsFor'>): void {
    const { local, remote } = this.#names
    this.names = { local: known(to) ?? local, remote: known(from) ?? remote }
    this.tell({ step: 'header', from: from ?? null, to: to ?? null })
    const named = this.#names.remote
    if (named !== null && context.termsFor(named) !== undefined)
      this.certificate(chain => context.judge(chain, named))
  }

  /** Tells what the peer has shown under TLS, once, as soon as it is known for whom. */
  certificate(judge: (chain: readonly Certificate[]) => CertificateVerdict): void {
    if (this.#chain === undefined) return
    const verdict = judge(this.#chain)
    this.tell(certificateStep(this.#chain, verdict))
    if (verdict.valid) this.#attempt.proven()
    this.#chain = undefined
  }

  authenticated(pair: Pair, method: Method, certificate: CertificateStanding): void {
    const { local, remote } = pair
    this.names = { local, remote }
    this.#certificate = certificate
    this.#isUp = true
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
    this.tell({ step: 'authenticated', method, local, remote })
    this.#attempt.authenticated(method)
  }

  /** The stream is up, to ask about keys. */
  ready(): void {
    this.#isUp = true
    this.#attempt.authenticated(null)
  }

  /** The stream is up for stanzas, for the first time: so long after the peer connected, or we began to look for its server. */
  established(): void {
    const seconds = (performance.now() - this.#attempt.startedMs) / 1000
    this.#metrics.observe('gatehouse_stream_establishment_seconds', seconds)
  }

  /** One way to authenticate failed. */
  failed(method: Method): void {
    this.#metrics.authentication(this.#direction, method, 'failure')
  }

  /** @param pair where one of several pairs was refused, that one: it says nothing about the others */
  refused(condition: string, { code, reason }: Why, pair?: Pair): void {
    const { local, remote } = pair ?? this.#names
    if (this.#names.remote === null) this.names = { local, remote }
    const isAnother = local !== this.#names.local || remote !== this.#names.remote
    this.#log.event({
      event: 'stream.refused',
      direction: this.#direction,
      local,
      remote,
      condition,
      code,
      reason,
      ...this.#from,
    })
    this.#count(code, isAnother ? `${local} ${remote}` : '')
    if (!isAnother || local === null || remote === null) return this.tell({ step: 'failed', code, reason })
    this.#attempt.tell({ step: 'failed', code, reason })
    const attempt = this.#attempt.ofAnother({ local, remote })
    if (this.#address !== null) attempt.tell({ step: 'accepted', address: this.#address })
    attempt.failed({ code, reason })
  }

  /** With a code where that may be why nothing comes of the stream. */
  note(reason: string, code?: ReasonCode): void {
    const fields = { direction: this.#direction, ...this.#names, ...(code && { code }), reason }
    this.#log.info('peer noted', fields)
    if (code === undefined) return this.tell({ step: 'note', reason })
    if (!code.startsWith('certificate-')) return this.tell({ step: 'failed', code, reason })
    this.#attempt.tell({ step: 'failed', code, reason })
    this.#flaw = { code, reason }
  }

  /** Our own code failed on what the peer sent. */
  broken(error: unknown): void {
    const fields = { direction: this.#direction, ...this.#names, err: error }
    this.#log.error('a stream failed on an unexpected error', fields)
  }

  /** Takes note of why the stream is going to end; the first reason counts. */
  ends({ code, reason }: Why): void {
    // A server that is stopped in good order fails only whoever has come in vain.
    this.#why ??= code === 'peer-stopping' && this.#isOfUse ? this.left(reason) : { code, reason }
  }

  /** What it is when the peer ends the stream. */
  left(reason: string): Why {
    return { code: this.#isOfUse ? 'peer-closed' : 'peer-left', reason }
  }

  /** The peer has got what it came for, or we have. */
  get #isOfUse(): boolean {
    return this.#isUp || this.#hasServed
  }

  /** What it is when the connection ends; `reason` where it does so in good order. */
  lost(error: Error | undefined, reason: string): Why {
    return error === undefined ? this.left(reason) : brokenBy(error)
  }

  /**
   * The stream is gone. Of one that was never up, what went wrong before tells more than how it ended.
   * @param lost how the connection ended, where nothing has been noted before; `hasSpoken`, whether anything was read of the peer
   */
  closed(lost: Why, hasSpoken = true): void {
    const isIn = this.#direction === 'in'
    const why = this.#why ?? lost
    const cause = this.#cause
    const { code } = cause ?? why
    if (!hasSpoken && (code === 'peer-left' || code === 'connection-lost'))
      return this.#log.debug(wordless, { remoteAddress: this.#address })
    this.#log.event({
      event: 'stream.closed',
      direction: this.#direction,
      ...this.#names,
      code,
      reason: why.reason,
      stanzasIn: isIn ? this.stanzas : 0,
      stanzasOut: isIn ? 0 : this.stanzas,
      ...this.#from,
    })
    // Who does not get as far as a name has looked what listens here, as balancers do.
    if (code === 'peer-left' && this.#names.local === null && this.#names.remote === null) return
    this.#count(code)
    if (isIn || this.#isUp) this.#attempt.ended(why)
    if (isIn && !this.#isUp && (cause !== undefined || !this.#hasServed)) this.#attempt.failed(cause ?? why)
  }

  /** Why nobody was authenticated; who has only asked about a key needs no certificate for that. */
  get #cause(): Why | undefined {
    if (this.#isUp) return undefined
    const isDriven = this.#failure?.code === 'dialback-not-permitted'
    if (isDriven || (this.#failure === undefined && !this.#hasServed)) return this.#flaw ?? this.#failure
    return this.#failure
  }

  /** Of several reasons the last one counts; but who tries dialback in vain has mostly been driven to it by his certificate. */
  #remember(why: Why): void {
    const isDriven = this.#failure?.code.startsWith('certificate-') && why.code === 'dialback-not-permitted'
    if (!isDriven) this.#failure = why
  }

  /** One stream counts once for each reason, and once for each other pair on it; an end in good order is no failure. */
  #count(code: ReasonCode, another = ''): void {
    const key = `${code} ${another}`
    if (!isFailure(code) || this.#counted.has(key)) return
    this.#counted.add(key).add(`${code} `)
    this.#metrics.failure(this.#direction, code)
  }
}

function known(domain: Domain | 'invalid' | undefined): Domain | undefined {
  return domain === 'invalid' ? undefined : domain
}
