import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { streamHeader, tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { daemonHost } from './daemon.ts'
import { attributeOf, causeOf, Line, type Piece } from './line.ts'

/** How a partner and the gateway authenticate each other. */
export type SoakMethod = 'sasl-external-tls' | 'dialback-tls' | 'dialback-tcp'

export type SoakPartner = {
  readonly domain: string
  readonly local: string
  readonly method: SoakMethod
  /** Where it connects from. */
  readonly address: string
  /** Where it listens: nobody connects from there, so that the port is free again after a restart. */
  readonly host: string
  readonly gatewayPort: number
  readonly chainPem: string
  readonly keyPem: string
  readonly authorityPem: string
}

const starttls = tag('starttls', { xmlns: ns.tls })
const external = tag('mechanisms', { xmlns: ns.sasl }, tag('mechanism', {}, 'EXTERNAL'))
const dialback = tag('dialback', { xmlns: ns.dialbackFeature }, tag('errors', {}))

/** A partner's server: one stream to the gateway, kept up, and whatever streams the gateway opens to it. */
export class Partner {
  readonly #of: SoakPartner
  readonly #arrives: (id: string, cause?: string) => void
  readonly #accepted = new Set<Line>()
  readonly #keys = new Set<string>()
  #server: Server
  #out: Line | undefined
  #isUp = false
  port = 0
  /** Streams to the gateway that were authenticated. */
  connections = 0
  /** Attempts that failed. */
  failures = 0
  /** Streams to the gateway that ended without the partner's doing. */
  lost = 0

  constructor(of: SoakPartner, arrives: (id: string, cause?: string) => void) {
    this.#of = of
    this.#arrives = arrives
    this.#server = this.#newServer()
  }

  /** The stream to the gateway, where it is up. */
  get out(): Line | undefined {
    return this.#out?.isOpen ? this.#out : undefined
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, this.#of.host)
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** Connects, and again until it is authenticated; resolves then. */
  async connect(): Promise<void> {
    this.#isUp = true
    while (this.#isUp && this.out === undefined) {
      try {
        const line = await this.#open()
        this.connections++
        line.hears(() => {})
        this.#out = line
        void line.gone.then(() => this.#wasLost(line))
      } catch {
        this.failures++
        await new Promise(resolve => setTimeout(resolve, 300))
      }
    }
  }

  /** Ends its streams in good order, and opens new ones at once. */
  async reopens(): Promise<void> {
    await this.#closeAll()
    await this.connect()
  }

  /** Is gone for a time: nobody listens there. */
  async restarts(downMs: number): Promise<void> {
    this.#server.close()
    await this.#closeAll()
    await new Promise(resolve => setTimeout(resolve, downMs))
    this.#server = this.#newServer()
    await this.listen()
    await this.connect()
  }

  /** Dies and comes back: every connection is reset. */
  async dies(): Promise<void> {
    this.#isUp = false
    for (const line of [this.#out, ...this.#accepted]) line?.kill()
    this.#out = undefined
    await this.connect()
  }

  /** Ends its streams in good order, for good. */
  async stop(): Promise<void> {
    this.#server.close()
    await this.#closeAll()
  }

  #wasLost(line: Line): void {
    if (!this.#isUp || this.#out !== line) return
    this.lost++
    void this.connect()
  }

  async #closeAll(): Promise<void> {
    this.#isUp = false
    await Promise.all([this.#out, ...this.#accepted].map(line => line?.close()))
  }

  async #open(): Promise<Line> {
    const { gatewayPort, address, method, local, authorityPem, chainPem, keyPem } = this.#of
    const line = await Line.connect(daemonHost, gatewayPort, address)
    try {
      let header = await this.#begin(line)
      if (method !== 'dialback-tcp') {
        line.send(starttls)
        await line.next('proceed')
        const shown = method === 'sasl-external-tls' ? { cert: chainPem, key: keyPem } : {}
        await line.secureAsClient({ ca: authorityPem, servername: local, ...shown })
        header = await this.#begin(line)
      }
      if (method === 'sasl-external-tls') {
        line.send(tag('auth', { xmlns: ns.sasl, mechanism: 'EXTERNAL' }, '='))
        await line.next('success')
        await this.#begin(line)
      } else await this.#proves(line, attributeOf(header, 'id') ?? '')
      return line
    } catch (error) {
      line.kill()
      throw error
    }
  }

  async #begin(line: Line): Promise<Piece> {
    const { domain: from, local: to } = this.#of
    line.send(streamHeader({ content: ns.server, from, to, version: '1.0', dialback: true }))
    const header = await line.next('stream:stream')
    await line.next('stream:features')
    return header
  }

  async #proves(line: Line, streamId: string): Promise<void> {
    const { domain: from, local: to } = this.#of
    const key = randomBytes(16).toString('hex')
    this.#keys.add(`${streamId} ${key}`)
    line.send(tag('db:result', { from, to }, key))
    const answer = await line.next('db:result')
    this.#keys.delete(`${streamId} ${key}`)
    if (attributeOf(answer, 'type') !== 'valid') throw new Error(`the key was refused: ${answer.text}`)
  }

  #newServer(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      const line = new Line(socket)
      this.#accepted.add(line)
      socket.once('close', () => this.#accepted.delete(line))
      this.#receive(line).catch(() => line.kill())
    })
  }

  async #receive(line: Line): Promise<void> {
    const { method, chainPem, keyPem } = this.#of
    await this.#greet(line, method === 'dialback-tcp' ? dialback : starttls)
    if (method !== 'dialback-tcp') {
      await line.next('starttls')
      line.send(tag('proceed', { xmlns: ns.tls }))
      await line.secureAsServer({ cert: chainPem, key: keyPem })
      await this.#greet(line, method === 'sasl-external-tls' ? external : dialback)
    }
    if (method === 'sasl-external-tls') {
      await line.next('auth')
      line.send(tag('success', { xmlns: ns.sasl }))
      await this.#greet(line, '')
    }
    line.hears(piece => this.#takes(line, piece))
  }

  async #greet(line: Line, offer: string): Promise<void> {
    await line.next('stream:stream')
    const { domain: from, local: to } = this.#of
    const id = randomBytes(16).toString('hex')
    line.send(streamHeader({ content: ns.server, from, to, id, version: '1.0', dialback: true }))
    line.send(tag('stream:features', {}, offer))
  }

  #takes(line: Line, piece: Piece): void {
    const names = { from: this.#of.domain, to: this.#of.local }
    if (piece.name === 'message') this.#arrives(attributeOf(piece, 'id') ?? '', causeOf(piece))
    else if (piece.name === 'db:result') line.send(tag('db:result', { ...names, type: 'valid' }))
    else if (piece.name === 'db:verify') {
      const id = attributeOf(piece, 'id') ?? ''
      const key = />([^<]*)</.exec(piece.text)?.[1] ?? ''
      const type = this.#keys.has(`${id} ${key}`) ? 'valid' : 'invalid'
      line.send(tag('db:verify', { ...names, id, type }))
    }
  }
}
