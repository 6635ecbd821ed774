import { createSocket } from 'node:dgram'
import { connect, isIP, isIPv6 } from 'node:net'

/** Where a name server listens. */
export type NameServer = { readonly address: string; readonly port: number }

/** Reads the reply out of a message, or undefined where it does not answer our query. It never throws. */
export type Accept<Reply> = (message: Buffer) => Reply | undefined

/** The longest reply that is read, in bytes: a hostile 64 KB one would cost 45 ms of parsing. */
export const maxReplyBytes = 16_384

/**
 * Reads a name server's address: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.
 * @throws {RangeError} when it is none of these
 */
export function parseNameServer(text: string): NameServer {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = isIPv6(text) ? text : (bracketed ?? plain ?? '')
  const port = Number(digits ?? 53)
  if (isIP(address) === 0 || port < 1 || port > 65_535)
    throw new RangeError(`${text} is no name server's address`)
  return { address, port }
}

/**
 * Asks over UDP, from a port of its own and a connected socket, so that nobody but the server is heard and a closed
 * port shows at once (RFC 5452 §9). What is not accepted is passed over, for it may be forged.
 * @throws the signal's reason, or the socket's error
 */
export function askOverUdp<Reply>(
  server: NameServer,
  query: Buffer,
  accept: Accept<Reply>,
  signal: AbortSignal,
): Promise<Reply> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('error', reject)
  socket.on('message', message => {
    const reply = message.length <= maxReplyBytes ? accept(message) : undefined
    if (reply !== undefined) resolve(reply)
  })
  socket.connect(server.port, server.address, (error?: Error) => {
    if (error) return reject(error)
    socket.send(query, sendError => {
      if (sendError) reject(sendError)
    })
  })
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort)
    socket.close()
  })
}

/**
 * Asks over TCP (RFC 7766), one query on one connection.
 * @throws the signal's reason, the socket's error, or an Error when the reply is too long or not accepted
 */
export function askOverTcp<Reply>(
  server: NameServer,
  query: Buffer,
  accept: Accept<Reply>,
  signal: AbortSignal,
): Promise<Reply> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const socket = connect({ host: server.address, port: server.port, noDelay: true })
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let received = Buffer.alloc(0)
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('closed the connection without an answer')))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    if (received.length < 2) return
    const length = received.readUInt16BE(0)
    if (length > maxReplyBytes) return reject(new Error(`answered with ${length} bytes`))
    if (received.length < 2 + length) return
    const reply = accept(received.subarray(2, 2 + length))
    if (reply === undefined) return reject(new Error('answered another question'))
    resolve(reply)
  })
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(query.length)
  socket.write(Buffer.concat([prefix, query]))
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  })
}
