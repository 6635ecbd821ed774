import { dirname, resolve } from 'node:path'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import { loadDomains } from './domains.ts'
import { path as fileName } from './fields.ts'
import { readText } from './files.ts'
import { loadCertificates } from './pem.ts'
import { ConfigError, type ConfigProblem, unreadable } from './problems.ts'
import { type Report, reporter, salvage, salvageItems } from './report.ts'
import { domainSchema, type PemFile } from './schema.ts'
import type { Origin } from './secrets.ts'
import { selfSignedFiles } from './self-signed.ts'
import { isRecord, type Path, parseYaml, type YamlSource } from './yaml-source.ts'

/** A local domain, and its certificate as far as there is one. */
export type LocalIdentity = {
  readonly domain: Domain
  /** Its key in the file, which may bear U-labels. */
  readonly writtenAs: string
  readonly selfSigned: boolean
  readonly certificate: PemFile | undefined
  /** Where its key is, or has to be; absolute. Undefined = the configuration does not say. */
  readonly keyFile: string | undefined
}

/** A PEM file of trust anchors, and its place in the list. */
export type AnchorFile = PemFile & { readonly position: number }

/** The local domains with their certificates, and the trust anchors, of a configuration that may be faulty elsewhere. */
export type Identities = {
  readonly file: string
  readonly domains: readonly LocalIdentity[]
  readonly anchors: readonly AnchorFile[]
  /** What is wrong with these two sections. */
  readonly problems: readonly ConfigProblem[]
}

/**
 * Reads what a configuration says of certificates, and nothing else of it: where a certificate is about to be asked for
 * its file is not there yet, and a secret is not in the environment of everybody who looks at certificates.
 * @param only leave the other domains out
 * @throws {ConfigError} when the file cannot be read, or is no YAML
 */
export function loadIdentities(file: string, only?: Domain): Identities {
  const read = readText(file)
  if ('fault' in read) throw new ConfigError([unreadable(file, read.fault)])
  const source = parseYaml(file, read.text)
  if (source.problems.length > 0) throw new ConfigError(source.problems)
  return identitiesIn(source, only)
}

/** The same of a text that is parsed already, and may be no good YAML: as much as can be read. */
export function identitiesIn(source: YamlSource, only?: Domain): Identities {
  const { file } = source
  const problems: ConfigProblem[] = []
  const report = reporter(source, problems)
  const origin = { file: resolve(file), folder: dirname(resolve(file)), env: {} }
  const section = source.value['domains']
  const entries = Object.entries(isRecord(section) ? section : {}).filter(
    ([name]) => only === undefined || parseDomain(name) === only,
  )
  if (only === undefined || entries.length > 0) loadDomains(Object.fromEntries(entries), origin, report)
  return {
    file,
    domains: entries.flatMap(([name, entry]) => readIdentity(name, entry, origin)),
    anchors: loadAnchors(anchorsIn(source), ['trust', 'anchors'], origin, report),
    problems,
  }
}

/**
 * Reads a list of files with trust anchors; the faulty ones are reported and left out.
 * @param path where the list stands
 */
export function loadAnchors(list: unknown, path: Path, origin: Origin, report: Report): AnchorFile[] {
  return salvageItems(fileName, list).flatMap(([position, name]) => {
    const loaded = loadCertificates({ name, path: [...path, position] }, origin, report)
    return loaded === undefined ? [] : [{ path: loaded.path, pem: loaded.pem, position }]
  })
}

/** What stands as the list of trust anchors in a whole configuration. */
export function anchorsIn({ value: { trust } }: YamlSource): unknown {
  return isRecord(trust) ? trust['anchors'] : undefined
}

// What is wrong with it, `loadDomains` has said: here a certificate counts without its key, too.
function readIdentity(name: string, entry: unknown, origin: Origin): LocalIdentity[] {
  const domain = parseDomain(name)
  if (domain === undefined) return []
  const { selfSigned = false, ...given } = salvage(domainSchema, entry)
  const { certificate, key } = selfSigned ? selfSignedFiles(domain) : given
  const loaded =
    certificate === undefined
      ? undefined
      : loadCertificates({ name: certificate, path: [] }, origin, () => undefined)
  const pem = loaded === undefined ? undefined : { path: loaded.path, pem: loaded.pem }
  const keyFile = key === undefined ? undefined : resolve(origin.folder, key)
  return [{ domain, writtenAs: name, selfSigned, certificate: pem, keyFile }]
}
