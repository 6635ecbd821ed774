import { type Domain, parseDomain } from '../xmpp/address.ts'
import type { CertificateNames } from './extensions.ts'

const services = ['_xmpp-server.', '_xmpps-server.'] // RFC 6120 §14.3, XEP-0368
const hostName = /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/

/**
 * Whether one of these names is the domain's (RFC 9525 §6, RFC 6120 §13.7.2).
 *
 * A wildcard counts in a dNSName only, as its whole left-most label, for exactly one label, above two at least. A name
 * that is no host name (NUL, blank, underscore, U-labels in a dNSName or SRVName, trailing dot) matches nothing.
 */
export function coversDomain(names: CertificateNames, domain: Domain): boolean {
  return (
    names.dns.some(name => dnsNameCovers(name.toLowerCase(), domain)) ||
    names.srv.some(name => srvNameCovers(name.toLowerCase(), domain)) ||
    names.xmpp.some(name => xmppAddrDomain(name) === domain)
  )
}

/** The domain that an XmppAddr names, in A-labels; undefined where it names a user, a resource, or nothing at all. */
export function xmppAddrDomain(name: string): Domain | undefined {
  const domain = name.endsWith('.') ? undefined : parseDomain(name)
  return domain !== undefined && hostName.test(domain) ? domain : undefined
}

function dnsNameCovers(name: string, domain: Domain): boolean {
  if (!name.startsWith('*.')) return hostName.test(name) && name === domain
  const parent = name.slice(2)
  // RFC 9525 §6.3: one label exactly. Nobody owns all of a top-level domain.
  return hostName.test(parent) && parent.includes('.') && domain.slice(domain.indexOf('.') + 1) === parent
}

function srvNameCovers(name: string, domain: Domain): boolean {
  return hostName.test(domain) && services.some(service => name === service + domain)
}
