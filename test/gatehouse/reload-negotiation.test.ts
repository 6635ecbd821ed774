import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { PartnerEntry } from '../support/gateway-process.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'

const external = { primaryDomain: 'fabrikam.com' }
const dialback = {
  primaryDomain: 'fabrikam.com',
  tlsNegotiation: 'required',
  saslNegotiation: 'notSupported',
  dialbackNegotiation: true,
}
const clearToo = { ...dialback, tlsNegotiation: 'optional' }

describe('a reload that forbids what a partner has just done', () => {
  test('ends a stream of his that EXTERNAL succeeded on, whose next header is due', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    expect((await peer.sendsExternal()).name).toBe('success')
    peer.restart()
    await reload(gateway, dialback)
    await peer.isClosedWith('policy-violation')
    await gateway.hasNoStreams()
  })

  test('makes nothing of a dialback answer that comes after it', async () => {
    const gateway = await startGateway({ partners: [dialback] })
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.sendKey('the-key')
    const authoritative = await server.next()
    await authoritative.greetsSecurely(['dialback'])
    const { attributes } = await authoritative.judges('silence')
    await reload(gateway, external)
    authoritative.send(
      `<db:verify from='fabrikam.com' to='contoso.com' id='${attributes['id']}' type='valid'/>`,
    )
    expect(await peer.keyAnswer()).toBe('not-acceptable')
    peer.send("<message from='a@fabrikam.com' to='b@contoso.com'/>")
    await peer.isClosedWith('not-authorized')
    expect(gateway.events('stream.authenticated')).toEqual([])
  })
})

describe('a stream for verification in the clear, once TLS is required,', () => {
  test('is closed, and the question goes over TLS', async () => {
    const gateway = await startGateway({ partners: [clearToo] })
    const server = await gateway.serve()
    const before = await gateway.connect()
    await before.opensSecurely()
    before.sendKey('first')
    const clear = await server.next()
    await clear.greets(['dialback'])
    await clear.judges('valid')
    expect(await before.keyAnswer()).toBe('valid')
    const reloaded = reload(gateway, dialback)
    await clear.isClosedWith('policy-violation')
    await reloaded
    const after = await gateway.connect()
    await after.opensSecurely()
    after.sendKey('second')
    const secure = await server.next()
    await secure.greetsSecurely(['dialback'])
    expect((await secure.judges('valid')).text).toBe('second')
    expect(await after.keyAnswer()).toBe('valid')
  })

  test('is closed unused where it was being opened meanwhile', async () => {
    const gateway = await startGateway({ partners: [clearToo] })
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.sendKey('the-key')
    const clear = await server.next()
    await reload(gateway, dialback)
    await clear.greets(['dialback'])
    await clear.isClosedWith('policy-violation')
    expect(clear.untaken).toEqual([])
    expect(await peer.keyAnswer()).toBe('not-acceptable')
  })
})

describe('a question whose time is over', () => {
  test('is not put any more when the stream for it is up at last; the next one is', async () => {
    const gateway = await startGateway({
      partners: [dialback],
      settings: { timeouts: { dialback: '300ms' } },
    })
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.sendKey('late')
    const authoritative = await server.next()
    expect(await peer.keyAnswer()).toBe('remote-server-timeout')
    await authoritative.greetsSecurely(['dialback'])
    peer.sendKey('in time')
    expect((await authoritative.judges('valid')).text).toBe('in time')
    expect(await peer.keyAnswer()).toBe('valid')
  })
})

async function reload(gateway: RunningGateway, partner: PartnerEntry): Promise<void> {
  const partners = [{ partnerType: 'federated', ...partner }]
  writeFileSync(gateway.folder.at('config/partners.yaml'), JSON.stringify({ partners }))
  await gateway.gatehouse.reload(gateway.folder.load())
}
