import type { Socket } from 'node:net'
import { readProxyHeader } from './proxy-protocol.ts'

/** What becomes of a connection that must begin with a PROXY header. Called once, never from within `awaitProxyHeader`. */
export type ProxyOutcome = {
  /** The header is read, and what follows it is back in the socket, which is paused. */
  complete(source: string | undefined): void
  /** The socket is destroyed. `began` is false where not a byte came: a balancer that looks whether the port is open. */
  failed(reason: string, began: boolean): void
}

/**
 * Reads the PROXY header that a trusted balancer's connection must begin with.
 * @param socket paused, nothing read of it yet
 * @param deadlineMs for the whole header
 */
export function awaitProxyHeader(socket: Socket, deadlineMs: number, outcome: ProxyOutcome): void {
  let begun: Buffer = Buffer.alloc(0)
  const fail = (reason: string) => {
    leave()
    socket.destroy()
    outcome.failed(reason, begun.length > 0)
  }
  const onData = (chunk: Buffer) => {
    begun = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
    const header = readProxyHeader(begun)
    if (header.is === 'malformed') return fail(header.reason)
    if (header.is === 'incomplete') return
    leave()
    socket.pause()
    // Before the owner's listeners come, and before TLS takes the socket: both read what is in it first.
    if (begun.length > header.bytes) socket.unshift(begun.subarray(header.bytes))
    outcome.complete(header.source)
  }
  const onEnd = () => fail('it ended before its PROXY header')
  const onClose = () => fail('it was lost before its PROXY header')
  const timer = setTimeout(() => fail(`no PROXY header within ${deadlineMs / 1000} s`), deadlineMs)
  const leave = () => {
    clearTimeout(timer)
    socket.off('data', onData).off('end', onEnd).off('close', onClose)
  }
  socket.on('data', onData).on('end', onEnd).on('close', onClose)
  socket.on('error', () => {}) // `close` follows; without a listener it would end the process
  socket.resume()
}
