import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Told of a connection, by its number, and of what it carries. */
export type Listener = (connection: number, line: string) => void

const tlsHandshake = 0x16

/**
 * Sits on the network in front of a gateway, and tells what anybody on the way could read: everything in the clear,
 * and of what is encrypted only that it is.
 */
export class Tap {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** @param nextNumber numbers the connections, over all taps */
  static async start(
    owner: string,
    target: { readonly port: number },
    nextNumber: () => number,
    tell: Listener,
  ): Promise<Tap> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Tap(server, owner, target.port, nextNumber, tell)
  }

  private constructor(
    server: Server,
    owner: string,
    target: number,
    nextNumber: () => number,
    tell: Listener,
  ) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', initiating => {
      const number = nextNumber()
      const receiving = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true })
      tell(number, `a connection to ${owner}, 127.0.0.1 port ${this.port}`)
      this.#forward(initiating, receiving, line => tell(number, `→ ${line}`))
      this.#forward(receiving, initiating, line => tell(number, `← ${line}`))
    })
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #forward(from: Socket, to: Socket, tell: (line: string) => void): void {
    this.#sockets.add(from)
    let isReadable = true
    from.on('data', chunk => {
      if (isReadable && chunk[0] === tlsHandshake) {
        isReadable = false
        tell('TLS handshake; from here on nobody on the way can read')
      }
      if (isReadable) for (const line of describe(chunk.toString())) tell(line)
      to.write(chunk)
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroySoon()
    })
  }
}

/** What one chunk in the clear says, an element a line. Both ends are gateways: they write an element at once. */
function describe(text: string): string[] {
  return text
    .replace(/<\?xml[^>]*\?>/g, '')
    .split(/(?=<\/?stream:(?:stream|features|error)\b|<db:|<message\b)/)
    .filter(element => element.trim() !== '' && !element.startsWith('</stream:features'))
    .map(describeElement)
}

function describeElement(element: string): string {
  if (element.startsWith('<stream:stream'))
    return `<stream:stream${attribute(element, 'from')}${attribute(element, 'to')}>`
  if (element.startsWith('<stream:features')) return `offers ${offers(element).join(', ') || 'nothing'}`
  return element.replace(/ xmlns='[^']*'/g, '').replace(/>([0-9a-f]{8})[0-9a-f]{56}</, '>$1…<')
}

function offers(features: string): string[] {
  return [
    ...(features.includes('<required/>')
      ? ['STARTTLS (required)']
      : features.includes('<starttls')
        ? ['STARTTLS']
        : []),
    ...(features.includes('EXTERNAL') ? ['SASL EXTERNAL'] : []),
    ...(features.includes('<dialback') ? ['dialback'] : []),
  ]
}

function attribute(element: string, name: string): string {
  return new RegExp(` ${name}='[^']*'`).exec(element)?.[0] ?? ''
}
