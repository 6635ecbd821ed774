import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Client } from '../support/client.ts'
import type { Peer } from '../support/server-process.ts'
import { startZone, type Zone } from '../support/zone.ts'
import { discovers, pings, sendsMessage, subscribes } from './exchanges.ts'
import { Authorities, type Method, methodNames, publish } from './methods.ts'
import { describeInterop, startPeer } from './servers.ts'

// The servers alone, without the gateway: their profiles lead to the methods they are named after.
describeInterop('Prosody and ejabberd with each other', () => {
  let zone: Zone
  let authorities: Authorities
  const servers: Peer[] = []
  const ends: (() => Promise<void>)[] = []

  beforeAll(async () => {
    zone = await startZone()
    authorities = new Authorities()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') for (const server of servers) console.error(server.process.tail())
    servers.length = 0
    for (const end of ends.splice(0).reverse()) await end()
  })
  afterAll(() => zone.close())

  async function start(
    kind: 'prosody' | 'ejabberd',
    method: Method,
  ): Promise<{ server: Peer; user: Client }> {
    const domain = `${kind}.${method}.example`
    const server = await startPeer[kind]({
      domain,
      users: { user: 'secret' },
      federation: authorities.profile(method, domain, zone, { forClients: true }),
    })
    servers.push(server)
    ends.push(() => server.stop())
    publish(zone, domain, server.s2sPort)
    const user = await Client.login({ port: server.c2sPort, domain, user: 'user', password: 'secret' })
    ends.push(() => user.close())
    user.send('<presence/>')
    return { server, user }
  }

  test.each(methodNames)('federate by %s', async method => {
    const [prosody, ejabberd] = await Promise.all([start('prosody', method), start('ejabberd', method)])
    for (const [one, other] of [
      [prosody.user, ejabberd.user],
      [ejabberd.user, prosody.user],
    ] as const) {
      await sendsMessage(one, other)
      await subscribes(one, other)
      await pings(one, other)
      await discovers(one, other)
    }
    for (const direction of ['inbound', 'outbound']) {
      const line = ejabberd.server.process.lines.find(text => text.includes(`Accepted ${direction} s2s`))
      expect(line).toMatch(ejabberdSays[method])
    }
  })
})

const ejabberdSays = {
  'sasl-external-tls': /\(tls\|.*s2s EXTERNAL authentication/,
  'dialback-tls': /\(tls\|.*s2s dialback authentication/,
  'dialback-tcp': /\(tcp\|.*s2s dialback authentication/,
} satisfies Record<Method, RegExp>
