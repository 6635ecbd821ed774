import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { Packet } from 'dns2'
import { onTestFinished } from 'vitest'
import { Resolver } from '../../src/transport/resolver.ts'
import type { ZoneQuery, ZoneTable } from '../support/zone.ts'
import { startZone } from '../support/zone.ts'

/** A server that ends with the test, and a resolver that asks it alone. */
export async function zoneOf(table: ZoneTable = {}, options?: Parameters<typeof startZone>[1]) {
  const zone = await startZone(table, options)
  onTestFinished(() => zone.close())
  return { zone, resolver: new Resolver({ servers: [zone.address], timeoutMs: 1500 }) }
}

/** A copy of a reply with something changed in it. */
export function forged(honest: Packet, change: (copy: Packet) => void): Packet {
  const copy = Packet.parse(honest.toBuffer())
  change(copy)
  return copy
}

/** Puts the address 127.0.0.1 in a reply. */
export function addAddress(reply: Packet): void {
  const name = reply.questions[0]?.name ?? ''
  reply.authorities = []
  reply.answers = [new Packet.Resource({ name, type: 1, class: 1, ttl: 60, address: '127.0.0.1' })]
}

/** Gives a reply another id. */
export function renumber(reply: Packet): void {
  reply.header.id ^= 1
}

/** Says of a reply that it was cut off. */
export function truncate(reply: Packet): void {
  reply.header.tc = 1
}

/** A reply of one record whose bytes no encoder has checked; `flags` are the header's second 16 bits. */
export function rawReply(
  query: Pick<ZoneQuery, 'request'>,
  rdata: Buffer,
  options: { flags?: number; type?: number } = {},
): Buffer {
  const { header, questions } = query.request
  const question = questions[0]?.toBuffer() ?? Buffer.alloc(0)
  const start = Buffer.alloc(12)
  for (const [index, value] of [header.id, options.flags ?? 0x8580, 1, 1].entries())
    start.writeUInt16BE(value, index * 2)
  const record = Buffer.from([0xc0, 0x0c, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0])
  record.writeUInt16BE(options.type ?? questions[0]?.type ?? 0, 2)
  record.writeUInt16BE(rdata.length, 10)
  return Buffer.concat([start, question, record, rdata])
}

/** The content of an SRV record with labels as they are. */
export function srvTo(...labels: string[]): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0x14, 0x95]), nameOf(...labels)])
}

/** A name with labels as they are. */
export function nameOf(...labels: string[]): Buffer {
  const parts = labels.map(label => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  return Buffer.concat([...parts, Buffer.from([0])])
}

/** A server that says whatever bytes it is told to, and a resolver that asks it alone. */
export async function rawServer(answers: {
  udp: (query: { request: Packet }) => readonly Buffer[]
  tcp?: (socket: Socket, query: { request: Packet }) => void
}): Promise<Resolver> {
  const sockets = new Set<Socket>()
  const tcp = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (query: Buffer) =>
      answers.tcp?.(socket, { request: Packet.parse(query.subarray(2)) }),
    )
  })
  await once(tcp.listen(0, '127.0.0.1'), 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4', (query, asker) => {
    for (const reply of answers.udp({ request: Packet.parse(query) }))
      udp.send(reply, asker.port, asker.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  onTestFinished(() => {
    udp.close()
    tcp.close()
    for (const socket of sockets) socket.destroy()
  })
  return new Resolver({ servers: [`127.0.0.1:${port}`], timeoutMs: 1500 })
}

/** The kinds of the sockets that are open in this process, once those just closed are gone. */
export async function openSockets(): Promise<string[]> {
  for (let round = 0; round < 3; round += 1) await setImmediate()
  return process
    .getActiveResourcesInfo()
    .filter(kind => /TCP|UDP/.test(kind))
    .sort()
}
