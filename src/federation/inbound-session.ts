import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { isDialbackKey } from '../identity/dialback-key.ts'
import type { Proof } from '../identity/proof.ts'
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
import { type Domain, toUnicode } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import { isStanzaKind } from '../xmpp/stanza.ts'
import { type StreamCondition, StreamError } from '../xmpp/stream-error.ts'
import type { Directory } from './directory.ts'
import type { FederationEnvironment, StanzaSink } from './environment.ts'
import { IdleWatch } from './idle-watch.ts'
import type { KeyVerification } from './key-verification.ts'

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
  #tls: Pick<SecuredSocket, 'version' | 'cipher'> | null
  #streamId = ''
  #names: { local: Domain | null; remote: Domain | null } = { local: null, remote: null }
  #elements = 0
  #stanzas = 0
  #reason: string | undefined
  readonly #openedMs = performance.now()

  /** @param secured what direct TLS has brought, where the listener is one for it (XEP-0368) */
  constructor(
    socket: Socket,
    secured: SecuredSocket | undefined,
    admitted: Admitted,
    parts: { environment: FederationEnvironment; directory: Directory; keys: KeyVerification },
  ) {
    const { environment } = parts
    this.#environment = environment
    this.#directory = parts.directory
    this.#keys = parts.keys
    this.#admitted = admitted
    this.#context = contextOf(environment)
    this.#tls = secured ? { version: secured.version, cipher: secured.cipher } : null
    this.#state = opened(secured ? { secure: true, chain: secured.chain } : { secure: false })
    const { unauthenticatedBytes, depth } = environment.limits()
    this.#stream = new XmlStream(
      socket,
      { content: ns.server, limits: { elementBytes: unauthenticatedBytes, depth }, closeGraceMs },
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
    const { streamEstablishmentMs } = environment.timeouts()
    this.#deadline = setTimeout(() => this.#expire(), streamEstablishmentMs)
    this.#directory.addInbound(this)
  }

  /** The pairs that the peer has proven. */
  get proofs(): readonly Proof[] {
    const known = this.#state.at === 'awaiting-header' ? this.#state.before : this.#state
    return known !== undefined && 'proofs' in known ? known.proofs : []
  }

  /** Closes the stream; `condition` tells the peer why, where there is something to tell. */
  close(condition: StreamCondition | undefined, reason: string): void {
    this.#reason ??= reason
    const isTrusted = this.proofs.length > 0 && this.#state.at !== 'awaiting-header'
    if (this.#state.at === 'securing') this.#abort.abort(new Error(reason))
    // A stop or an idle stream: what a trusted peer has sent before it reads our end is still taken.
    else if (condition === undefined || (condition === 'system-shutdown' && isTrusted))
      this.#stream.close(condition, reason)
    else this.#advance({ on: 'refuse', condition, reason })
  }

  /** Drops the connection: the time for closing in good order is over. */
  destroy(): void {
    this.#stream.destroy(new Error('the gateway stops'))
  }

  #header(header: HeaderSlice): void {
    const read = readHeader(header, ns.server)
    this.#streamId = randomBytes(16).toString('hex')
    this.#names = {
      local: known(read.to) ?? this.#names.local,
      remote: known(read.from) ?? this.#names.remote,
    }
    this.#advance({ on: 'header', header: read, streamId: this.#streamId })
    const { refusal } = this.#admitted
    if (refusal !== undefined && this.proofs.length === 0) this.close('resource-constraint', refusal)
  }

  #element(slice: Slice): void {
    if (slice.namespace === ns.server && isStanzaKind(slice.name)) {
      const proofs = this.proofs
      if (proofs.length === 0) return this.#advance({ on: 'stanza' })
      this.#stanzas++
      this.#sink.stanza(slice, proofs)
      return
    }
    this.#sink.flush()
    if (this.proofs.length === 0 && ++this.#elements > this.#environment.limits().unauthenticatedElements) {
      throw new StreamError('policy-violation', 'too many elements before authentication')
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
        // Whoever asks on and on and reads no answer would make us keep them all.
        if (this.#stream.unsentBytes > this.#environment.limits().queueBytes)
          this.close('policy-violation', 'the peer does not read what it asked for')
        return
      case 'restart':
        return this.#stream.restart()
      case 'secure':
        void this.#secure()
        return
      case 'ask':
        void this.#keys.verify(action.request).then(answer => {
          this.#advance({ on: 'key-answer', pair: action.request, streamId: action.request.streamId, answer })
        })
        return
      case 'prove':
        return this.#authenticated(action)
      case 'report':
        this.#environment.metrics.authentication('in', action.method, 'failure')
        return this.#logRefusal('not-authorized', action.reason)
      case 'note':
        return this.#environment.log.info('peer ignored', {
          ...this.#names,
          direction: 'in',
          reason: action.reason,
        })
      case 'close':
        this.#reason ??= action.reason
        if (action.condition !== undefined) this.#logRefusal(action.condition, action.reason)
        return this.#stream.close(action.condition, action.condition && action.reason)
    }
  }

  async #secure(): Promise<void> {
    try {
      const { tls } = this.#environment
      const { signal } = this.#abort
      const secured = await this.#stream.secure(socket => tls.accept(socket, { directTls: false, signal }))
      this.#tls = { version: secured.version, cipher: secured.cipher }
      this.#advance({ on: 'secured', chain: secured.chain })
    } catch (error) {
      // The connection is closed already; `closed` follows or has been.
      this.#logRefusal('policy-violation', `TLS failed: ${error instanceof Error ? error.message : error}`)
    }
  }

  #authenticated({ proof, certificate }: InboundAction & { do: 'prove' }): void {
    const { environment } = this
    const { local, remote, method } = proof
    const isFirst = this.#idle === undefined
    environment.metrics.authentication('in', method, 'success')
    if (isFirst) {
      clearTimeout(this.#deadline)
      this.#admitted.authenticated()
      const { stanzaBytes, depth } = environment.limits()
      this.#stream.limits = { elementBytes: stanzaBytes, depth }
      const { inactivityMs } = environment.timeouts()
      this.#idle = new IdleWatch(
        inactivityMs,
        () => this.#stream.lastReadMs,
        () => this.close(undefined, 'idle'),
      )
      environment.metrics.observe(
        'gatehouse_stream_establishment_seconds',
        (performance.now() - this.#openedMs) / 1000,
      )
    }
    const refusal = this.#directory.refusalFor(remote)
    if (isFirst && refusal !== undefined) return this.close('resource-constraint', refusal)
    this.#names = { local, remote }
    const id = this.#streamId
    environment.log.event({
      event: 'stream.authenticated',
      direction: 'in',
      local,
      remote,
      method,
      tls: this.#tls,
      certificate,
      id,
    })
    this.#directory.heardFrom(remote)
  }

  get environment(): FederationEnvironment {
    return this.#environment
  }

  #fault(error: StreamError): void {
    if (error.condition === 'internal-server-error') {
      this.#environment.log.error('a stream failed on an unexpected error', {
        ...this.#names,
        err: error.cause,
      })
    }
    if (this.#state.at === 'awaiting-header') {
      this.#advance({ on: 'refuse', condition: error.condition, reason: error.message })
      return
    }
    this.#reason ??= error.message
    this.#logRefusal(error.condition, error.message)
    this.#state = { at: 'closed' }
    this.#stream.close(error.condition, error.message, error.detail)
  }

  #ended(): void {
    this.#reason ??= 'closed by the peer'
    this.#stream.close()
  }

  #expire(): void {
    const { streamEstablishmentMs } = this.#environment.timeouts()
    const reason = `not authenticated within ${streamEstablishmentMs / 1000} s`
    this.close('connection-timeout', reason)
  }

  #closed(error: Error | undefined): void {
    clearTimeout(this.#deadline)
    this.#idle?.stop()
    this.#abort.abort(new Error('the connection was lost'))
    this.#state = { at: 'closed' }
    this.#directory.removeInbound(this)
    this.#environment.log.event({
      event: 'stream.closed',
      direction: 'in',
      ...this.#names,
      reason: this.#reason ?? (error ? `connection lost: ${error.message}` : 'connection closed by the peer'),
      stanzasIn: this.#stanzas,
      stanzasOut: 0,
    })
  }

  #logRefusal(condition: StreamCondition, reason: string): void {
    this.#environment.log.event({
      event: 'stream.refused',
      direction: 'in',
      ...this.#names,
      condition,
      reason,
    })
  }
}

function contextOf(environment: FederationEnvironment): InboundContext {
  return {
    get mainDomain() {
      return environment.mainDomain()
    },
    isLocal: environment.isLocal,
    termsFor: domain => environment.peerFor(domain)?.terms,
    get anyTerms() {
      return environment.anyTerms()
    },
    judge: (chain, domain) => environment.judge(chain, domain, 'in'),
    isOurKey: ({ receiving, originating, streamId }, key) => {
      const binding = { receiving: toUnicode(receiving), originating: toUnicode(originating), streamId }
      return isDialbackKey(environment.dialbackSecret(), binding, key)
    },
    get replyToInvalidKey() {
      return environment.replyToInvalidKey()
    },
    get limits() {
      return {
        stanzaBytes: environment.limits().stanzaBytes,
        idleMs: environment.timeouts().inactivityMs,
      }
    },
  }
}

function known(domain: Domain | 'invalid' | undefined): Domain | undefined {
  return domain === 'invalid' ? undefined : domain
}
