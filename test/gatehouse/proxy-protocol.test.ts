import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { binaryHeader, headerFrom } from '../support/proxy-header.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { WirePeer } from '../support/wire-peer.ts'

const listenBehind = (...trusted: string[]) => [
  { address: '127.0.0.1', port: 0, proxyProtocol: { trusted } },
  { address: '127.0.0.1', port: 0, directTls: true, proxyProtocol: { trusted } },
]
const trusting = listenBehind('127.0.0.0/8')
const refusals = (gateway: RunningGateway) =>
  gateway.log.lines.filter(({ message }) => message === 'connection refused').map(({ fields }) => fields)

/** Sends bytes, and waits until the gateway has closed. @returns what it said */
async function isClosedAfter(port: number, bytes: string | Buffer | undefined): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let said = ''
  socket.on('error', () => undefined).on('data', chunk => (said += chunk))
  if (bytes !== undefined) socket.write(bytes)
  await new Promise(resolve => socket.once('close', resolve))
  return said
}

/** Forwards one connection, its first bytes in one write with the header. @returns its port */
async function balancer(to: number, header: Buffer): Promise<number> {
  const server = createServer(client => {
    const upstream = connect(to, '127.0.0.1')
    onTestFinished(() => void upstream.destroy())
    client
      .on('error', () => undefined)
      .once('data', first => {
        upstream.on('error', () => undefined).cork()
        upstream.write(header)
        upstream.write(first)
        upstream.uncork()
        client.pipe(upstream).pipe(client)
      })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('behind a balancer, a partner', () => {
  test.each([
    ['version 1', 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 5269\r\n', '192.0.2.7'],
    ['version 2', headerFrom('192.0.2.7', Buffer.alloc(600)), '192.0.2.7'],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
    ['LOCAL', binaryHeader(0x20, 0, Buffer.alloc(0)), '127.0.0.1'],
  ])('authenticates after a header of %s, and is known by its address', async (_, header, address) => {
    const gateway = await startGateway({ listen: trusting })
    const peer = await gateway.connect()
    peer.send(header)
    await peer.authenticates()
    expect(await gateway.event('stream.authenticated')).toMatchObject({ address })
  })

  test('authenticates on direct TLS, its first bytes in one piece with the header', async () => {
    const gateway = await startGateway({ listen: trusting })
    const port = await balancer(gateway.directTlsPort, headerFrom('192.0.2.7'))
    const peer = await WirePeer.connect(port, gateway.identity())
    await peer.entersTls({ ALPNProtocols: ['xmpp-server'] })
    await peer.opens()
    expect((await peer.sendsExternal()).name).toBe('success')
    expect(await gateway.event('stream.authenticated')).toMatchObject({ address: '192.0.2.7' })
  })

  test.each([
    ['byte by byte', 1],
    ['with the stream header behind it in one piece', 10_000],
  ])('is heard %s', async (_, chunkBytes) => {
    const gateway = await startGateway({ listen: trusting })
    const peer = await gateway.connect()
    const opening = `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='fabrikam.com' to='contoso.com' version='1.0'>`
    await peer.sendInChunks(`PROXY TCP4 192.0.2.7 198.51.100.1 1 1\r\n${opening}`, chunkBytes)
    expect((await peer.next('features')).children.map(({ name }) => name)).toContain('starttls')
  })

  test('counts by its own address, not by that of the balancer', async () => {
    const limits = { unauthenticatedPerAddress: 1 }
    const gateway = await startGateway({ listen: trusting, settings: { limits } })
    const from = async (source: string) => {
      const peer = await gateway.connect()
      peer.send(`PROXY TCP4 ${source} 198.51.100.1 1 1\r\n`)
      return peer
    }
    await (await from('192.0.2.1')).opens()
    await (await from('192.0.2.2')).opens()
    const second = await from('192.0.2.2')
    second.sendHeader()
    await second.isClosedWith('resource-constraint')
    expect(await gateway.event('stream.refused')).toMatchObject({ address: '192.0.2.2' })
  })
})

describe('a listener for balancers', () => {
  test('refuses everybody else', async () => {
    const gateway = await startGateway({ listen: listenBehind('192.0.2.0/24', '2001:db8::/32') })
    expect(await isClosedAfter(gateway.port, 'PROXY TCP4 192.0.2.7 198.51.100.1 1 1\r\n')).toBe('')
    const reason = 'it comes from no address under proxyProtocol.trusted'
    expect(refusals(gateway)).toEqual([{ port: 0, remoteAddress: '127.0.0.1', reason }])
  })

  test('takes an IPv4 balancer on a socket of IPv6', async () => {
    const [first] = listenBehind('127.0.0.1')
    const gateway = await startGateway({ listen: [{ ...first, address: '::' }] })
    const peer = await gateway.connect()
    peer.send('PROXY UNKNOWN\r\n')
    await peer.authenticates()
  })

  test.each([
    ['a stream without a header', "<?xml version='1.0'?><stream:stream>", /does not begin with/],
    ['a malformed line', 'PROXY TCP4 192.0.2.7\r\n', /malformed/],
    ['a header that never ends', 'PROXY TCP4 192.0.2.7', /^no PROXY header within 0\.2 s$/],
  ])('closes on %s, and tells why', async (_, bytes, reason) => {
    const gateway = await startGateway({ listen: trusting, settings: { timeouts: { connect: '200ms' } } })
    expect(await isClosedAfter(gateway.port, bytes)).toBe('')
    const told = { port: 0, remoteAddress: '127.0.0.1', reason: expect.stringMatching(reason) }
    expect(refusals(gateway)).toEqual([told])
  })

  test('says nothing of who is silent, nor of who resets the connection at once', async () => {
    const gateway = await startGateway({ listen: trusting, settings: { timeouts: { connect: '200ms' } } })
    expect(await isClosedAfter(gateway.port, undefined)).toBe('')
    // While this process waits for its end, nobody accepts: the reset is there first, as that of HAProxy's health checks is.
    const check = `require('node:net').connect(${gateway.port}, '127.0.0.1', function () { this.resetAndDestroy() })`
    expect(spawnSync(process.execPath, ['-e', check]).status).toBe(0)
    const peer = await gateway.connect()
    peer.send('PROXY UNKNOWN\r\n')
    await peer.authenticates()
    expect(refusals(gateway)).toEqual([])
  })

  test('holds no more balancers without a header than twice the limit of connections', async () => {
    const gateway = await startGateway({ listen: trusting, settings: { limits: { connections: 1 } } })
    const [first] = [await gateway.connect(), await gateway.connect()]
    expect(await isClosedAfter(gateway.port, undefined)).toBe('')
    first.send('PROXY UNKNOWN\r\n')
    first.sendHeader()
    await first.isClosedWith('resource-constraint') // two are there
  })

  test('tells the log of ten refusals a minute', async () => {
    const gateway = await startGateway({ listen: trusting })
    for (let count = 0; count < 12; count++) await isClosedAfter(gateway.port, 'GET / HTTP/1.1\r\n')
    expect(refusals(gateway)).toHaveLength(10)
  })
})
