import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net'
import { isHost } from '../transport/dialer.ts'

/** Who can reach an address; `nobody` where it is no host's. */
export type Scope = 'public' | 'private' | 'loopback' | 'nobody'

/** Who can reach an address. */
export function scopeOf(address: string): Scope {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (!isHost(address)) return 'nobody'
  if (loopback.check(address, family)) return 'loopback'
  return inside.check(address, family) ? 'private' : 'public'
}

/** An IP address in the form in which two that are the same are equal. */
export function shortForm(address: string): string {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return new SocketAddress({ address, family }).address
}

/**
 * Reads an address that other hosts are to connect to, into its short form; IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4.
 * @returns undefined where it is no address, or none that another host could use
 */
export function parsePublishable(text: string): string | undefined {
  if (isIP(text) === 0 || text.includes('%')) return undefined // a zone id (RFC 4007) means something on this machine alone
  const address = shortForm(text).replace(/^::ffff:(?=.*\.)/, '')
  const scope = scopeOf(address)
  return scope === 'nobody' || scope === 'loopback' ? undefined : address
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

// RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291 §2.5.6.
const inside = new BlockList()
inside.addSubnet('10.0.0.0', 8, 'ipv4')
inside.addSubnet('172.16.0.0', 12, 'ipv4')
inside.addSubnet('192.168.0.0', 16, 'ipv4')
inside.addSubnet('100.64.0.0', 10, 'ipv4')
inside.addSubnet('169.254.0.0', 16, 'ipv4')
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addSubnet('fe80::', 10, 'ipv6')
