import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Proof } from '../identity/proof.ts'
import type { KeyRequest } from '../negotiation/dialback.ts'
import { advance, opened } from '../negotiation/inbound.ts'
import type {
  InboundAction,
  InboundContext,
  InboundEvent,
  InboundState,
} from '../negotiation/inbound-stream.ts'
import { readHeader } from '../negotiation/stream.ts'
import type { Admitted } from '../transport/listener.ts'
import type { SecuredSocket } from '../transport/tls.ts'
import { closeGraceMs, XmlStream } from '../transport/xml-stream.ts'
import { toElement } from '../xml/element.ts'
import type { HeaderSlice, Slice } from '../xml/reader.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { Why } from '../xmpp/reason.ts'
import { isStanzaKind } from '../xmpp/stanza.ts'
import { type StreamCondition, StreamError } from '../xmpp/stream-error.ts'
import { inboundContext } from './context.ts'
import type { Directory } from './directory.ts'
import { idle, stopped, unread, withoutTls } from './endings.ts'
import type { FederationEnvironment, StanzaSink } from './environment.ts'
import { IdleWatch } from './idle-watch.ts'
import type { KeyVerification } from './key-verification.ts'
import { StreamReport } from './stream-report.ts'

/** A stream that a partner opened to us, from the first byte to the last. */
export class InboundSession {
  readonly #environment: FederationEnvironment
  readonly #directory: Directory
  readonly #keys: KeyVerification
  readonly #admitted: Admitted
  readonly #context: InboundContext
  readonly #stream: XmlStream
  readonly #sink: StanzaSink
  readonly #abort = new AbortController()
  readonly #deadline: NodeJS.Timeout
  #idle: IdleWatch | undefined
  #state: InboundState
  readonly #report: StreamReport
  /** Why the stream must end at its next header: a limit was reached. */
  #refusal: Why | undefined
  #elements = 0

  /** @param secured what direct TLS has brought, where the listener is one for it (XEP-0368) */
  constructor(
    socket: Socket,
    secured: SecuredSocket | undefined,
    admitted: Admitted,
    parts: { environment: FederationEnvironment; directory: Directory; keys: KeyVerification },
    report = StreamReport.ofAccepted(admitted.address, parts.environment),
  ) {
    const { environment } = parts
    this.#environment = environment
    this.#directory = parts.directory
    this.#keys = parts.keys
    this.#admitted = admitted
    this.#context = inboundContext(environment)
    this.#refusal = admitted.refusal
    this.#report = report
    if (secured) this.#report.secured(secured)
    this.#state = opened(secured ? { secure: true, chain: secured.chain } : { secure: false })
    const { unauthenticatedBytes, depth } = environment.limits()
    const { streamEstablishmentMs, queueMs: stallMs } = environment.timeouts()
    this.#stream = new XmlStream(
      socket,
      { content: ns.server, limits: { elementBytes: unauthenticatedBytes, depth }, stallMs, closeGraceMs },
      {
        header: header => this.#header(header),
        element: slice => this.#element(slice),
        pausedReading: () => this.#sink.flush(),
        fault: error => this.#fault(error),
        ended: () => this.#ended(),
        drained: () => {},
        closed: error => this.#closed(error),
      },
    )
    this.#sink = environment.openSink(this.#stream)
    const sinceMs = performance.now() - admitted.acceptedMs // direct TLS took its time
    this.#deadline = setTimeout(() => this.#expire(), Math.max(0, streamEstablishmentMs - sinceMs))
    this.#directory.addInbound(this)
  }

  /** The pairs that the peer has proven. */
  get proofs(): readonly Proof[] {
    const known = this.#state.at === 'awaiting-header' ? this.#state.before : this.#state
    return known !== undefined && 'proofs' in known ? known.proofs : []
  }

  get isClosing(): boolean {
    return this.#stream.isClosing
  }

  get facts(): StreamReport['facts'] {
    return this.#report.facts
  }

  /** Closes the stream; `condition` tells the peer why, where there is something to tell. */
  close(condition: StreamCondition | undefined, why: Why): void {
    this.#report.ends(why)
    const isTrusted = this.proofs.length > 0 && this.#state.at !== 'awaiting-header'
    if (this.#state.at === 'securing') {
      if (condition !== undefined) this.#report.refused(condition, why)
      this.#drop(why.reason)
    }
    // A stop or an idle stream: what a trusted peer has sent before it reads our end is still taken.
    else if (condition === undefined || (condition === 'system-shutdown' && isTrusted))
      this.#stream.close(condition, why.reason)
    else this.#advance({ on: 'refuse', condition, ...why, streamId: newStreamId() })
  }

  /** Drops the connection: the time for closing in good order is over. */
  destroy(): void {
    this.#report.ends(stopped)
    this.#drop(stopped.reason)
  }

  #drop(reason: string): void {
    this.#abort.abort(new Error(reason))
    this.#stream.destroy(new Error(reason))
  }

  #header(header: HeaderSlice): void {
    const read = readHeader(header, ns.server)
    this.#report.streamId = newStreamId()
    this.#report.header(read, this.#context)
    this.#advance({ on: 'header', header: read, streamId: this.#report.streamId })
    if (this.proofs.length > 0) clearTimeout(this.#deadline)
    if (this.#refusal !== undefined) this.close('resource-constraint', this.#refusal)
  }

  #element(slice: Slice): void {
    if (slice.namespace === ns.server && isStanzaKind(slice.name)) {
      const proofs = this.proofs
      if (proofs.length === 0) return this.#advance({ on: 'stanza' })
      this.#report.stanzas++
      this.#sink.stanza(slice, proofs)
      return
    }
    this.#sink.flush()
    if (this.proofs.length === 0 && ++this.#elements > this.#environment.limits().unauthenticatedElements) {
      throw new StreamError('policy-violation', 'too many elements before authentication', {
        code: 'limit-elements',
      })
    }
    this.#advance({ on: 'element', element: toElement(slice, this.#stream.declarations) })
  }

  #advance(event: InboundEvent): void {
    const { state, actions } = advance(this.#state, event, this.#context)
    this.#state = state
    for (const action of actions) this.#perform(action)
  }

  #perform(action: InboundAction): void {
    switch (action.do) {
      case 'send':
        this.#stream.send(action.text)
        if (this.#stream.unsentBytes > this.#environment.limits().queueBytes)
          this.close('policy-violation', unread)
        return
      case 'restart':
        return this.#stream.restart()
      case 'secure':
        void this.#secure()
        return
      case 'ask':
        void this.#ask(action.request)
        return
      case 'prove':
        return this.#authenticated(action)
      case 'report':
        this.#report.failed(action.method)
        return this.#report.refused('not-authorized', action, action.pair)
      case 'note':
        return this.#report.note(action.reason, action.code)
      case 'tell':
        return this.#report.tell(action.step)
      case 'close':
        this.#report.ends(action)
        if (action.condition !== undefined) this.#report.refused(action.condition, action)
        return this.#stream.close(action.condition, action.condition && action.reason)
    }
  }

  async #secure(): Promise<void> {
    try {
      const { tls } = this.#environment
      const options = {
        directTls: false,
        signal: this.#abort.signal,
        local: this.#report.names.local ?? undefined,
      }
      const secured = await this.#stream.secure(socket => tls.accept(socket, options))
      this.#report.secured(secured)
      this.#advance({ on: 'secured', chain: secured.chain })
    } catch (error) {
      // `closed` follows. Where it was we who gave up, it is known why.
      if (this.#abort.signal.aborted) return
      const why = withoutTls(error)
      this.#report.ends(why)
      this.#report.refused('policy-violation', why)
    }
  }

  async #ask(request: KeyRequest): Promise<void> {
    try {
      this.#report.tell({ step: 'dialback', leg: 'us-ask', outcome: null })
      const answer = await this.#keys.verify(request)
      const outcome = answer.outcome === 'error' ? answer.condition : answer.outcome
      this.#report.tell({ step: 'dialback', leg: 'authority-answer', outcome })
      this.#advance({ on: 'key-answer', pair: request, streamId: request.streamId, answer })
    } catch (error) {
      this.#report.broken(error)
      this.#drop('an unexpected error')
    }
  }

  #authenticated({ proof, certificate }: InboundAction & { do: 'prove' }): void {
    const { remote, method } = proof
    if (this.#idle === undefined) {
      this.#trust()
      const refusal = this.#directory.refusalFor(remote)
      // After SASL the peer's new header is due: the error follows the answer to that.
      if (refusal !== undefined && this.#state.at === 'awaiting-header') this.#refusal = refusal
      else if (refusal !== undefined) return this.close('resource-constraint', refusal)
    }
    this.#report.authenticated(proof, method, certificate)
    this.#environment.authenticated(remote, 'in')
    this.#directory.heardFrom(remote)
  }

  /** The first pair is proven: the bounds for strangers hold no longer. */
  #trust(): void {
    // After SASL the peer's new header is still due in time.
    if (this.#state.at !== 'awaiting-header') clearTimeout(this.#deadline)
    this.#admitted.authenticated()
    const { stanzaBytes, depth } = this.#environment.limits()
    this.#stream.limits = { elementBytes: stanzaBytes, depth }
    const { inactivityMs } = this.#environment.timeouts()
    this.#idle = new IdleWatch(
      inactivityMs,
      () => this.#stream.lastReadMs,
      () => this.close(undefined, idle),
    )
    this.#report.established()
  }

  #fault(error: StreamError): void {
    if (error.condition === 'internal-server-error') this.#report.broken(error.cause)
    if (this.#state.at === 'awaiting-header') {
      this.#advance({
        on: 'refuse',
        condition: error.condition,
        code: error.code,
        reason: error.message,
        streamId: newStreamId(),
      })
      return
    }
    const why = { code: error.code, reason: error.message }
    this.#report.ends(why)
    this.#report.refused(error.condition, why)
    this.#state = { at: 'closed' }
    this.#stream.close(error.condition, error.message, error.detail)
  }

  #ended(): void {
    this.#report.ends(this.#report.left('closed by the peer'))
    this.#stream.close()
  }

  #expire(): void {
    if (this.#stream.isClosing) return
    const { streamEstablishmentMs } = this.#environment.timeouts()
    const code = this.#report.overdue
    this.close('connection-timeout', {
      code,
      reason: `not authenticated within ${streamEstablishmentMs / 1000} s`,
    })
  }

  #closed(error: Error | undefined): void {
    clearTimeout(this.#deadline)
    this.#idle?.stop()
    this.#abort.abort(new Error('the connection was lost'))
    this.#state = { at: 'closed' }
    this.#directory.removeInbound(this)
    const lost = this.#report.lost(error, 'connection closed by the peer')
    this.#report.closed(lost, this.#admitted.hasSpoken())
  }
}

/** 128 random bits: nobody may guess the id of another's stream (contract §5). */
function newStreamId(): string {
  return randomBytes(16).toString('hex')
}
