import { constants } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import tls from 'node:tls'
import { type Certificate, parseCertificate } from '../identity/certificate.ts'
import type { Domain } from '../xmpp/address.ts'
import { sentenceOf } from './tls-alert.ts'

/** What a local domain proves itself by. */
export type Credential = {
  readonly domain: Domain
  /** The leaf first, then the CA certificates up to the root. */
  readonly certificatePem: string
  readonly keyPem: string
  /** Where the certificate was read, for the operator. */
  readonly certificateFile?: string
}

/** A socket after the TLS handshake. */
export type SecuredSocket = {
  readonly socket: tls.TLSSocket
  /** What the peer presented, leaf first, by nobody verified; empty where it presented none. */
  readonly chain: readonly Certificate[]
  /** As `TLSv1.3`. */
  readonly version: string
  readonly cipher: string
  /** The domain of SNI. */
  readonly servername: string | undefined
}

/** Each local domain's certificate, and the handshakes that present it. */
export class TlsContexts {
  #domains!: ReadonlyMap<string, tls.SecureContext>
  /** One for each local domain, whose certificate it shows to a peer that sends no SNI. */
  #startTls!: ReadonlyMap<string, Receiver>
  #directTls!: Receiver
  #first!: Domain

  /** @throws {Error} when a certificate or key is malformed, or they do not belong together */
  constructor(credentials: readonly Credential[]) {
    this.replace(credentials)
  }

  /**
   * Uses other credentials from the next handshake on.
   * @throws {Error} as the constructor; then nothing has changed
   */
  replace(credentials: readonly Credential[]): void {
    const [first] = credentials
    if (first === undefined) throw new Error('no certificate for any local domain')
    const domains = new Map(
      credentials.map(credential => [credential.domain as string, contextOf(credential)]),
    )
    const startTls = new Map(
      credentials.map(credential => [credential.domain as string, new Receiver(domains, credential, false)]),
    )
    const directTls = new Receiver(domains, first, true)
    this.#first = first.domain
    this.#domains = domains
    this.#startTls = startTls
    this.#directTls = directTls
  }

  /**
   * Starts TLS as the receiving side (RFC 6120 §5.4.3); with `directTls` by XEP-0368, where a peer that knows ALPN must
   * offer `xmpp-server`.
   * @param options.local the domain the stream is to, whose certificate a peer without SNI is shown; default: the first
   * @param socket made with `allowHalfOpen`, for the last words after the peer's end; destroyed on failure
   * @throws {Error} what ended the handshake, or the reason of the signal
   */
  accept(
    socket: Socket,
    options: { directTls: boolean; signal: AbortSignal; local?: Domain | undefined },
  ): Promise<SecuredSocket> {
    const { directTls, local = this.#first } = options
    const receiver = directTls
      ? this.#directTls
      : (this.#startTls.get(local) ?? this.#startTls.get(this.#first)!)
    return handshake(socket, options.signal, (secured, failed) => receiver.start(socket, secured, failed))
  }

  /**
   * Starts TLS as the initiating side.
   * @param socket as for `accept`
   * @param options.local whose certificate to present
   * @param options.remote the partner's domain, which goes into SNI
   * @throws {Error} what ended the handshake, or the reason of the signal
   */
  connect(
    socket: Socket,
    options: { local: Domain; remote: Domain; directTls: boolean; signal: AbortSignal },
  ): Promise<SecuredSocket> {
    const { local, remote, directTls, signal } = options
    return handshake(socket, signal, (secured, failed) => {
      const secureContext = this.#domains.get(local)
      if (secureContext === undefined) throw new Error(`no certificate for local domain ${local}`)
      const client = tls.connect({
        socket,
        secureContext,
        servername: isIP(remote) === 0 ? remote : '', // RFC 6066 §3: no addresses
        ...(directTls ? { ALPNProtocols: [alpnProtocol] } : {}),
        ...ownVerdict,
        checkServerIdentity: () => undefined,
      })
      client.on('error', ignored)
      const onSecure = () => secured(client)
      client.once('secureConnect', onSecure)
      client.once('error', failed)
      return () => {
        client.off('secureConnect', onSecure)
        client.off('error', failed)
        // What is yet to come of a socket that was given up interests nobody.
        if (socket.destroyed) client.destroy()
      }
    })
  }
}

const alpnProtocol = 'xmpp-server' // XEP-0368

// Node asks for a certificate and judges none: `judgeCertificate` does, since TLS libraries want clientAuth of a client.
const ownVerdict = { requestCert: true, rejectUnauthorized: false } as const

function contextOf({ domain, certificatePem, keyPem, certificateFile }: Credential): tls.SecureContext {
  try {
    return tls.createSecureContext(contextOptions(certificatePem, keyPem))
  } catch (error) {
    const where = certificateFile === undefined ? '' : ` (${certificateFile})`
    const sentence = sentenceOf(error as Error)
    throw new Error(`the certificate of ${domain}${where} or its key cannot be used: ${sentence}`, {
      cause: error,
    })
  }
}

function contextOptions(cert: string, key: string): tls.SecureContextOptions {
  return {
    cert,
    key,
    ca: [], // no anchors: nothing is `authorized`, and no list of CAs goes to the peer
    minVersion: 'TLSv1.2',
    // A resumed session would skip the certificate, and outlive a change of trust.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: 'gatehouse',
  }
}

/** Owners hear of errors through `close`; but an error that nobody listens for would end the process. */
function ignored(): void {}

type Secured = (socket: tls.TLSSocket) => void
type Failed = (error: Error) => void

/** A tls.Server that never listens: sockets are handed to it. Whoever does has a time limit; its own is two minutes. */
class Receiver {
  readonly #server: tls.Server
  readonly #waiting = new Map<string, { secured: Secured; failed: Failed }>()

  constructor(domains: ReadonlyMap<string, tls.SecureContext>, first: Credential, directTls: boolean) {
    this.#server = tls.createServer({
      ...contextOptions(first.certificatePem, first.keyPem),
      ...ownVerdict,
      ...(directTls ? { ALPNProtocols: [alpnProtocol] } : {}),
      SNICallback: (name, answer) => answer(null, domains.get(name.toLowerCase())),
    })
    this.#server.on('secureConnection', socket => {
      socket.allowHalfOpen = true
      socket.on('error', ignored)
      const waiting = this.#waiting.get(keyOf(socket))
      if (waiting === undefined)
        socket.destroy() // given up at the very end of its handshake
      else waiting.secured(socket)
    })
    this.#server.on('tlsClientError', (error, socket) => this.#waiting.get(keyOf(socket))?.failed(error))
  }

  // The server tells of a socket of its own making; the four numbers of the connection say whose it is.
  start(socket: Socket, secured: Secured, failed: Failed): () => void {
    if (socket.remoteAddress === undefined)
      throw new Error('TLS handshake failed: the peer closed the connection')
    const key = keyOf(socket)
    this.#waiting.set(key, { secured, failed })
    // A server tells of no end of the peer's within the handshake. What it makes of the socket takes this over, and closes itself.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
    return () => this.#waiting.delete(key)
  }
}

function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return [localAddress, localPort, remoteAddress, remotePort].join(' ')
}

// Runs one handshake to its end: secured, failed, closed or aborted, whichever comes first.
async function handshake(
  socket: Socket,
  signal: AbortSignal,
  start: (secured: Secured, failed: Failed) => () => void,
): Promise<SecuredSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<tls.TLSSocket>()
  const failed = (error: Error) =>
    reject(new Error(`TLS handshake failed: ${sentenceOf(error)}`, { cause: error }))
  const onClose = () => failed(new Error('the peer closed the connection'))
  const onAbort = () => reject(signal.reason)
  let stop: (() => void) | undefined
  try {
    signal.throwIfAborted()
    if (socket.destroyed) throw new Error('TLS handshake failed: the connection is closed')
    signal.addEventListener('abort', onAbort)
    socket.on('close', onClose)
    stop = start(resolve, failed)
    return describe(await promise)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.off('close', onClose)
    stop?.()
  }
}

function describe(socket: tls.TLSSocket): SecuredSocket {
  if (socket.destroyed) throw new Error('the peer closed the connection after the TLS handshake')
  return {
    chain: presentedChain(socket), // first of all: older runtimes give the whole chain once only
    socket,
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    servername:
      typeof socket.servername === 'string' && socket.servername !== '' ? socket.servername : undefined,
  }
}

const maxChain = 16

function presentedChain(socket: tls.TLSSocket): Certificate[] {
  const chain: Certificate[] = []
  let next = socket.getPeerX509Certificate()
  while (next !== undefined && chain.length < maxChain) {
    if (chain.at(-1)?.der.equals(next.raw)) break // a root may name itself as its issuer
    chain.push(parseCertificate(next.raw))
    next = next.issuerCertificate
  }
  return chain
}
