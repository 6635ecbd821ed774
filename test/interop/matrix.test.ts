import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PeerKind, peerKinds } from '../support/server-process.ts'
import { discovers, pings, sendsMessage, subscribes } from './exchanges.ts'
import { type Method, methodNames, methods } from './methods.ts'
import { describeInterop } from './servers.ts'
import { type LocalSite, partnerEntry, type Site, World } from './world.ts'

// Every server inside × every partner's server × every method. All run side by side, so that each is started once.
describeInterop('the gateway between real servers', () => {
  let world: World
  const locals = new Map<PeerKind, LocalSite>()
  const partners = new Map<string, Site>()

  beforeAll(async () => {
    world = await World.create()
    const pairs = peerKinds.flatMap(kind => methodNames.map(method => ({ kind, method })))
    const startPartners = pairs.map(async ({ kind, method }) => {
      const domain = partnerDomain(kind, method)
      partners.set(domain, await world.partner(kind, domain, method))
    })
    const entries = pairs.map(({ kind, method }) => partnerEntry(partnerDomain(kind, method), method))
    const startLocals = peerKinds.map(async kind => {
      const domain = `inside.${kind}.example`
      const certificate = world.authorities.issue(domain, { trusted: true, forClients: true })
      locals.set(kind, await world.local(kind, domain, certificate, entries))
    })
    await Promise.all([...startPartners, ...startLocals])
  })
  afterAll(() => world.end())

  describe.each(peerKinds)('%s inside', inside => {
    describe.each(peerKinds)('%s as the partner', outside => {
      describe.each(methodNames)('%s', method => {
        let local: LocalSite
        let partner: Site

        beforeEach(() => {
          local = required(locals.get(inside))
          partner = required(partners.get(partnerDomain(outside, method)))
        })
        afterEach(context => world.tellOfFailure(context, local.gateway, partner.server, local.server))

        test('messages arrive unchanged in both directions', async () => {
          await sendsMessage(partner.user, local.user)
          await sendsMessage(local.user, partner.user)
        })

        test('subscriptions are asked for and granted, and presence follows, in both directions', async () => {
          await subscribes(partner.user, local.user)
          await subscribes(local.user, partner.user)
        })

        test('servers and clients answer pings and disco in both directions', async () => {
          for (const [asker, other] of [
            [partner.user, local.user],
            [local.user, partner.user],
          ] as const) {
            await pings(asker, other)
            await discovers(asker, other)
          }
        })

        test('the log says that this was the method, in both directions', async () => {
          await sendsMessage(partner.user, local.user)
          await sendsMessage(local.user, partner.user)
          const is = { local: local.server.domain, remote: partner.server.domain }
          const all = local.gateway
            .events('stream.authenticated')
            .filter(({ remote }) => remote === is.remote)
          expect(new Set(all.map(({ direction }) => direction))).toEqual(new Set(['in', 'out']))
          for (const event of all) {
            const secured = { version: expect.stringMatching(/^TLSv1\.[23]$/), cipher: expect.any(String) }
            const tls = method === 'dialback-tcp' ? null : secured
            expect(event).toMatchObject({ ...is, method, tls, certificate: methods[method].certificate })
          }
        })
      })
    })
  })
})

function partnerDomain(kind: PeerKind, method: Method): string {
  return `${kind}.${method}.example`
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not started')
  return value
}
