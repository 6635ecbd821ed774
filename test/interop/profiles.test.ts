import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { CertificateStanding } from '../../src/identity/proof.ts'
import { type Method, methods, type Terms } from '../../src/negotiation/stream.ts'
import { type NegotiationSettings, termsOf } from '../../src/policy/matrix.ts'
import type { Direction } from '../../src/telemetry/events.ts'
import type { Client } from '../support/client.ts'
import { inboundOutcome, type Outcome, outboundOutcome } from '../support/policy-outcome.ts'
import { type PeerKind, peerKinds } from '../support/server-process.ts'
import { describeInterop } from './servers.ts'
import { type LocalSite, type Site, World } from './world.ts'

const policies = {
  federated: { tls: 'required', sasl: 'required', dialback: false },
  'publicly verified': { tls: 'required', sasl: 'optional', dialback: true },
  anything: { tls: 'optional', sasl: 'optional', dialback: true },
  'clear text': { tls: 'notSupported', sasl: 'notSupported', dialback: true },
} as const satisfies Record<string, NegotiationSettings>

type Policy = keyof typeof policies
const policyNames = Object.keys(policies) as Policy[]

/** How a partner's server is set up. Its certificate is for servers only, as public CAs issue them. */
const profiles = [
  { tls: 'off', trusted: true, dialback: true },
  { tls: 'optional', trusted: true, dialback: true },
  { tls: 'optional', trusted: false, dialback: true },
  { tls: 'required', trusted: true, dialback: false },
  { tls: 'required', trusted: false, dialback: true },
  { tls: 'required', trusted: false, dialback: false },
] as const

type Profile = (typeof profiles)[number]

/** What the gateway's own certificate is for. */
const purposes = ['servers and clients', 'servers only'] as const
type Purpose = (typeof purposes)[number]

// All come from one address.
const sections = { limits: { unauthenticatedPerAddress: 1000 }, timeouts: { streamEstablishment: '10s' } }

// Every policy × every profile × both directions, all at once: those who wait in vain wait together.
describeInterop('the gateway', () => {
  let world: World
  const locals = new Map<Purpose, LocalSite>()
  const partners = new Map<string, Site>()
  const exchanges = new Map<string, Promise<Result>>()

  beforeAll(async () => {
    world = await World.create()
    const entries = everyPartner(({ domain, policy }) => ({
      primaryDomain: domain,
      tlsNegotiation: policies[policy].tls,
      saslNegotiation: policies[policy].sasl,
      dialbackNegotiation: policies[policy].dialback,
    }))
    await Promise.all([
      ...purposes.map(async purpose => {
        const domain = `${purpose.replaceAll(' ', '-')}.example`
        const forClients = purpose === 'servers and clients'
        const certificate = world.authorities.issue(domain, { trusted: true, forClients })
        locals.set(purpose, await world.local('prosody', domain, certificate, entries, { sections }))
      }),
      ...peerKinds.flatMap(kind =>
        profiles.map(async profile => {
          const [first = '', ...others] = policyNames.map(policy => domainOf(kind, profile, policy))
          for (const site of await world.host(kind, [first, ...others], profile))
            partners.set(site.user.bare, site)
        }),
      ),
    ])
    for (const [purpose, local] of locals) {
      everyPartner(({ domain }) => {
        const partner = required(partners.get(`user@${domain}`))
        for (const direction of ['in', 'out'] as const) {
          const exchange = deliver(local, partner, direction)
          exchange.catch(() => {}) // its test will tell
          exchanges.set(`${purpose} ${direction} ${domain}`, exchange)
        }
      })
    }
  })
  afterAll(() => world.end())

  describe.each(purposes)('with a certificate for %s', purpose => {
    describe.each(peerKinds)('and %s as the partner', kind => {
      describe.each(profiles)('with TLS $tls, trusted: $trusted, dialback: $dialback,', profile => {
        test.each(policyNames)(
          'takes the strongest method of the policy “%s” that both have, or none',
          async policy => {
            const domain = domainOf(kind, profile, policy)
            const expected = outcomes(kind, profile, termsOf(policies[policy]), purpose)
            const of = (direction: Direction) => required(exchanges.get(`${purpose} ${direction} ${domain}`))
            const [inward, outward] = await Promise.all([of('in'), of('out')])
            expect({ in: inward, out: outward }).toEqual({
              in: resultOf(expected.in, profile),
              out: resultOf(expected.out, profile),
            })
          },
        )

        afterEach(context => {
          const partner = required(partners.get(`user@${domainOf(kind, profile, 'federated')}`))
          world.tellOfFailure(context, required(locals.get(purpose)).gateway, partner.server)
        })
      })
    })
  })
})

/** The expected outcome in either direction, with a real server as the peer. */
function outcomes(
  kind: PeerKind,
  { tls, trusted, dialback }: Profile,
  terms: Terms,
  purpose: Purpose,
): Record<Direction, Outcome> {
  const peer = {
    tls: ({ off: 'none', optional: 'offered', required: 'required' } as const)[tls],
    certificate: trusted ? 'valid' : 'unknown-authority',
    dialback,
  } as const
  // COMPAT(ejabberd 23.01): a certificate that is for servers only proves nobody who connects.
  const external = kind === 'ejabberd' && purpose === 'servers only' ? 'refused' : 'accepted'
  return {
    in: inboundOutcome(terms, { ...peer, external: 'whenOffered' }),
    out: outboundOutcome(terms, { ...peer, external }),
  }
}

/** What became of a message, and the ways in which the log says that its streams were authenticated. */
type Result = { readonly message: 'delivered' | 'bounced'; readonly authenticated: readonly string[] }

function resultOf({ end }: Outcome, { trusted }: Profile): Result {
  const method = methods.find(name => name === end)
  if (method === undefined) return { message: 'bounced', authenticated: [] }
  const isSecure = method !== 'dialback-tcp'
  const certificate = isSecure ? (trusted ? 'valid' : 'invalid') : 'none'
  return { message: 'delivered', authenticated: [wayOf(method, certificate, isSecure)] }
}

function wayOf(method: Method, certificate: CertificateStanding, isSecure: boolean): string {
  return `${method}, certificate ${certificate}, ${isSecure ? 'TLS' : 'clear'}`
}

/** Sends a message in one direction, and waits for it at its receiver or, as an error, at its sender. */
async function deliver(local: LocalSite, partner: Site, direction: Direction): Promise<Result> {
  const [sender, receiver] = direction === 'in' ? [partner.user, local.user] : [local.user, partner.user]
  const id = crypto.randomUUID()
  sender.send(`<message type='chat' id='${id}' to='${receiver.bare}'><body>hello</body></message>`)
  const bounce = await awaitEnd(sender, receiver, id)
  const names = { local: local.server.domain, remote: hostOf(partner.user) }
  const isOfStream = (event: { direction: Direction; local: string | null; remote: string | null }) =>
    event.direction === direction && event.local === names.local && event.remote === names.remote
  // The message may be here before the line in the log.
  if (bounce === undefined) await local.gateway.event('stream.authenticated', isOfStream)
  if (bounce !== undefined && direction === 'out') {
    expect(bounce).toBe('remote-server-timeout')
    expect((await local.gateway.event('stream.refused', isOfStream)).reason).not.toBe('')
  }
  // Until then the stream could still come up.
  if (bounce !== undefined && direction === 'in')
    await local.gateway.event('stream.closed', isOfStream, 30_000)
  const ways = local.gateway
    .events('stream.authenticated')
    .filter(isOfStream)
    .map(({ method, certificate, tls }) => wayOf(method, certificate, tls !== null))
  // A server may open one more stream, to ask about a key.
  return { message: bounce === undefined ? 'delivered' : 'bounced', authenticated: [...new Set(ways)] }
}

/** @returns the condition that the message came back with; undefined where it was delivered */
async function awaitEnd(sender: Client, receiver: Client, id: string): Promise<string | undefined> {
  const deadlineMs = 40_000
  const isIt = (seen: { attributes: Readonly<Record<string, string>> }) => seen.attributes['id'] === id
  const delivered = receiver.receives(`message of ${sender.bare}`, isIt, deadlineMs).then(() => undefined)
  const bounced = sender
    .receives(`error of ${receiver.bare}`, isIt, deadlineMs)
    .then(({ children }) => children.find(({ name }) => name === 'error')?.children[0]?.name ?? '')
  for (const way of [delivered, bounced]) way.catch(() => {}) // one of them comes to nothing
  return Promise.race([delivered, bounced])
}

function everyPartner<T>(make: (partner: { readonly domain: string; readonly policy: Policy }) => T): T[] {
  return peerKinds.flatMap(kind =>
    profiles.flatMap(profile =>
      policyNames.map(policy => make({ domain: domainOf(kind, profile, policy), policy })),
    ),
  )
}

function domainOf(kind: PeerKind, profile: Profile, policy: Policy): string {
  return `${policy.replaceAll(' ', '-')}.${kind}${profiles.indexOf(profile)}.example`
}

function hostOf({ bare }: Client): string {
  return bare.slice(bare.indexOf('@') + 1)
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not started')
  return value
}
