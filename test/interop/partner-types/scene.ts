import type { TestContext } from 'vitest'
import type { PartnerType } from '../../../src/policy/partner.ts'
import type { GatewayProcess } from '../../support/gateway-process.ts'
import { type PeerKind, peerKinds } from '../../support/server-process.ts'
import { type LocalSite, type Site, World } from '../world.ts'
import { Person } from './person.ts'

/** Whether the server inside grants a partner's domain roster and presence access (XEP-0356). */
export type Grant = 'granted' | 'not granted'

/** Who meets in a walk: a local user, a partner's user, and the gateway between them. */
export type Meeting = {
  readonly romeo: Person
  readonly juliet: Person
  readonly gateway: GatewayProcess
  /** Romeo logs in with one more client. */
  readonly romeoElsewhere: () => Promise<Person>
  /** Addresses of local users who have done nothing yet. */
  readonly residents: readonly string[]
}

/** Brings together two users who have never met: Romeo here, Juliet with a partner of this type. */
export type Meet = (type: PartnerType, grant: Grant) => Promise<Meeting>

/** The partner types whose users may do without the local user's word. */
export const trustingTypes = ['federated', 'publicVerified'] as const

export const partnerTypes = [...trustingTypes, 'publicUnverified'] as const satisfies readonly PartnerType[]
export const grants = ['granted', 'not granted'] as const satisfies readonly Grant[]
const partners = partnerTypes.flatMap(type =>
  grants.map(grant => ({ type, grant, domain: domainOf(type, grant) })),
)
const guests = Array.from({ length: 80 }, (_, index) => `guest${index}`)
const residents = Array.from({ length: 20 }, (_, index) => `resident${index}`)

/** What a partner's user gets to see of a local user's status note. */
export function noteFor(type: PartnerType, note: string): { readonly note?: string } {
  return type === 'federated' ? { note } : {}
}

/**
 * One real server with a partner domain for each type, granted and not, and each kind of server inside with a gateway in front of
 * it. Every walk has two users for itself.
 */
export class Scene {
  readonly #world: World
  readonly #locals: ReadonlyMap<PeerKind, LocalSite>
  readonly #partner: Site
  #nextGuest = 0

  /** Starts everything; `end` ends it. */
  static async start(): Promise<Scene> {
    const world = await World.create()
    try {
      const [first = '', ...others] = partners.map(({ domain }) => domain)
      const trust = { tls: 'required', dialback: true, trusted: true } as const
      const startLocals = peerKinds.map(async kind => [kind, await startLocal(world, kind)] as const)
      const [sites, locals] = await Promise.all([
        world.host('prosody', [first, ...others], { ...trust, moreUsers: guests }),
        Promise.all(startLocals),
      ])
      const [partner] = sites
      if (partner === undefined) throw new Error('no partner')
      return new Scene(world, new Map(locals), partner)
    } catch (error) {
      await world.end()
      throw error
    }
  }

  private constructor(world: World, locals: ReadonlyMap<PeerKind, LocalSite>, partner: Site) {
    this.#world = world
    this.#locals = locals
    this.#partner = partner
  }

  /** The users are logged in, and nobody else's in any other walk. */
  async meet(inside: PeerKind, type: PartnerType, grant: Grant): Promise<Meeting> {
    const local = this.#local(inside)
    const name = guests[this.#nextGuest++]
    if (name === undefined) throw new Error('more walks than guests')
    const romeoElsewhere = async () =>
      new Person(await this.#world.login(local.server, local.server.domain, name))
    const [romeo, juliet] = await Promise.all([
      romeoElsewhere(),
      this.#world.login(this.#partner.server, domainOf(type, grant), name),
    ])
    return {
      romeo,
      juliet: new Person(juliet),
      gateway: local.gateway,
      romeoElsewhere,
      residents: residents.map(resident => `${resident}@${local.server.domain}`),
    }
  }

  /** For `afterEach`: prints the logs when the test has failed. */
  tellOfFailure(context: TestContext, inside: PeerKind): void {
    const { gateway, server } = this.#local(inside)
    this.#world.tellOfFailure(context, gateway, server)
  }

  /** Ends everything. */
  end(): Promise<void> {
    return this.#world.end()
  }

  #local(inside: PeerKind): LocalSite {
    const local = this.#locals.get(inside)
    if (local === undefined) throw new Error(`${inside} was not started`)
    return local
  }
}

function startLocal(world: World, kind: PeerKind): Promise<LocalSite> {
  const domain = `inside.${kind}.example`
  const certificate = world.authorities.issue(domain, { trusted: true, forClients: true })
  const entries = partners.map(({ domain, type }) => ({ primaryDomain: domain, partnerType: type }))
  return world.local(kind, domain, certificate, entries, {
    sections: { limits: { unauthenticatedPerAddress: 1000 } }, // all come from one address
    moreUsers: [...guests, ...residents],
    privileged: partners.flatMap(({ grant, domain }) => (grant === 'granted' ? [domain] : [])),
  })
}

function domainOf(type: PartnerType, grant: Grant): string {
  return `${type.toLowerCase()}.${grant.replace(' ', '-')}.example`
}
