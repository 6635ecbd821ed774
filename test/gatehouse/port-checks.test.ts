import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { binaryHeader } from '../support/proxy-header.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { WirePeer } from '../support/wire-peer.ts'

const behindBalancer = [false, true].map(directTls => ({
  address: '127.0.0.1',
  port: 0,
  directTls,
  proxyProtocol: { trusted: ['127.0.0.0/8'] },
}))
const speaksForItself = binaryHeader(0x20, 0, Buffer.alloc(0))

type Port = 'port' | 'directTlsPort'

/** A connection to the gateway, once that has accepted it. */
async function checks(
  gateway: RunningGateway,
  port: Port,
  header: Buffer = Buffer.alloc(0),
): Promise<Socket> {
  const socket = connect({ port: gateway[port], host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined).resume()
  await once(socket, 'connect')
  if (header.length > 0) socket.write(header)
  // Whoever comes later is served later: that was accepted, and its header read.
  const later = await WirePeer.connect(gateway.port, gateway.identity())
  if (header.length > 0) later.send(header)
  await later.opens()
  later.end('</stream:stream>')
  await later.closed()
  return socket
}

/** All that is told of connections above debug, but for the streams that were opened. */
const told = (gateway: RunningGateway) => [
  ...gateway.log.lines.filter(({ level, fields }) => level !== 'debug' && 'remoteAddress' in fields),
  ...gateway.events('stream.closed').filter(({ local }) => local === null),
]
const failures = (gateway: RunningGateway): number =>
  Array.from(
    gateway.metrics.render().matchAll(/^gatehouse_stream_failures_total\{.*code="(?!peer-left).*\} (\d+)$/gm),
    ([, value]) => Number(value),
  ).reduce((sum, value) => sum + value, 0)

describe('who opens the port and says nothing', () => {
  describe.each([
    ['in the clear', 'port'],
    ['of direct TLS', 'directTlsPort'],
  ] as const)('%s', (_, port) => {
    test.each([
      ['ends the connection', (socket: Socket) => socket.end()],
      ['resets it', (socket: Socket) => socket.resetAndDestroy()],
    ])('and %s, is no fault: neither told nor counted', async (_, leave) => {
      const gateway = await startGateway()
      leave(await checks(gateway, port))
      await gateway.line('connection ended without a word')
      await gateway.hasNoStreams()
      expect([told(gateway), failures(gateway)]).toEqual([[], 0])
    })

    test.each([
      ['ends the connection', (socket: Socket) => socket.end()],
      ['resets it', (socket: Socket) => socket.resetAndDestroy()],
    ])('behind a PROXY header, and %s, is no fault either', async (_, leave) => {
      const gateway = await startGateway({ listen: behindBalancer })
      leave(await checks(gateway, port, speaksForItself))
      await gateway.line('connection ended without a word')
      expect([told(gateway), failures(gateway)]).toEqual([[], 0])
    })
  })

  test('on a port of direct TLS, takes no place once it has ended', async () => {
    const gateway = await startGateway({ settings: { limits: { unauthenticatedPerAddress: 2 } } })
    for (let count = 0; count < 4; count++) {
      const socket = connect({ port: gateway.directTlsPort, host: '127.0.0.1', allowHalfOpen: true })
      onTestFinished(() => void socket.destroy())
      socket.on('error', () => undefined).resume()
      await once(socket, 'connect')
      socket.end()
      await once(socket, 'close')
    }
    const peer = await gateway.connect(gateway.identity(), { directTls: true })
    await peer.entersTls({ ALPNProtocols: ['xmpp-server'] })
    await peer.opens()
    expect((await peer.sendsExternal()).name).toBe('success')
  })
})

describe('who has said something and goes', () => {
  test('within a TLS handshake, is told and counted', async () => {
    const gateway = await startGateway()
    const socket = await checks(gateway, 'directTlsPort')
    socket.end(Buffer.from([0x16, 3, 1]))
    const closed = await gateway.event('stream.closed', ({ local }) => local === null)
    expect(closed.code).toBe('tls-handshake-failed')
    expect(
      gateway.metric('gatehouse_stream_failures_total{direction="in",code="tls-handshake-failed"}'),
    ).toBe(1)
  })

  test('by a reset within its header, is told and counted', async () => {
    const gateway = await startGateway()
    const socket = await checks(gateway, 'port')
    socket.write('<stream:st', () => socket.resetAndDestroy())
    const closed = await gateway.event('stream.closed', ({ local }) => local === null)
    expect(closed.code).toBe('connection-lost')
    expect(gateway.metric('gatehouse_stream_failures_total{direction="in",code="connection-lost"}')).toBe(1)
  })
})
