import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'

const start = () => startGateway({ inside: 'component', settings: { trust: { requireClientAuthEku: true } } })

describe('where clientAuth is asked for (contract §9)', () => {
  test.each([
    ['for servers only is offered no EXTERNAL', ['serverAuth'], []],
    ['for both is offered EXTERNAL', ['serverAuth', 'clientAuth'], ['mechanisms']],
  ] as const)('a partner that connects with a certificate %s', async (_, eku, offered) => {
    const gateway = await start()
    const peer = await gateway.connect(gateway.identity('fabrikam.com', { eku }))
    const features = await peer.opensSecurely()
    expect(features.children.map(({ name }) => name).filter(name => name === 'mechanisms')).toEqual(offered)
  })

  test('a partner that is connected to needs a certificate for servers only', async () => {
    const gateway = await start()
    const server = await gateway.serve(gateway.identity('fabrikam.com', { eku: ['serverAuth'] }))
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send("<message from='a@contoso.com' to='b@fabrikam.com' id='1'/>")
    const peer = await server.next()
    await peer.accepts()
    expect((await peer.next('message')).attributes['id']).toBe('1')
  })
})
