import type { Socket } from 'node:net'
import type tls from 'node:tls'
import { streamHeader, tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import type { Seen } from './client.ts'
import { dial, listen, patienceMs, type Shown, Wire } from './wire.ts'

/** Who a scripted partner is, and towards whom. */
export type PeerIdentity = {
  /** The partner's domain. */
  readonly domain: string
  /** The gateway's domain. */
  readonly local: string
  /** What it presents under TLS; a peer that connects needs none. */
  readonly certificate?: Shown | undefined
  /** The CA in PEM by which it checks the gateway's certificate. */
  readonly authorityPem: string
}

/** What a peer may write into its stream header; what is null is left out. */
export type HeaderChoices = {
  readonly from?: string | null
  readonly to?: string | null
  readonly id?: string
  readonly version?: '1.0' | null
  readonly dialback?: boolean
}

/** Stream features for a peer that the gateway connects to. */
export const offers = {
  starttls: tag('starttls', { xmlns: ns.tls }),
  starttlsRequired: tag('starttls', { xmlns: ns.tls }, tag('required', {})),
  external: tag('mechanisms', { xmlns: ns.sasl }, tag('mechanism', {}, 'EXTERNAL')),
  dialback: tag('dialback', { xmlns: ns.dialbackFeature }, tag('errors', {})),
} as const

export type Offer = keyof typeof offers

/**
 * A partner over a real socket, on either side of the stream. Verbs in the third person do one whole step and wait for the
 * gateway's part of it: `opens`, `startsTls`, … on a stream that the peer opened; `greets`, `takesTls`, … on one the gateway did.
 * `Wire` has the verbs below that: raw bytes, next element, end, reset.
 */
export class WirePeer extends Wire {
  readonly identity: PeerIdentity

  /** Connects to the gateway and says nothing yet. */
  static async connect(
    port: number,
    identity: PeerIdentity,
    options: { localAddress?: string } = {},
  ): Promise<WirePeer> {
    return new WirePeer(await dial(port, options), identity)
  }

  constructor(socket: Socket, identity: PeerIdentity) {
    super(socket, identity.domain)
    this.identity = identity
  }

  /** Sends a stream header, and expects the far end to begin a stream of its own after it. */
  sendHeader(choices: HeaderChoices = {}): void {
    this.restart()
    this.#writeHeader(choices)
  }

  /** Opens a stream. @returns the gateway's features; an empty element where `version` is null */
  async opens(choices: HeaderChoices = {}): Promise<Seen> {
    this.sendHeader(choices)
    const header = await this.header()
    return choices.version === null ? header : this.next('features', ns.stream)
  }

  /** STARTTLS up to the end of the handshake; `opens` is due then. */
  async startsTls(options: tls.ConnectionOptions = {}): Promise<void> {
    this.send(offers.starttls)
    await this.next('proceed', ns.tls)
    await this.entersTls(options)
  }

  /** The handshake alone: what direct TLS begins with. */
  entersTls(options: tls.ConnectionOptions = {}): Promise<void> {
    const { certificate, authorityPem, local } = this.identity
    return this.secureAsClient({ ...pems(certificate), ca: authorityPem, servername: local, ...options })
  }

  /** Opens a stream, changes to TLS, and opens the stream again. @returns the features under TLS */
  async opensSecurely(choices: HeaderChoices = {}): Promise<Seen> {
    await this.opens(choices)
    await this.startsTls()
    return this.opens(choices)
  }

  /** SASL EXTERNAL. @returns `<success/>`, `<failure/>` or `<challenge/>` */
  async sendsExternal(content = '='): Promise<Seen> {
    this.send(tag('auth', { xmlns: ns.sasl, mechanism: 'EXTERNAL' }, content))
    return this.find('SASL outcome', ({ xmlns }) => xmlns === ns.sasl)
  }

  /** All the way to an authenticated stream by TLS and EXTERNAL. */
  async authenticates(): Promise<void> {
    await this.opensSecurely()
    const outcome = await this.sendsExternal()
    if (outcome.name !== 'success') throw new Error(`EXTERNAL was refused: ${this.text}`)
    await this.opens()
  }

  /** Sends a dialback key, as initiating server; the pair is the identity's unless given. */
  sendKey(key: string, pair: { from?: string; to?: string } = {}): void {
    const { domain, local } = this.identity
    this.send(tag('db:result', { from: pair.from ?? domain, to: pair.to ?? local }, key))
  }

  /** The answer to a key that was sent (step 4). @returns its type, or the condition where that is `error` */
  async keyAnswer(deadlineMs = patienceMs, fits: (answer: Seen) => boolean = () => true): Promise<string> {
    const answer = await this.find('db:result', seen => isDialback(seen, 'result') && fits(seen), deadlineMs)
    return outcomeOf(answer)
  }

  /** Awaits the gateway's header and answers it with features; `version: null` answers as a server before XMPP 1.0. */
  async greets(offered: readonly Offer[] = [], choices: HeaderChoices = {}): Promise<Seen> {
    const header = await this.header()
    this.#writeHeader({ id: 'wire-peer-stream', ...choices })
    const features = tag('stream:features', {}, ...offered.map(offer => offers[offer]))
    if (choices.version !== null) this.send(features)
    return header
  }

  /** Takes `<starttls/>` up to the end of the handshake; `greets` is due then. */
  async takesTls(options: tls.TLSSocketOptions = {}): Promise<void> {
    await this.next('starttls', ns.tls)
    this.send(tag('proceed', { xmlns: ns.tls }))
    await this.acceptsTls(options)
  }

  /** The handshake alone: what direct TLS begins with. */
  acceptsTls(options: tls.TLSSocketOptions = {}): Promise<void> {
    return this.secureAsServer({ ...pems(this.identity.certificate), ...options })
  }

  /** Greets, changes to TLS, and greets again with what is offered under TLS. */
  async greetsSecurely(offered: readonly Offer[], choices: HeaderChoices = {}): Promise<void> {
    await this.greets(['starttls'], choices)
    await this.takesTls()
    await this.greets(offered, choices)
  }

  /** Takes EXTERNAL and greets on the stream that begins anew. @returns the `<auth/>` */
  async takesExternal(): Promise<Seen> {
    const auth = await this.next('auth', ns.sasl)
    this.restart()
    this.send(tag('success', { xmlns: ns.sasl }))
    await this.greets()
    return auth
  }

  /** Takes the gateway from its first byte to an authenticated stream by TLS and EXTERNAL. */
  async accepts(): Promise<void> {
    await this.greetsSecurely(['external'])
    await this.takesExternal()
  }

  /** Takes the gateway's dialback key and answers it (steps 1 and 4). @returns the `<db:result/>` */
  async takesKey(answer: KeyVerdict = 'valid'): Promise<Seen> {
    const result = await this.find('db:result', seen => isDialback(seen, 'result'))
    this.send(answerTo(result, answer))
    return result
  }

  /** As authoritative server: takes a question about a key and answers it (steps 2 and 3). @returns the `<db:verify/>` */
  async judges(answer: KeyVerdict | 'silence' = 'valid'): Promise<Seen> {
    const verify = await this.find('db:verify', seen => isDialback(seen, 'verify'))
    if (answer !== 'silence') this.send(answerTo(verify, answer))
    return verify
  }

  /**
   * The gateway ends the stream with this error and the end tag; the peer then ends its side, and the connection is gone.
   * @returns the `<stream:error/>`
   */
  async isClosedWith(condition: string, deadlineMs = patienceMs): Promise<Seen> {
    const isError = ({ name, xmlns }: Seen) => name === 'error' && xmlns === ns.stream
    const error = await this.find(`<stream:error/> ${condition}`, isError, deadlineMs)
    const [found] = conditionsOf(error)
    if (found !== condition) throw new Error(`waited for ${condition} and got ${this.text.slice(-1000)}`)
    await this.streamEnd()
    this.end('</stream:stream>')
    await this.closed()
    return error
  }

  #writeHeader(choices: HeaderChoices): void {
    const { domain, local } = this.identity
    const { from = domain, to = local, version = '1.0', id, dialback = true } = choices
    const names = { from: from ?? undefined, to: to ?? undefined, id, version: version ?? undefined }
    this.send(streamHeader({ content: ns.server, dialback, ...names }))
  }
}

/** An answer to a key: the type, or the condition of an error. */
export type KeyVerdict = 'valid' | 'invalid' | { readonly error: string }

/** A scripted server for a partner's domain: the gateway connects to it. */
export class WireServer {
  readonly port: number
  readonly #waiting: WirePeer[]
  readonly #wake: { next: PromiseWithResolvers<void> }
  /** Connections so far. */
  count: () => number

  /** Listens on a free port of this machine until the test ends. */
  static async listen(identity: PeerIdentity): Promise<WireServer> {
    const waiting: WirePeer[] = []
    const wake = { next: Promise.withResolvers<void>() }
    let count = 0
    const port = await listen(socket => {
      count++
      waiting.push(new WirePeer(socket, identity))
      wake.next.resolve()
      wake.next = Promise.withResolvers()
    })
    return new WireServer(port, waiting, wake, () => count)
  }

  private constructor(
    port: number,
    waiting: WirePeer[],
    wake: { next: PromiseWithResolvers<void> },
    count: () => number,
  ) {
    this.port = port
    this.#waiting = waiting
    this.#wake = wake
    this.count = count
  }

  /** The next connection of the gateway's, in the order they came. */
  async next(deadlineMs = patienceMs): Promise<WirePeer> {
    const deadline = AbortSignal.timeout(deadlineMs)
    const late = Promise.withResolvers<void>()
    deadline.addEventListener('abort', () => late.resolve())
    for (;;) {
      const peer = this.#waiting.shift()
      if (peer !== undefined) return peer
      if (deadline.aborted) throw new Error(`nobody connected within ${deadlineMs} ms`)
      await Promise.race([this.#wake.next.promise, late.promise])
    }
  }
}

/** The stream or stanza error conditions in an error element, `text` apart. */
export function conditionsOf(error: Seen): string[] {
  return error.children.filter(({ name }) => name !== 'text').map(({ name }) => name)
}

function isDialback({ name, xmlns }: Seen, kind: 'result' | 'verify'): boolean {
  return name === kind && xmlns === ns.dialback
}

function outcomeOf({ attributes, children }: Seen): string {
  const [error] = children
  return attributes['type'] === 'error' && error ? (conditionsOf(error)[0] ?? '') : (attributes['type'] ?? '')
}

function answerTo({ name, attributes }: Seen, answer: KeyVerdict): string {
  const { from: to, to: from, id } = attributes
  if (typeof answer === 'string') return tag(`db:${name}`, { from, to, id, type: answer })
  const error = tag('error', { type: 'cancel' }, tag(answer.error, { xmlns: ns.stanzas }))
  return tag(`db:${name}`, { from, to, id, type: 'error' }, error)
}

function pems(certificate: Shown | undefined): { cert?: string; key?: string } {
  return certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem }
}
