import { describe, expect, test } from 'vitest'
import type { PartnerEntry } from '../support/gateway-process.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { bounceOf, connectedGateway, juliet, message, received, romeo, tally } from './numbered.ts'

const dialbackOnly = {
  primaryDomain: 'fabrikam.com',
  partnerType: 'publicVerified',
  tlsNegotiation: 'notSupported',
  saslNegotiation: 'notSupported',
} satisfies PartnerEntry
const federated = { primaryDomain: 'fabrikam.com' } satisfies PartnerEntry

type Cause = readonly [
  what: string,
  condition: string,
  text: string,
  partner: PartnerEntry,
  befalls: (gateway: RunningGateway) => Promise<unknown>,
]

const noService = 'this domain has no XMPP service that could be found'
const noStream = 'no stream to this domain could be established'

describe('a message to a partner that', () => {
  test.each([
    [
      'publishes that it has no service',
      'remote-server-not-found',
      noService,
      federated,
      async ({ zone }) => zone.set('_xmpp-server._tcp.fabrikam.com SRV', [{ port: 0, target: '.' }]),
    ],
    ['does not exist in DNS', 'remote-server-not-found', noService, federated, async () => undefined],
    [
      'cannot be found for DNS fails',
      'remote-server-timeout',
      noStream,
      federated,
      async ({ zone }) => {
        for (const service of ['_xmpp-server', '_xmpps-server'])
          zone.set(`${service}._tcp.fabrikam.com SRV`, 'SERVFAIL')
      },
    ],
    [
      'refuses connections',
      'remote-server-timeout',
      noStream,
      federated,
      async ({ zone }) => zone.federate('fabrikam.com', { port: await closedPort() }),
    ],
    [
      'offers no permitted method',
      'remote-server-timeout',
      noStream,
      federated,
      async gateway => {
        const server = await gateway.serve()
        return () => server.next().then(peer => peer.greetsSecurely(['dialback']))
      },
    ],
    [
      'offers no TLS, which is required',
      'remote-server-timeout',
      noStream,
      federated,
      async gateway => {
        const server = await gateway.serve()
        return () => server.next().then(peer => peer.greets(['dialback']))
      },
    ],
    [
      'finds our dialback key invalid',
      'internal-server-error',
      'this domain did not accept our dialback key',
      dialbackOnly,
      async gateway => {
        const server = await gateway.serve()
        return () =>
          server.next().then(async peer => {
            await peer.greets(['dialback'])
            await peer.takesKey('invalid')
          })
      },
    ],
    [
      'answers dialback with an error',
      'remote-server-timeout',
      noStream,
      dialbackOnly,
      async gateway => {
        const server = await gateway.serve()
        return () =>
          server.next().then(async peer => {
            await peer.greets(['dialback'])
            await peer.takesKey({ error: 'remote-server-not-found' })
          })
      },
    ],
    [
      'accepts the connection and is silent',
      'remote-server-timeout',
      noStream,
      federated,
      async gateway => gateway.serve(),
    ],
  ] satisfies Cause[])('%s comes back with %s', async (_, condition, text, partner, befalls) => {
    const gateway = await startGateway({
      inside: 'component',
      partners: [partner],
      settings: { timeouts: { queue: '1s' } },
    })
    const play = await befalls(gateway)
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    if (typeof play === 'function') await play()
    const error = await inside.find('error', ({ attributes }) => attributes['type'] === 'error')
    expect(bounceOf(error)).toEqual({
      ...{ name: 'message', type: 'error', id: '1', from: romeo, to: juliet },
      ...{ condition, text },
    })
  })

  test('is none comes back with not-allowed, from the component’s own domain', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, 'romeo@elsewhere.example'))
    const error = await inside.next('message')
    expect(bounceOf(error)).toMatchObject({
      id: '1',
      from: 'fabrikam.com',
      to: juliet,
      condition: 'not-allowed',
    })
  })

  test('is in back-off comes back at once, with the condition of the last failure', async () => {
    const gateway = await startGateway({ inside: 'component', settings: { timeouts: { queue: '5s' } } })
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    await inside.next('message')
    const questions = gateway.zone.queries.length
    inside.send(message(2, juliet, romeo))
    expect(bounceOf(await inside.next('message'))).toMatchObject({
      id: '2',
      condition: 'remote-server-not-found',
    })
    expect(gateway.zone.queries.length).toBe(questions)
  })

  test('is in back-off comes back before our end of the stream, where the inside ends it behind the stanza', async () => {
    const gateway = await startGateway({ inside: 'component', settings: { timeouts: { queue: '5s' } } })
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    await inside.next('message')
    inside.end(`${message(2, juliet, romeo)}</stream:stream>`)
    expect(bounceOf(await inside.next('message'))).toMatchObject({ id: '2' })
    await inside.streamEnd()
  })

  test('has more waiting than may wait comes back with resource-constraint; the others wait on, in order', async () => {
    const gateway = await startGateway({ inside: 'component', settings: { limits: { queueStanzas: 3 } } })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    for (let number = 0; number < 5; number++) inside.send(message(number, juliet, romeo))
    await received(2, () => [inside])
    const [error] = inside.untaken
    expect(bounceOf(error!)).toMatchObject({
      condition: 'resource-constraint',
      text: 'too many stanzas wait for this domain',
    })
    const peer = await server.next()
    await peer.accepts()
    await received(3, () => [peer])
    expect(tally(peer).delivered).toEqual([0, 1, 2])
    expect(tally(inside).bounced).toEqual([3, 4])
  })
})

describe('what cannot be delivered', () => {
  test('comes back only where an error may be the answer (RFC 6120 §8.3.1)', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const inside = await gateway.inside.component('fabrikam.com')
    const iq = (type: string) =>
      `<iq type='${type}' id='${type}' from='${juliet}' to='${romeo}'><x xmlns='y'/></iq>`
    inside.send(
      ['result', 'error', 'get', 'set'].map(iq).join('') +
        `<message type='error' id='m' from='${juliet}' to='${romeo}'/>` +
        `<presence id='p' from='${juliet}' to='${romeo}'/>` +
        message('last', juliet, romeo),
    )
    await inside.find('the last', ({ attributes }) => attributes['id'] === 'last')
    expect(inside.untaken.map(({ attributes }) => attributes['id'])).toEqual(['get', 'set'])
  })
})

describe('while the server inside is down, a partner’s message', () => {
  test('waits for its time, and comes back with remote-server-timeout', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({ timeouts: { queue: '250ms' } })
    inside.end('</stream:stream>')
    await gateway.event('internal.disconnected')
    sender.send(message(1, romeo, juliet))
    expect(bounceOf(await receiver.next('message'))).toEqual({
      ...{ name: 'message', type: 'error', id: '1', from: juliet, to: romeo },
      condition: 'remote-server-timeout',
      text: 'the server of this domain cannot be reached at the moment',
    })
  })

  test('comes back at once with resource-constraint where too many wait, who are delivered later', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({ limits: { queueStanzas: 2 } })
    inside.end('</stream:stream>')
    await gateway.event('internal.disconnected')
    for (let number = 0; number < 3; number++) sender.send(message(number, romeo, juliet))
    expect(bounceOf(await receiver.next('message'))).toMatchObject({
      id: '2',
      condition: 'resource-constraint',
    })
    await inside.closed()
    const again = await gateway.inside.component('fabrikam.com')
    await received(2, () => [again])
    expect(tally(again).delivered).toEqual([0, 1])
  })
})
