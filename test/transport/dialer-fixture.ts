import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { Dialer } from '../../src/transport/dialer.ts'
import { Resolver } from '../../src/transport/resolver.ts'
import type { ZoneTable } from '../support/zone.ts'
import { startZone } from '../support/zone.ts'

/** A dialer over a zone that ends with the test. */
export async function dialerOver(
  table: ZoneTable = {},
  timeouts: { readonly dnsMs?: number; readonly connectMs?: number } = {},
) {
  const zone = await startZone(table)
  onTestFinished(() => zone.close())
  const resolver = new Resolver({ servers: [zone.address], timeoutMs: timeouts.dnsMs ?? 1500 })
  return {
    zone,
    dialer: new Dialer({ resolver, connectTimeoutMs: timeouts.connectMs ?? 5000, random: () => 0 }),
  }
}

/** A TCP server that ends with the test, and its port. @param onSocket gets each socket it accepts */
export async function listen(
  address = '127.0.0.1',
  port = 0,
  onSocket?: (socket: Socket) => void,
): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onSocket?.(socket)
  })
  server.listen(port, address)
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

/** A port of this address on which nobody listens. */
export async function closedPort(address = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Keeps a socket until the test ends. */
export function keep(socket: Socket): Socket {
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  return socket
}

/**
 * A port on which new connections get no answer, for its server stands still and its backlog is full.
 * `release()` lets the server go on; the kernel then repeats what was sent in vain, within about a second.
 */
export async function blackHole(address: string): Promise<{ port: number; release: () => void }> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(
    `const { parentPort, workerData: { address, gate } } = require('node:worker_threads')
     const server = require('node:net').createServer().listen({ port: 0, host: address, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       Atomics.wait(gate, 0, 0)
     })`,
    { eval: true, workerData: { address, gate } },
  )
  onTestFinished(async () => void (await worker.terminate()))
  const [port] = (await once(worker, 'message')) as [number]
  for (let filler = 0; filler < 2; filler += 1) await once(keep(connect(port, address)), 'connect')
  const release = () => {
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
  }
  return { port, release }
}
