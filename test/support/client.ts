import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { SaxesParser } from 'saxes'

/** An element as a client saw it, read by a parser that is not the gateway's. */
export type Seen = {
  readonly name: string
  readonly xmlns: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Seen[]
  readonly text: string
}

type Login = {
  readonly port: number
  readonly domain: string
  readonly user: string
  readonly password: string
}

/** A scripted XMPP client: clear TCP and SASL PLAIN, for servers that a test started itself. */
export class Client {
  /** `user@domain` */
  readonly bare: string
  /** The full address the server gave. */
  full = ''
  readonly #socket: Socket
  readonly #closed: Promise<unknown>
  #parser: SaxesParser<{ xmlns: true }>
  #seen: Seen[] = []
  #fault: Error | undefined
  readonly #waiting = new Set<() => void>()

  /** Logs in, and binds a resource of the server's choice; sends no presence. @throws {Error} when refused */
  static async login(login: Login): Promise<Client> {
    const socket = connect(login.port, '127.0.0.1')
    await once(socket, 'connect')
    const client = new Client(socket, login)
    try {
      await client.#authenticate(login)
    } catch (error) {
      await client.close()
      throw error
    }
    return client
  }

  private constructor(socket: Socket, login: Login) {
    this.bare = `${login.user}@${login.domain}`
    this.#socket = socket
    this.#closed = once(socket, 'close')
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#parser.write(text))
    socket.on('error', error => this.#fail(error))
    this.#parser = this.#newParser()
  }

  send(xml: string): void {
    this.#socket.write(xml)
  }

  /**
   * Takes the first stanza that fits, also out of those that came before; others stay.
   * @throws {Error} with what did come, at the deadline
   */
  async receives(what: string, fits: (stanza: Seen) => boolean, deadlineMs = 15_000): Promise<Seen> {
    const deadline = AbortSignal.timeout(deadlineMs)
    for (;;) {
      const index = this.#seen.findIndex(fits)
      const [found] = index < 0 ? [] : this.#seen.splice(index, 1)
      if (found !== undefined) return found
      if (this.#fault !== undefined) throw this.#fault
      if (deadline.aborted) {
        const others = this.#seen.map(stanza => `  ${describeStanza(stanza)}`).join('\n')
        throw new Error(`${this.bare} got no ${what} within ${deadlineMs} ms, but:\n${others}`)
      }
      await new Promise<void>(resolve => {
        const wake = () => {
          this.#waiting.delete(wake)
          deadline.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiting.add(wake)
        deadline.addEventListener('abort', wake)
      })
    }
  }

  /** What has come and nobody has taken. */
  get untaken(): readonly Seen[] {
    return this.#seen
  }

  /** Forgets what has come and nobody has taken. */
  forget(): void {
    this.#seen = []
  }

  /** Loses its connection, without a word. */
  async isCutOff(): Promise<void> {
    this.#socket.destroy()
    await this.#closed
  }

  /** Closes the stream and the socket. */
  async close(): Promise<void> {
    this.#socket.end('</stream:stream>')
    this.#socket.destroySoon()
    await this.#closed
  }

  async #authenticate(login: Login): Promise<void> {
    await this.#open(login.domain)
    const response = Buffer.from(`\0${login.user}\0${login.password}`).toString('base64')
    this.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${response}</auth>`)
    const outcome = await this.receives('SASL outcome', seen => seen.xmlns.endsWith('xmpp-sasl'))
    if (outcome.name !== 'success') throw new Error(`${this.bare}: ${describeStanza(outcome)}`)
    this.#parser = this.#newParser()
    await this.#open(login.domain)
    this.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    const bound = await this.receives('bound resource', seen => seen.attributes['id'] === 'bind')
    this.full = bound.children[0]?.children[0]?.text ?? ''
    // The roster is asked for so that the server sends roster pushes and subscription requests (RFC 6121 §2.1.6).
    this.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
    await this.receives('roster', seen => seen.attributes['id'] === 'roster')
  }

  async #open(domain: string): Promise<void> {
    this.send(
      `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}' version='1.0'>`,
    )
    await this.receives('stream features', seen => seen.name === 'features')
  }

  #newParser(): SaxesParser<{ xmlns: true }> {
    type Open = {
      name: string
      xmlns: string
      attributes: Record<string, string>
      children: Seen[]
      text: string
    }
    const parser = new SaxesParser({ xmlns: true })
    const open: Open[] = []
    parser.on('error', error => this.#fail(error))
    parser.on('opentag', tag => {
      const attributes = Object.values(tag.attributes).map(({ name, value }) => [name, value])
      const { local: name, uri: xmlns } = tag
      open.push({ name, xmlns, attributes: Object.fromEntries(attributes), children: [], text: '' })
    })
    parser.on('text', text => {
      const element = open.at(-1)
      if (element !== undefined && open.length > 1) element.text += text
    })
    parser.on('closetag', () => {
      const element = open.pop()
      if (element === undefined || open.length === 0) return
      if (open.length > 1) return void open.at(-1)?.children.push(element)
      this.#seen.push(element)
      this.#wake()
    })
    return parser
  }

  #fail(error: Error): void {
    this.#fault ??= new Error(`${this.bare}: ${error.message}`)
    this.#wake()
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

/** One stanza on a line, for the message of a failing test. */
export function describeStanza(seen: Seen): string {
  const attributes = Object.entries(seen.attributes).map(([name, value]) => ` ${name}='${value}'`)
  return `<${seen.name}${attributes.join('')}>${seen.text}${seen.children.map(describeStanza).join('')}</${seen.name}>`
}

/** The text of the first child with that name, '' where there is none. */
export function childText(seen: Seen, name: string): string {
  return seen.children.find(child => child.name === name)?.text ?? ''
}
