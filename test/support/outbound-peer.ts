import { expect } from 'vitest'
import { advance } from '../../src/negotiation/outbound.ts'
import type {
  OutboundAction,
  OutboundContext,
  OutboundEvent,
  OutboundFailure,
  OutboundState,
} from '../../src/negotiation/outbound-stream.ts'
import { readHeader, type Terms } from '../../src/negotiation/stream.ts'
import { toElement } from '../../src/xml/element.ts'
import { Reader } from '../../src/xml/reader.ts'
import type { ReasonCode } from '../../src/xmpp/reason.ts'
import type { StreamCondition } from '../../src/xmpp/stream-error.ts'
import { certificateFor, domain, headerText, judgeByName } from './inbound-peer.ts'

/** What the gateway wants of the partner. */
export type OutboundOptions = {
  readonly purpose?: OutboundContext['purpose']
  readonly tryExternal?: boolean
  /** The pair; contoso.com and fabrikam.com by default. */
  readonly local?: string
  readonly remote?: string
}

/** A partner that the gateway opens a stream to, played against the pure machine. Our key for its stream id X is `key:X`. */
export class OutboundPeer {
  readonly #context: OutboundContext
  #state: OutboundState = { at: 'connecting' }
  #reader = this.#newReader()
  #heard: OutboundAction[] = []
  #streams = 0

  constructor(terms: Terms, options: OutboundOptions = {}) {
    const remote = domain(options.remote ?? 'fabrikam.com')
    this.#context = {
      local: domain(options.local ?? 'contoso.com'),
      remote,
      terms,
      purpose: options.purpose ?? 'stanzas',
      tryExternal: options.tryExternal ?? true,
      judge: chain => judgeByName(chain, remote),
      keyFor: streamId => `key:${streamId}`,
    }
  }

  /** Takes the connection; with direct TLS where it shows a certificate for these domains (none: an empty list). */
  accepts(certificate?: readonly string[]): void {
    const channel =
      certificate === undefined
        ? { secure: false as const }
        : { secure: true as const, chain: certificate.length === 0 ? [] : [certificateFor(...certificate)] }
    this.#advance({ on: 'connected', channel })
  }

  /** Answers our header, which must have come; the ids are r1, r2, … unless `attributes` say otherwise. */
  opens(attributes: Record<string, string | undefined> = {}): void {
    this.receives(ourHeader(this.#context.local, this.#context.remote))
    const id = `r${++this.#streams}`
    this.sends(headerText({ from: 'fabrikam.com', to: 'contoso.com', id, version: '1.0', ...attributes }))
  }

  offers(...features: readonly string[]): void {
    this.sends(`<stream:features>${features.join('')}</stream:features>`)
  }

  sends(text: string): void {
    this.#reader.write(Buffer.from(text))
    if (this.#state.at === 'awaiting-pause') this.#advance({ on: 'paused' })
  }

  /** Completes the TLS handshake, with a certificate for these domains; with none where there are none. */
  secures(...domains: readonly string[]): void {
    expect(this.#take('secure'), 'the gateway starts TLS').toHaveLength(1)
    this.#reader = this.#newReader()
    this.#advance({ on: 'secured', chain: domains.length === 0 ? [] : [certificateFor(...domains)] })
  }

  /** The connection is gone. */
  breaks(reason = 'connection lost', code: ReasonCode = 'connection-lost'): void {
    this.#advance({ on: 'lost', code, reason })
  }

  /** The codes of the failures until now. */
  get failureCodes(): readonly ReasonCode[] {
    return this.#take('fail').map(({ failure }) => failure.code)
  }

  /** The gateway wants a key verified by this authoritative server. */
  isAskedToVerify(streamId: string, key: string): void {
    const { local, remote } = this.#context
    this.#advance({ on: 'verify', request: { local, remote, streamId, key } })
  }

  /** Has been sent just this since the last time, and nothing else. */
  receives(...texts: readonly string[]): void {
    const sent = this.#take('send').map(({ text }) => text)
    expect(sent.join('')).toBe(texts.join(''))
  }

  receivesNothing(): void {
    this.receives()
  }

  /** The stream is up: we are authenticated by this method, under a certificate of this standing. */
  isTrustedBy(method: string, certificate: string): void {
    expect(this.#take('authenticated')).toEqual([{ do: 'authenticated', method, certificate }])
    expect(this.#state).toEqual({ at: 'authenticated' })
  }

  /** The stream is up, for verification alone. */
  isReady(): void {
    expect(this.#take('ready')).toHaveLength(1)
    expect(this.#take('authenticated')).toEqual([])
  }

  /** The attempt failed like this, and the stream was closed, with this stream error where there is one. */
  isGivenUp(reason: RegExp, failure: Partial<OutboundFailure> = {}, streamError?: StreamCondition): void {
    expect(this.#take('fail').map(action => action.failure)).toEqual([
      {
        condition: 'remote-server-timeout',
        retryWithoutExternal: false,
        method: undefined,
        isUnknownHost: false,
        end: { code: expect.stringMatching(/./), reason: expect.stringMatching(/./) },
        ...failure,
        code: expect.stringMatching(/./),
        reason: expect.stringMatching(reason),
      },
    ])
    expect(this.#take('close').map(({ condition }) => condition)).toEqual([streamError])
    expect(this.#state).toEqual({ at: 'closed' })
    this.receivesNothing()
  }

  /** What the log is told: methods that failed while others follow, and what was ignored. */
  isReported(...reasons: readonly RegExp[]): void {
    const told = [...this.#take('report'), ...this.#take('note')].map(({ reason }) => reason)
    expect(told).toEqual(reasons.map(reason => expect.stringMatching(reason)))
  }

  /** What became of verifications: `local remote id outcome`. */
  hasAnswered(...answers: readonly string[]): void {
    const given = this.#take('key-answer').map(({ pair, streamId, answer }) => {
      const condition = answer.outcome === 'error' ? ` ${answer.condition}` : ''
      return `${pair.local} ${pair.remote} ${streamId} ${answer.outcome}${condition}`
    })
    expect(given).toEqual(answers)
  }

  isOpen(): void {
    expect([...this.#take('fail'), ...this.#take('close')]).toEqual([])
    expect(this.#state.at).not.toBe('closed')
  }

  #newReader(): Reader {
    return new Reader(
      'jabber:server',
      {
        header: header => this.#advance({ on: 'header', header: readHeader(header, 'jabber:server') }),
        element: slice => {
          const isStanza = slice.namespace === 'jabber:server' && /^(message|presence|iq)$/.test(slice.name)
          if (isStanza) this.#advance({ on: 'stanza' })
          else this.#advance({ on: 'element', element: toElement(slice, this.#reader.declarations) })
        },
        end: () => {},
      },
      { elementBytes: 16384, depth: 64 },
    )
  }

  #advance(event: OutboundEvent): void {
    const { state, actions } = advance(this.#state, event, this.#context)
    this.#state = state
    this.#heard.push(...actions)
    if (actions.some(action => action.do === 'restart')) this.#reader.restart()
    if (actions.some(action => action.do === 'secure')) this.#reader.stop()
  }

  #take<Do extends OutboundAction['do']>(what: Do): (OutboundAction & { do: Do })[] {
    const isIt = (action: OutboundAction): action is OutboundAction & { do: Do } => action.do === what
    const taken = this.#heard.filter(isIt)
    this.#heard = this.#heard.filter(action => !isIt(action))
    return taken
  }
}

/** The header with which the gateway opens a stream. */
function ourHeader(local: string, remote: string): string {
  return `<?xml version='1.0'?>${headerText({ from: local, to: remote, version: '1.0' })}`
}
