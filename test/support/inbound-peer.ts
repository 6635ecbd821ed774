import { expect } from 'vitest'
import type { Certificate } from '../../src/identity/certificate.ts'
import type { KeyAnswer, KeyRequest } from '../../src/negotiation/dialback.ts'
import { unionOf } from '../../src/negotiation/features.ts'
import { advance, opened } from '../../src/negotiation/inbound.ts'
import type {
  InboundAction,
  InboundContext,
  InboundEvent,
  InboundState,
} from '../../src/negotiation/inbound-stream.ts'
import { type Channel, readHeader, type Terms } from '../../src/negotiation/stream.ts'
import { toElement } from '../../src/xml/element.ts'
import { Reader } from '../../src/xml/reader.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'
import type { StanzaCondition } from '../../src/xmpp/stanza-error.ts'
import type { StreamCondition } from '../../src/xmpp/stream-error.ts'

/** A domain, of a text that must be one. */
export const domain = (text: string): Domain => parseDomain(text) ?? expect.fail(`${text} is no domain`)

/** A certificate that the tests' judge takes for a valid one for these domains. */
export const certificateFor = (...domains: string[]): Certificate =>
  ({ names: { dns: domains, srv: [], xmpp: [] } }) as unknown as Certificate

/** The tests' judge: a certificate is valid for the domains it was made for. */
export const judgeByName: InboundContext['judge'] = ([leaf], of) => {
  if (leaf?.names.dns.includes(of)) return { valid: true }
  const reason = `the certificate is not for ${of}`
  const fault = { fault: 'wrong-name', code: 'certificate-wrong-name', reason } as const
  return { valid: false, ...fault, faults: [fault] }
}

export const streamNamespace = 'http://etherx.jabber.org/streams'

/** A stream header as a peer writes it; what is undefined is left out. */
export function headerText(attributes: Readonly<Record<string, string | undefined>>): string {
  const all = {
    xmlns: 'jabber:server',
    'xmlns:stream': streamNamespace,
    'xmlns:db': 'jabber:server:dialback',
    ...attributes,
  }
  const written = Object.entries(all).map(([name, value]) =>
    value === undefined ? '' : ` ${name}='${value}'`,
  )
  return `<stream:stream${written.join('')}>`
}

/** Features as the gateway writes them: these, and the limits of XEP-0478. */
export function featuresText(...features: readonly string[]): string {
  const limits = '<max-bytes>262144</max-bytes><idle-seconds>1800</idle-seconds>'
  return `<stream:features>${features.join('')}<limits xmlns='urn:xmpp:stream-limits:0'>${limits}</limits></stream:features>`
}

/** What a test's gateway is like; by default it serves contoso.com, and knows fabrikam.com under `terms`. */
export type InboundOptions = {
  readonly partners?: Readonly<Record<string, Terms>>
  readonly replyToInvalidKey?: boolean
  /** The one key that this gateway would have made. */
  readonly ourKey?: string
  /** Direct TLS (XEP-0368): the stream begins secured, with a certificate for these domains. */
  readonly directTls?: readonly string[]
}

/** A partner that opens a stream to the gateway, played against the pure machine. */
export class InboundPeer {
  readonly #context: InboundContext
  #state: InboundState
  #reader = this.#newReader()
  #heard: InboundAction[] = []
  #asked: KeyRequest[] = []
  #streams = 0
  readonly #localDomains = ['contoso.com', 'it.contoso.com'].map(domain)
  readonly #partners: Map<Domain, Terms>

  constructor(terms: Terms, options: InboundOptions = {}) {
    const partners = new Map(
      Object.entries(options.partners ?? { 'fabrikam.com': terms }).map(([name, of]) => [domain(name), of]),
    )
    this.#partners = partners
    this.#context = {
      mainDomain: domain('contoso.com'),
      isLocal: of => this.#localDomains.includes(of),
      termsFor: of => this.#partners.get(of),
      anyTerms: partners.size === 0 ? undefined : unionOf([...partners.values()]),
      judge: judgeByName,
      isOurKey: ({ receiving, originating, streamId }, key) =>
        key === (options.ourKey ?? `key of ${originating} for ${receiving} on ${streamId}`),
      replyToInvalidKey: options.replyToInvalidKey ?? true,
      limits: { stanzaBytes: 262144, idleMs: 1_800_000 },
    }
    this.#state = opened(options.directTls ? channelFor(options.directTls) : { secure: false })
  }

  /** Opens a stream, as version 1.0 unless `attributes` say otherwise; the gateway gives it id s1, s2, … */
  opens(from?: string, to?: string, attributes: Record<string, string | undefined> = {}): void {
    this.sends(headerText({ from, to, version: '1.0', ...attributes }))
  }

  /** Sends XML. */
  sends(text: string): void {
    this.#reader.write(Buffer.from(text))
  }

  /** Completes the TLS handshake, with a certificate for these domains; with none where there are none. */
  secures(...domains: readonly string[]): void {
    expect(this.#take('secure'), 'the gateway starts TLS').toHaveLength(1)
    this.#reader = this.#newReader()
    const channel = channelFor(domains)
    this.#advance({ on: 'secured', chain: channel.secure ? channel.chain : [] })
  }

  /** Has been sent just this since the last time, and nothing else. */
  receives(...texts: readonly string[]): void {
    expect(this.#sent()).toBe(texts.join(''))
  }

  /** Like `receives`, for what comes behind a stream header. */
  receivesFeatures(...features: readonly string[]): void {
    const behindHeader = this.#sent().replace(/^<\?xml version='1.0'\?><stream:stream [^>]*>/, '')
    expect(behindHeader).toBe(featuresText(...features))
  }

  receivesNothing(): void {
    this.receives()
  }

  /** The authoritative server was asked just these questions since the last time. */
  hasChecked(...requests: readonly { from: string; to: string; key: string; streamId: string }[]): void {
    const asked = this.#take('ask').map(({ request }) => request)
    this.#asked.push(...asked)
    expect(asked.map(({ remote, local, ...rest }) => ({ from: remote, to: local, ...rest }))).toEqual(
      requests,
    )
  }

  /** The authoritative server of a domain answers about the key of a pair. */
  isVouchedFor(
    outcome: 'valid' | 'invalid' | StanzaCondition,
    from = 'fabrikam.com',
    to = 'contoso.com',
  ): void {
    const at = this.#asked.findIndex(({ remote, local }) => remote === from && local === to)
    const [request] = at < 0 ? [] : this.#asked.splice(at, 1)
    if (request === undefined) expect.fail(`nobody was asked about ${from} and ${to}`)
    const answer: KeyAnswer =
      outcome === 'valid' || outcome === 'invalid'
        ? { outcome }
        : {
            outcome: 'error',
            condition: outcome,
            code: 'dialback-unverified',
            reason: 'a reason for the log',
          }
    const pair = { local: request.local, remote: request.remote }
    this.#advance({ on: 'key-answer', pair, streamId: request.streamId, answer })
  }

  /** Just this was proven since the last time: `from to method certificate`. */
  hasProven(...proofs: readonly string[]): void {
    const proven = this.#take('prove').map(
      ({ proof, certificate }) => `${proof.remote} ${proof.local} ${proof.method} ${certificate}`,
    )
    expect(proven).toEqual(proofs)
  }

  /** The domains it speaks for by now. */
  get domains(): readonly string[] {
    return 'proofs' in this.#state ? this.#state.proofs.map(({ remote }) => remote) : []
  }

  /** What went wrong with methods, or was ignored, as the log tells it. */
  isReported(...reasons: readonly RegExp[]): void {
    const told = [...this.#take('report'), ...this.#take('note')].map(({ reason }) => reason)
    expect(told).toHaveLength(reasons.length)
    reasons.forEach((reason, at) => {
      expect(told[at]).toMatch(reason)
    })
  }

  /** The stream was ended, with this stream error, or in good order where there is none. */
  isClosedWith(condition: StreamCondition | undefined): void {
    expect(this.#take('close').map(action => action.condition)).toEqual([condition])
    expect(this.#state).toEqual({ at: 'closed' })
  }

  isOpen(): void {
    expect(this.#take('close')).toEqual([])
    expect(this.#state.at).not.toBe('closed')
  }

  /** A reload gives it another policy, or none: then it is no partner any more. */
  isNowUnder(terms: Terms | undefined, of = 'fabrikam.com'): void {
    if (terms === undefined) this.#partners.delete(domain(of))
    else this.#partners.set(domain(of), terms)
  }

  /** The gateway's own limits end the stream. */
  isRefused(condition: StreamCondition): void {
    this.#advance({
      on: 'refuse',
      condition,
      code: 'limit-connections',
      reason: 'a limit',
      streamId: 'refused',
    })
  }

  /** The connection is gone. */
  isLost(): void {
    this.#advance({ on: 'lost' })
  }

  #newReader(): Reader {
    return new Reader(
      'jabber:server',
      {
        header: header => {
          const read = readHeader(header, 'jabber:server')
          this.#advance({ on: 'header', header: read, streamId: `s${++this.#streams}` })
        },
        element: slice => {
          const isStanza = slice.namespace === 'jabber:server' && /^(message|presence|iq)$/.test(slice.name)
          if (isStanza) this.#advance({ on: 'stanza' })
          else this.#advance({ on: 'element', element: toElement(slice, this.#reader.declarations) })
        },
        end: () => {},
      },
      { elementBytes: 8192, depth: 64 },
    )
  }

  #advance(event: InboundEvent): void {
    const { state, actions } = advance(this.#state, event, this.#context)
    this.#state = state
    this.#heard.push(...actions)
    if (actions.some(action => action.do === 'restart')) this.#reader.restart()
    if (actions.some(action => action.do === 'secure')) this.#reader.stop()
  }

  #sent(): string {
    return this.#take('send')
      .map(({ text }) => text)
      .join('')
  }

  #take<Do extends InboundAction['do']>(what: Do): (InboundAction & { do: Do })[] {
    const isIt = (action: InboundAction): action is InboundAction & { do: Do } => action.do === what
    const taken = this.#heard.filter(isIt)
    this.#heard = this.#heard.filter(action => !isIt(action))
    return taken
  }
}

function channelFor(domains: readonly string[]): Channel {
  return { secure: true, chain: domains.length === 0 ? [] : [certificateFor(...domains)] }
}
