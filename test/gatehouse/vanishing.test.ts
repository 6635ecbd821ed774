import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

/** How far a peer gets before it goes away. */
const stages: Readonly<Record<string, (peer: WirePeer) => Promise<unknown>>> = {
  'before it says anything': async () => undefined,
  'within its header': async peer => peer.send('<stream:str'),
  'after its header': peer => peer.opens(),
  'within an element': async peer => {
    await peer.opens()
    peer.send("<starttls xmlns='urn:ietf:par")
  },
  'when TLS is due': async peer => {
    await peer.opens()
    peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    await peer.next('proceed')
  },
  'under TLS': async peer => {
    await peer.opens()
    await peer.startsTls()
  },
  'when EXTERNAL is due': peer => peer.opensSecurely(),
  'when the response to a challenge is due': async peer => {
    await peer.opensSecurely()
    await peer.sendsExternal('')
  },
  'when the last header is due': async peer => {
    await peer.opensSecurely()
    await peer.sendsExternal()
  },
  'once it is authenticated': peer => peer.authenticates(),
}

describe('a peer that vanishes', () => {
  test.each(Object.entries(stages))('%s leaves nothing behind', async (_, reach) => {
    const gateway = await startGateway()
    const timers = countTimers()
    const peer = await gateway.connect()
    await reach(peer)
    peer.reset()
    if (reach === stages['before it says anything']) await gateway.line('connection ended without a word')
    else await gateway.event('stream.closed')
    await gateway.hasNoStreams()
    await expectTimers(timers)
  })
})

describe('a peer that sends its FIN', () => {
  test.each(Object.entries(stages))(
    '%s gets the end of the stream, and the connection closes',
    async (_, reach) => {
      const gateway = await startGateway()
      const timers = countTimers()
      const peer = await gateway.connect()
      await reach(peer)
      peer.end()
      await peer.closed()
      await gateway.hasNoStreams()
      await expectTimers(timers)
    },
  )
})

const either = { saslNegotiation: 'optional', dialbackNegotiation: true }
const partners = [{ primaryDomain: 'fabrikam.com', ...either }]

/** How far a partner's server lets the gateway come. */
const served: Readonly<Record<string, (peer: WirePeer) => Promise<unknown>>> = {
  'before it answers the header': peer => peer.header(),
  'within its header': async peer => {
    await peer.header()
    peer.send('<stream:str')
  },
  'when features are due': peer => peer.greets([], { version: null }).then(() => peer.find('key', isKey)),
  'when <proceed/> is due': peer => peer.greets(['starttls']).then(() => peer.next('starttls')),
  'when TLS is due': async peer => {
    await peer.greets(['starttls'])
    await peer.next('starttls')
    peer.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  },
  'under TLS': peer => peer.greets(['starttls']).then(() => peer.takesTls()),
  'when the answer to a key is due': peer =>
    peer.greetsSecurely(['dialback']).then(() => peer.find('key', isKey)),
  'once a stanza is through': async peer => {
    await peer.accepts()
    await peer.next('message')
  },
}

describe('a partner’s server', () => {
  const hello = "<message from='b@contoso.com' to='a@fabrikam.com' id='1'><body>x</body></message>"
  const through = 'once a stanza is through'

  test.each(Object.entries(served))('that vanishes %s leaves nothing behind', async (at, reach) => {
    const gateway = await startGateway({
      inside: 'component',
      partners: at === 'when features are due' ? clear : partners,
    })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    const timers = countTimers()
    inside.send(hello)
    const peer = await server.next()
    await reach(peer)
    peer.reset()
    if (at !== through) {
      const { children } = await gateway.inside.stanza('fabrikam.com', '1')
      expect(children[0]?.children[0]?.name).toBe('remote-server-timeout')
    }
    await gateway.event('stream.closed')
    await gateway.hasNoStreams()
    await expectTimers(timers)
  })

  test('that vanishes while EXTERNAL is judged is tried once more, without EXTERNAL', async () => {
    const gateway = await startGateway({ inside: 'component', partners })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(hello)
    const first = await server.next()
    await first.greetsSecurely(['external', 'dialback'])
    await first.next('auth')
    first.reset()
    const second = await server.next()
    await second.greetsSecurely(['external', 'dialback'])
    await second.takesKey('valid')
    await second.next('message')
    expect(server.count()).toBe(2)
  })

  test('that vanishes while it is asked about a key leaves nothing behind', async () => {
    const gateway = await startGateway({ partners })
    const server = await gateway.serve()
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.sendKey('the-key')
    const authoritative = await server.next()
    await authoritative.greetsSecurely([])
    await authoritative.judges('silence')
    expect(gateway.streams.outVerifying).toBe(1)
    peer.reset()
    authoritative.reset()
    await gateway.event('stream.closed', ({ direction }) => direction === 'out')
    await gateway.hasNoStreams()
  })
})

const clear = [
  {
    primaryDomain: 'fabrikam.com',
    tlsNegotiation: 'notSupported',
    saslNegotiation: 'notSupported',
    dialbackNegotiation: true,
  },
]

function isKey({ name }: { name: string }): boolean {
  return name === 'result'
}

/** Timers that keep the process running. */
function countTimers(): number {
  return process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
}

/** No more timers than before are left: the shortest of the gateway's would last 5 s. */
async function expectTimers(before: number): Promise<void> {
  const untilMs = performance.now() + 2_000
  while (countTimers() > before && performance.now() < untilMs) await new Promise(setImmediate)
  expect(countTimers()).toBeLessThanOrEqual(before)
}
