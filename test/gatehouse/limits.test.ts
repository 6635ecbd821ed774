import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { whyOf } from '../support/broken-partners.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const limited = (limits: Record<string, number>, more: Partial<GatewayOptions> = {}) =>
  startGateway({ ...more, settings: { ...more.settings, limits } })

/** `<auth/>` in the clear, of so many bytes: each is answered by a failure, and the stream stays. */
function auth(bytes: number): string {
  const start = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>"
  return `${start}${'='.padStart(bytes - start.length - '</auth>'.length)}</auth>`
}

describe('before authentication', () => {
  test('an element may have unauthenticatedBytes, and not one more', async () => {
    const gateway = await limited({ unauthenticatedBytes: 2000 })
    const peer = await gateway.connect()
    await peer.opens()
    peer.send(auth(2000))
    expect((await peer.next('failure')).children).toMatchObject([{ name: 'encryption-required' }])
    peer.send(auth(2001))
    const { children } = await peer.isClosedWith('policy-violation')
    expect(children.map(({ name }) => name)).toContain('stanza-too-big')
  })

  test('unauthenticatedElements may come, and not one more', async () => {
    const gateway = await limited({ unauthenticatedElements: 5 })
    const peer = await gateway.connect()
    await peer.opens()
    peer.send(auth(100).repeat(6))
    for (let n = 1; n <= 5; n++) await peer.next('failure')
    await peer.isClosedWith('policy-violation')
  })

  test('the elements before TLS count as well', async () => {
    const gateway = await limited({ unauthenticatedElements: 5 })
    const peer = await gateway.connect()
    await peer.opens()
    peer.send(auth(100).repeat(3))
    for (let n = 1; n <= 3; n++) await peer.next('failure')
    await peer.startsTls()
    await peer.opens()
    await peer.sendsExternal('AA==')
    peer.send(auth(100))
    await peer.isClosedWith('policy-violation')
  })

  test.each([
    ['in the clear', (peer: WirePeer) => peer.opens()],
    ['under TLS', (peer: WirePeer) => peer.opensSecurely()],
  ])('a stanza %s ends the stream', async (_, reach) => {
    const gateway = await startGateway({ inside: 'component' })
    const peer = await gateway.connect()
    await reach(peer)
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com' id='1'><body>x</body></message>")
    await peer.isClosedWith('not-authorized')
    const inside = await gateway.inside.component('fabrikam.com')
    expect(inside.untaken).toEqual([])
  })
})

describe('after authentication', () => {
  test('a stanza may have stanzaBytes, and not one more', async () => {
    const gateway = await limited({ stanzaBytes: 10_000 }, { inside: 'component' })
    const peer = await gateway.connect()
    await peer.authenticates()
    peer.send(message('fits', 10_000))
    const { children } = await gateway.inside.stanza('fabrikam.com', 'fits')
    expect(children).toMatchObject([{ name: 'body' }])
    peer.send(message('over', 10_001))
    await peer.isClosedWith('policy-violation')
  })

  test('white space between stanzas does not count against the limit', async () => {
    const gateway = await limited({ stanzaBytes: 10_000 }, { inside: 'component' })
    const peer = await gateway.connect()
    await peer.authenticates()
    peer.send(`${' \n\t'.repeat(10_000)}${message('behind', 10_000)}`)
    await gateway.inside.stanza('fabrikam.com', 'behind')
  })
})

describe('unauthenticatedPerAddress', () => {
  test('refuses at the header, and drops beyond twice the limit', async () => {
    const gateway = await limited({ unauthenticatedPerAddress: 2 })
    const first = await gateway.connect()
    await first.opens()
    await (await gateway.connect()).opens()
    for (let over = 1; over <= 2; over++) {
      const refused = await gateway.connect()
      refused.sendHeader()
      await refused.header()
      const isError = ({ name }: { name: string }) => name === 'error'
      const error = await refused.find('stream error', isError)
      expect(error.children).toMatchObject([{ name: 'resource-constraint' }, { name: 'text' }])
    }
    await isDropped(gateway)
    await first.startsTls() // those within the limit are not touched
    const code = 'limit-unauthenticated'
    expect(gateway.metric(`gatehouse_stream_failures_total{direction="in",code="${code}"}`)).toBe(3)
    const dropped = gateway.log.lines.filter(({ message }) => message === 'connection refused')
    expect(dropped.map(({ fields }) => fields)).toMatchObject([{ remoteAddress: '127.0.0.1', code }])
  })

  test('counts each address by itself', async () => {
    const gateway = await limited({ unauthenticatedPerAddress: 1 })
    await (await gateway.connect()).opens()
    const elsewhere = await gateway.connect(gateway.identity(), { localAddress: '127.0.0.2' })
    await elsewhere.opensSecurely()
    const refused = await gateway.connect()
    refused.sendHeader()
    await refused.isClosedWith('resource-constraint')
  })

  test('follows a reload', async () => {
    const gateway = await limited({ unauthenticatedPerAddress: 1 })
    await (await gateway.connect()).opens()
    const file = gateway.folder.at('config/gatehouse.yaml')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...config, limits: { unauthenticatedPerAddress: 2 } }))
    await gateway.gatehouse.reload(gateway.folder.load())
    await (await gateway.connect()).opensSecurely()
  })

  test.each([
    ['authenticates', (peer: WirePeer) => peer.authenticates()],
    ['is gone', gone],
  ])('counts a stream no longer once it %s', async (_, reach) => {
    const gateway = await limited({ unauthenticatedPerAddress: 1 })
    const first = await gateway.connect()
    await reach(first, gateway)
    await (await gateway.connect()).opensSecurely()
  })

  test('counts direct TLS from the connection on', async () => {
    const gateway = await limited({ unauthenticatedPerAddress: 1 })
    await gateway.connect(gateway.identity(), { directTls: true })
    const refused = await gateway.connect(gateway.identity(), { directTls: true })
    await refused.entersTls()
    refused.sendHeader()
    await refused.isClosedWith('resource-constraint')
  })
})

describe('connections', () => {
  test('counts streams of both directions, refuses at the header, and drops beyond twice the limit', async () => {
    const gateway = await limited({ connections: 2 })
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.authenticates()
    peer.send(message('echo', 200))
    await (await server.next()).accepts()
    const refused = await gateway.connect()
    refused.sendHeader()
    const error = await refused.isClosedWith('resource-constraint')
    expect(error.children).toMatchObject([{}, { name: 'text' }])
    await gateway.connect()
    await gateway.connect()
    await isDropped(gateway)
  })
})

describe('connectionLimit of a partner', () => {
  const partners = [
    { primaryDomain: 'fabrikam.com', additionalDomains: ['corp.fabrikam.com'], connectionLimit: 1 },
    { primaryDomain: 'adatum.com' },
  ]

  test('refuses one more stream once it is authenticated, whichever domain of the partner it is from', async () => {
    const gateway = await startGateway({ partners, inside: 'component' })
    const first = await gateway.connect()
    await first.authenticates()
    const second = await gateway.connect(gateway.identity('corp.fabrikam.com'))
    await second.opensSecurely()
    expect((await second.sendsExternal()).name).toBe('success')
    await second.opens()
    await second.isClosedWith('resource-constraint')
    first.send(message('still', 200))
    await gateway.inside.stanza('fabrikam.com', 'still')
  })

  test('leaves other partners alone, and lets in who comes after one has gone', async () => {
    const gateway = await startGateway({ partners })
    const first = await gateway.connect()
    await first.authenticates()
    await (await gateway.connect(gateway.identity('adatum.com'))).authenticates()
    first.reset()
    await gateway.event('stream.closed')
    await (await gateway.connect()).authenticates()
  })

  test('holds for streams of ours too: what is for the partner bounces', async () => {
    const gateway = await startGateway({ partners, inside: 'component' })
    await (await gateway.connect()).authenticates()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send("<message from='b@contoso.com' to='a@fabrikam.com' id='1'><body>x</body></message>")
    const bounce = await gateway.inside.stanza('fabrikam.com', '1')
    expect(bounce.children[0]?.children[0]?.name).toBe('resource-constraint')
    const { failures, meaning } = await whyOf(gateway, 'fabrikam.com')
    expect(failures).toMatchObject([{ code: 'limit-partner-connections', direction: 'out', count: 1 }])
    expect(meaning).toMatchObject({ code: 'limit-partner-connections' })
  })
})

/** A connection ends before a word was said. */
async function isDropped(gateway: RunningGateway): Promise<void> {
  const socket = connect(gateway.port, '127.0.0.1')
  const received: Buffer[] = []
  socket.on('data', (bytes: Buffer) => received.push(bytes))
  socket.on('error', () => undefined)
  await new Promise(resolve => socket.on('close', resolve))
  expect(received).toEqual([])
}

async function gone(peer: WirePeer, gateway: RunningGateway): Promise<void> {
  await peer.opens()
  peer.reset()
  await gateway.event('stream.closed')
}

function message(id: string, bytes: number): string {
  const start = `<message from='a@fabrikam.com' to='echo@contoso.com' id='${id}'><body>`
  const end = '</body></message>'
  return `${start}${'x'.repeat(bytes - start.length - end.length)}${end}`
}
