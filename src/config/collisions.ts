import { isIPv4, SocketAddress } from 'node:net'
import { resolve } from 'node:path'
import type { Report } from './report.ts'
import { isRecord, type Path, type YamlSource } from './yaml-source.ts'

/** A port to listen on, or a file, and the key that names it. */
type Claim<What> = { readonly key: Path; readonly what: What }

type ListenAddress = { readonly address: string; readonly port: number }

/** Reports ports that two keys want to listen on, at the second one. `undefined` = the key is wrong in itself. */
export function reportTakenPorts(
  listen: readonly (readonly [position: number, at: ListenAddress])[],
  admin: Partial<ListenAddress>,
  source: YamlSource,
  report: Report,
): void {
  const claims: Claim<ListenAddress>[] = listen.map(([position, what]) => ({
    key: ['listen', position],
    what,
  }))
  const { address, port } = admin
  if (address !== undefined && port !== undefined)
    claims.push({ key: ['admin', 'port'], what: { address, port } })
  reportCollisions(claims, overlap, ({ port }) => `port ${port}`, source, report)
}

/** Reports files that two keys name, at the second one. */
export function reportTakenFiles(
  files: readonly (readonly [key: Path, file: string | undefined])[],
  source: YamlSource,
  report: Report,
): void {
  const claims = files.flatMap(([key, file]) => (file === undefined ? [] : [{ key, what: resolve(file) }]))
  reportCollisions(
    claims,
    (one, other) => one === other,
    file => file,
    source,
    report,
  )
}

function reportCollisions<What>(
  claims: readonly Claim<What>[],
  collide: (one: What, other: What) => boolean,
  name: (what: What) => string,
  source: YamlSource,
  report: Report,
): void {
  for (const [at, later] of claims.entries()) {
    const earlier = claims.slice(0, at).find(({ what }) => collide(what, later.what))
    if (earlier === undefined) continue
    // What has its place by default is not written anywhere: the other one is to give way.
    const [told, taker] = isWritten(source, later.key) ? [later, earlier] : [earlier, later]
    const { line, key } = source.problemAt('error', taker.key, '')
    const where = isWritten(source, taker.key) ? `in line ${line}` : 'by default'
    const whose = key === '' ? 'this configuration itself' : `${key} (${where})`
    report('error', told.key, `${name(told.what)} is taken by ${whose}; give one of them another`)
  }
}

/** Do two sockets that listen there exclude each other? "::" takes the IPv4 addresses as well; port 0 is any that is free. */
function overlap(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false
  const [a, b] = [canonical(one.address), canonical(other.address)]
  const isEvery = (address: string, than: string) =>
    address === '::' || (address === '0.0.0.0' && isIPv4(than))
  return a === b || isEvery(a, b) || isEvery(b, a)
}

function canonical(address: string): string {
  if (isIPv4(address) || address.includes('%')) return address
  const { address: shortest } = new SocketAddress({ address, family: 'ipv6' })
  return shortest.replace(/^::ffff:(?=\d+\.)/, '')
}

function isWritten({ value }: YamlSource, key: Path): boolean {
  let held: unknown = value
  for (const step of key)
    held = isRecord(held) || Array.isArray(held) ? (held as Record<string, unknown>)[step] : undefined
  return held !== undefined
}
