import { BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { listenFault } from '../telemetry/listen-fault.ts'
import type { Why } from '../xmpp/reason.ts'
import { awaitProxyHeader } from './proxy-header.ts'

/** Where partners connect. */
export type ListenAddress = { readonly address: string; readonly port: number; readonly directTls: boolean }

/** IP addresses whose first `prefix` bits are those of `address`. */
export type Network = {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

/** Where partners connect, and how. */
export type ListenSettings = ListenAddress & {
  /** Present where nobody connects but these balancers, which tell by a PROXY header for whom. */
  readonly proxyProtocol?: { readonly trusted: readonly Network[] } | undefined
}

/** What a listener needs of its surroundings. */
export type ListenerEnvironment = {
  /** Takes over an accepted socket, which is paused. */
  accept(socket: Socket, admitted: Admitted): void
  /** Hears of connections that were dropped for want of a good PROXY header; `from` is the socket's own address. */
  refused(from: string, reason: string): void
  /** Hears of connections that were dropped as there are far too many. */
  dropped(from: string, why: Why): void
  /** How long a balancer may take over its header. */
  headerMs(): number
}

/** Bounds on streams that are not authenticated yet (contract §1, limits). */
export type AdmissionLimits = { readonly connections: number; readonly unauthenticatedPerAddress: number }

/** Not taken: there are twice as many as there may be. */
export type Dropped = { readonly dropped: Why }

const tooMany: Why = {
  code: 'limit-connections',
  reason: 'the gateway has reached its limit of connections',
}
const tooManyOfAddress: Why = {
  code: 'limit-unauthenticated',
  reason: 'too many unauthenticated streams come from this address',
}

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

  /** Counts a balancer's connection for as long as it is not known for whom it speaks, if it may be. */
  hold(): Dropped | (() => void) {
    const dropped = this.#excess(2, 0)
    return dropped === undefined ? this.#count() : { dropped }
  }

  /** Counts an accepted socket, if it may be. */
  admit(from: string): Dropped | Place {
    const address = networkOf(from)
    const ofAddress = this.#unauthenticated.get(address) ?? 0
    const dropped = this.#excess(2, ofAddress)
    if (dropped !== undefined) return { dropped }
    const refusal = this.#excess(1, ofAddress)
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
    return {
      address: from,
      refusal,
      authenticated,
      closed: () => {
        authenticated()
        leave()
      },
    }
  }

  /** Which limit is reached so many times over, before one more is counted. */
  #excess(times: number, ofAddress: number): Why | undefined {
    const { connections, unauthenticatedPerAddress } = this.#limits()
    if (this.#total >= times * connections) return tooMany
    return ofAddress >= times * unauthenticatedPerAddress ? tooManyOfAddress : undefined
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

/** One connection in the counts. */
export type Place = {
  /** Where the peer connects from; behind a balancer, what that one says. */
  readonly address: string
  /** Why the stream must be refused at its header, if it must. */
  readonly refusal: Why | undefined
  /** The stream is trusted now, and counts no longer against its address. */
  authenticated(): void
  closed(): void
}

/** One accepted connection. */
export type Admitted = Place & {
  /** Milliseconds of `performance.now()` when it was. */
  readonly acceptedMs: number
  /** Has the peer sent anything? A PROXY header is the balancer's. Who says nothing and goes has looked whether the port is open. */
  hasSpoken(): boolean
}

/** Accepts partners' connections on one address. */
export class Listener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #admission: Admission
  readonly #environment: ListenerEnvironment
  readonly at: ListenSettings

  constructor(at: ListenSettings, admission: Admission, environment: ListenerEnvironment) {
    this.at = at
    this.#admission = admission
    this.#environment = environment
    const isTrusted = at.proxyProtocol && membershipOf(at.proxyProtocol.trusted)
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, socket => {
      const from = socket.remoteAddress ?? 'unknown'
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      if (isTrusted === undefined) return this.#admit(socket, from)
      if (isTrusted(from)) return this.#admitBehind(socket, from)
      // Reset before it was accepted, as HAProxy's health checks are: nobody is there to be refused.
      if (socket.remoteAddress === undefined) return void socket.destroy()
      socket.resetAndDestroy()
      environment.refused(from, 'it comes from no address under proxyProtocol.trusted')
    })
  }

  #admit(socket: Socket, from: string): void {
    const place = this.#admission.admit(from)
    if ('dropped' in place) return this.#drop(socket, from, place)
    socket.once('close', () => place.closed())
    const headerBytes = socket.bytesRead - socket.readableLength
    const hasSpoken = () => socket.bytesRead > headerBytes
    this.#environment.accept(socket, { ...place, acceptedMs: performance.now(), hasSpoken })
  }

  #drop(socket: Socket, from: string, { dropped }: Dropped): void {
    socket.resetAndDestroy()
    this.#environment.dropped(from, dropped)
  }

  /** Who the balancer speaks for is what counts; until that is known the connection counts in the total alone. */
  #admitBehind(socket: Socket, balancer: string): void {
    const release = this.#admission.hold()
    if ('dropped' in release) return this.#drop(socket, balancer, release)
    awaitProxyHeader(socket, this.#environment.headerMs(), {
      complete: source => {
        release()
        this.#admit(socket, source ?? balancer)
      },
      failed: (reason, began) => {
        release()
        if (began) this.#environment.refused(balancer, reason)
      },
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
        reject(listenFault({ address: host, port, setting: 'listen' }, error))
      })
      this.#server.listen({ host, port, backlog: 1024 }, resolve)
    })
    this.#server.on('error', () => {}) // EMFILE and the like: the next accept tries again
    const bound = this.#server.address()
    const { directTls } = this.at
    return { address: host, port: typeof bound === 'object' && bound !== null ? bound.port : port, directTls }
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

function membershipOf(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList()
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family)
  return address => list.check(address.replace(/%.*$/, ''), isIPv6(address) ? 'ipv6' : 'ipv4')
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
