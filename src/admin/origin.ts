import { isIPv6 } from 'node:net'
import { failure, type Reply } from './reply.ts'

/** What a request says of where it comes from and goes to. */
export type Addressed = {
  /** Every `Host` that it bears. */
  readonly hosts: readonly string[]
  readonly origin: string | undefined
  /** The address of ours at which it has arrived. */
  readonly arrivedAt: string
}

/**
 * Why a request is not taken: it asks for another host, as the page of a stranger does whose name was made to lead here (DNS
 * rebinding), or comes from another site's page; undefined = it is taken. Nobody else's pages are let in (no CORS).
 * @param names more that we go by, in lower case
 */
export function refuseForeign(
  { hosts, origin, arrivedAt }: Addressed,
  names: readonly string[],
): Reply | undefined {
  const [host = '', ...more] = hosts
  if (more.length > 0) return failure(400, 'the request has more than one Host')
  const name = hostOf(host)
  const ours = ['localhost', '127.0.0.1', '::1', ...[arrivedAt, ...names].map(bare)]
  if (name === undefined || !ours.includes(name)) {
    return failure(
      421,
      `this is no ${JSON.stringify(host.slice(0, 256))}; if it is meant to be, put the name into admin.hosts`,
    )
  }
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return undefined
  return failure(403, 'pages of other sites may not ask here')
}

/** What a request asks for: the path with its query, and the host that is named with it. */
export type Target = { readonly url: string; readonly host: string | undefined }

/** Reads a request target. In absolute form it says the host itself, and `Host` does not count (RFC 9112 §3.2.2). */
export function targetOf(written: string): Target {
  const [, host, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(written) ?? []
  if (host === undefined) return { url: written, host }
  return { url: rest.startsWith('/') ? rest : `/${rest}`, host }
}

/** The host of a `Host` header, without its port. */
function hostOf(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header) ?? []
  return bracketed === undefined ? plain?.toLowerCase().replace(/\.$/, '') : canonical(bracketed)
}

/** An IPv6 address in its one short form; an IPv4 one within it as such. */
function bare(address: string): string {
  const plain = address.replace(/%.*$/, '')
  return isIPv6(plain) ? canonical(plain) : plain
}

function canonical(address: string): string {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? new URL(`http://[${address}]`).hostname.slice(1, -1)
}
