import { type Authority, allNames, createAuthority, type Issued } from '../support/certificates.ts'
import type { FederationProfile } from '../support/server-process.ts'
import type { Zone } from '../support/zone.ts'

/** The authentication methods, and what each wants of a partner's server and of the gateway's partner entry. */
export const methods = {
  'sasl-external-tls': {
    server: { tls: 'required', dialback: false, trusted: true },
    policy: { tlsNegotiation: 'required', saslNegotiation: 'required', dialbackNegotiation: false },
    certificate: 'valid',
  },
  'dialback-tls': {
    server: { tls: 'required', dialback: true, trusted: false },
    policy: { tlsNegotiation: 'required', saslNegotiation: 'optional', dialbackNegotiation: true },
    certificate: 'invalid',
  },
  'dialback-tcp': {
    server: { tls: 'off', dialback: true, trusted: true },
    policy: { tlsNegotiation: 'notSupported', saslNegotiation: 'notSupported', dialbackNegotiation: true },
    certificate: 'none',
  },
} as const

export type Method = keyof typeof methods
export const methodNames = Object.keys(methods) as Method[]

/** Publishes where a domain's server listens. */
export function publish(zone: Zone, domain: string, port: number): void {
  // ejabberd 23.01 asks our DNS server for SRV, but libc for the target's address: it must be in /etc/hosts.
  zone.set(`_xmpp-server._tcp.${domain} SRV`, [{ port, target: 'localhost' }])
  zone.set('localhost A', ['127.0.0.1'])
}

/** The CA that everybody in a scenario trusts, and one that nobody does. */
export class Authorities {
  readonly trusted: Authority = createAuthority({ name: 'Trusted Root' })
  readonly #unknown: Authority = createAuthority({ name: 'Unknown Root' })

  /** A certificate for domains. `forClients` adds clientAuth, which ejabberd 23.01 demands of who connects to it. */
  issue(
    domains: string | readonly string[],
    how: { readonly trusted: boolean; readonly forClients: boolean },
  ): Issued {
    const authority = how.trusted ? this.trusted : this.#unknown
    const { dns, srv } = allNames(...[domains].flat())
    return authority.issue({
      names: { dns, srv }, // ejabberd dies of an XmppAddr: its own scenario tells
      eku: how.forClients ? ['serverAuth', 'clientAuth'] : ['serverAuth'],
    })
  }

  /** How a partner's server federates so that the method is the one that comes about. */
  profile(
    method: Method,
    domain: string,
    zone: { readonly port: number },
    how: { readonly trusted?: boolean; readonly forClients?: boolean } = {},
  ): FederationProfile {
    const { tls, dialback, trusted } = methods[method].server
    const issued = this.issue(domain, { trusted, forClients: false, ...how })
    return {
      dnsPort: zone.port,
      certificatePem: issued.chainPem,
      keyPem: issued.keyPem,
      authorityPem: this.trusted.certificatePem,
      tls,
      dialback,
    }
  }
}
