import type { TestContext } from 'vitest'
import { Client } from '../support/client.ts'
import { GatewayProcess, type PartnerEntry } from '../support/gateway-process.ts'
import type { FederationProfile, Peer, PeerKind, PeerOptions } from '../support/server-process.ts'
import { startZone, type Zone } from '../support/zone.ts'
import { Authorities, type Method, methods, publish } from './methods.ts'
import { startPeer } from './servers.ts'

/** A server with one user who is online. */
export type Site = { readonly server: Peer; readonly user: Client }

/** A local domain: the server inside, and the gateway in front of it. */
export type LocalSite = Site & { readonly gateway: GatewayProcess }

type LocalMore = {
  /** More sections of the gateway's configuration. */
  readonly sections?: Readonly<Record<string, object>>
  /** Names of users who are not logged in from the start. */
  readonly moreUsers?: readonly string[]
  /** The partner domains to which the server inside grants roster and presence access (XEP-0356). */
  readonly privileged?: readonly string[]
}

type Certificate = { readonly chainPem: string; readonly keyPem: string }

/** Everything that one scenario runs: DNS, authorities, servers, gateways, users. `end` ends all of it. */
export class World {
  readonly authorities = new Authorities()
  readonly #zone: Zone
  readonly #starts: Promise<unknown>[] = []
  readonly #ends: (() => Promise<unknown>)[] = []

  static async create(): Promise<World> {
    return new World(await startZone())
  }

  private constructor(zone: Zone) {
    this.#zone = zone
    this.#ends.push(() => zone.close())
  }

  /** Starts a partner's server, federating so that the method comes about. Its certificate is for servers only. */
  partner(
    kind: PeerKind,
    domain: string,
    method: Method,
    certificate: { readonly trusted?: boolean } = {},
  ): Promise<Site> {
    const federation = this.authorities.profile(method, domain, this.#zone, certificate)
    return this.#remember(this.#startPartner(kind, { domain, users: usersNamed(), federation }))
  }

  /** Starts one server for several partner domains, federating as told, with a user in each. */
  host(
    kind: PeerKind,
    domains: readonly [string, ...string[]],
    how: Pick<FederationProfile, 'tls' | 'dialback'> & {
      readonly trusted: boolean
      /** Names of users who are not logged in from the start. */
      readonly moreUsers?: readonly string[]
    },
  ): Promise<readonly Site[]> {
    const { tls, dialback, trusted, moreUsers } = how
    const { chainPem, keyPem } = this.authorities.issue(domains, { trusted, forClients: false })
    const authorityPem = this.authorities.trusted.certificatePem
    const certificates = { certificatePem: chainPem, keyPem, authorityPem }
    const federation = { tls, dialback, dnsPort: this.#zone.port, ...certificates }
    return this.#remember(this.#startHost(kind, domains, federation, moreUsers))
  }

  /** Starts a server inside and a gateway for it, with the certificate, the partner list and the sections given. */
  local(
    kind: PeerKind,
    domain: string,
    certificate: Certificate,
    partners: readonly PartnerEntry[],
    more: LocalMore = {},
  ): Promise<LocalSite> {
    return this.#remember(this.#startLocal(kind, domain, certificate, partners, more))
  }

  /** Logs a user in, who is online then. */
  async login(server: Peer, domain = server.domain, name = 'user'): Promise<Client> {
    const user = await Client.login({ port: server.c2sPort, domain, user: name, password })
    this.#ends.push(() => user.close())
    user.send('<presence/>')
    return user
  }

  /** For `afterEach`: prints the logs of these servers and gateways when the test has failed. */
  tellOfFailure({ task }: TestContext, ...of: readonly (Peer | GatewayProcess)[]): void {
    if (task.result?.state !== 'fail') return
    for (const { process } of of) console.error(process.tail(80))
  }

  /** Ends also what is still starting. @throws {AggregateError} with everything that did not end well */
  async end(): Promise<void> {
    await Promise.allSettled(this.#starts)
    const failures: unknown[] = []
    for (const end of this.#ends.splice(0).reverse()) await end().catch(error => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'))
  }

  async #startPartner(kind: PeerKind, options: PeerOptions): Promise<Site> {
    const server = await this.#startServer(kind, options)
    publish(this.#zone, options.domain, server.s2sPort)
    return { server, user: await this.login(server) }
  }

  async #startHost(
    kind: PeerKind,
    [domain, ...moreDomains]: readonly [string, ...string[]],
    federation: FederationProfile,
    moreUsers?: readonly string[],
  ): Promise<readonly Site[]> {
    const users = usersNamed(moreUsers)
    const server = await this.#startServer(kind, { domain, moreDomains, users, federation })
    return Promise.all(
      [domain, ...moreDomains].map(async name => {
        publish(this.#zone, name, server.s2sPort)
        return { server, user: await this.login(server, name) }
      }),
    )
  }

  async #startLocal(
    kind: PeerKind,
    domain: string,
    certificate: Certificate,
    partners: readonly PartnerEntry[],
    { sections = {}, privileged, moreUsers }: LocalMore,
  ): Promise<LocalSite> {
    const secret = 'between gateway and server inside'
    const domains = partners.map(({ primaryDomain }) => primaryDomain)
    const components = { domains, secret, ...(privileged && { privileged }) }
    const server = await this.#startServer(kind, { domain, users: usersNamed(moreUsers), components })
    const gateway = await GatewayProcess.start({
      domain,
      certificatePem: certificate.chainPem,
      keyPem: certificate.keyPem,
      authorityPem: this.authorities.trusted.certificatePem,
      internal: { port: server.componentPort, secret },
      partners,
      dnsServer: this.#zone.address,
      sections,
    })
    this.#ends.push(() => gateway.stop())
    publish(this.#zone, domain, gateway.port)
    return { server, gateway, user: await this.login(server) }
  }

  async #startServer(kind: PeerKind, options: PeerOptions): Promise<Peer> {
    const server = await startPeer[kind](options)
    this.#ends.push(() => server.stop())
    return server
  }

  #remember<T>(start: Promise<T>): Promise<T> {
    this.#starts.push(start)
    return start
  }
}

const password = 'secret'

function usersNamed(more: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(['user', ...more].map(name => [name, password]))
}

/** The partner entry that permits the method. */
export function partnerEntry(primaryDomain: string, method: Method): PartnerEntry {
  return { primaryDomain, ...methods[method].policy }
}
