import { createServer, type Server, type Socket } from 'node:net'

/** Where partners connect. */
export type ListenAddress = { readonly address: string; readonly port: number; readonly directTls: boolean }

/** Bounds on streams that are not authenticated yet (contract §1, limits). */
export type AdmissionLimits = { readonly connections: number; readonly unauthenticatedPerAddress: number }

/**
 * Counts connections: all of them, and the unauthenticated ones of each address. Over a limit a peer is still greeted, to be
 * refused by a stream error; over twice the limit its socket is dropped at once, so that refusals stay bounded too.
 */
export class Admission {
  readonly #limits: () => AdmissionLimits
  readonly #unauthenticated = new Map<string, number>()
  #total = 0

  constructor(limits: () => AdmissionLimits) {
    this.#limits = limits
  }

  get total(): number {
    return this.#total
  }

  /** Counts an outbound stream; `done` is to be called when it ends. */
  countOutbound(): () => void {
    return this.#count()
  }

  /** Counts an accepted socket, or says `drop`. */
  admit(from: string): 'drop' | Admitted {
    const address = networkOf(from)
    const ofAddress = this.#unauthenticated.get(address) ?? 0
    const { connections, unauthenticatedPerAddress } = this.#limits()
    if (this.#total >= 2 * connections || ofAddress >= 2 * unauthenticatedPerAddress) return 'drop'
    this.#unauthenticated.set(address, ofAddress + 1)
    const leave = this.#count()
    let isUnauthenticated = true
    const authenticated = () => {
      if (!isUnauthenticated) return
      isUnauthenticated = false
      const left = (this.#unauthenticated.get(address) ?? 1) - 1
      if (left === 0) this.#unauthenticated.delete(address)
      else this.#unauthenticated.set(address, left)
    }
    const refusal =
      this.#total > connections
        ? 'the gateway has reached its limit of connections'
        : ofAddress >= unauthenticatedPerAddress
          ? 'too many unauthenticated streams come from this address'
          : undefined
    return {
      refusal,
      authenticated,
      closed: () => {
        authenticated()
        leave()
      },
    }
  }

  #count(): () => void {
    this.#total++
    let counted = true
    return () => {
      if (counted) this.#total--
      counted = false
    }
  }
}

/** One accepted connection in the counts. */
export type Admitted = {
  /** Why the stream must be refused at its header, if it must. */
  readonly refusal: string | undefined
  /** The stream is trusted now, and counts no longer against its address. */
  authenticated(): void
  closed(): void
}

/** Accepts partners' connections on one address. */
export class Listener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly at: ListenAddress

  constructor(at: ListenAddress, admission: Admission, accept: (socket: Socket, admitted: Admitted) => void) {
    this.at = at
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, socket => {
      const admitted = admission.admit(socket.remoteAddress ?? 'unknown')
      if (admitted === 'drop') {
        socket.resetAndDestroy()
        return
      }
      this.#sockets.add(socket)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        admitted.closed()
      })
      accept(socket, admitted)
    })
  }

  /**
   * Begins to listen.
   * @returns the address with the port in use, where 0 was asked for
   * @throws {Error} when the address cannot be had; its message says which and why
   */
  async listen(): Promise<ListenAddress> {
    const { address: host, port } = this.at
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new Error(`cannot listen on ${host} port ${port}: ${error.code ?? error.message}`, {
            cause: error,
          }),
        )
      })
      this.#server.listen({ host, port, backlog: 1024 }, resolve)
    })
    this.#server.on('error', () => {}) // EMFILE and the like: the next accept tries again
    const bound = this.#server.address()
    return { ...this.at, port: typeof bound === 'object' && bound !== null ? bound.port : port }
  }

  /** Accepts nobody any more; open connections are not touched. */
  close(): void {
    this.#server.close()
  }

  /** Drops the connections that are still open, those within a TLS handshake included. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** What counts as one address: an IPv4 address, or the /64 of an IPv6 one, of which a single host has as many as it likes. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [left = '', right] = plain.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}
