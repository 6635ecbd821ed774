import { isIP, isIPv6 } from 'node:net'
import { parseDomain } from '../xmpp/address.ts'

/** A host name or IP address, and a TCP port. */
export type Endpoint = { readonly host: string; readonly port: number }

/**
 * Reads `HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`.
 * @returns undefined where the text is none of these; an IPv6 address needs its brackets
 */
export function parseEndpoint(text: string, defaultPort: number): Endpoint | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text)
  if (parts === null) return undefined
  const [, bracketed, plain, digits] = parts
  const port = digits === undefined ? defaultPort : Number(digits)
  if (port < 1 || port > 65_535) return undefined
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined
  const host = isIP(plain ?? '') === 4 ? plain : parseDomain(plain ?? '')
  return host === undefined ? undefined : { host, port }
}
