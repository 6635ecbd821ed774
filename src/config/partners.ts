import {
  definePartner,
  judgePolicy,
  negotiationOf,
  type Partner,
  type PartnerSettings,
} from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import { domainName } from './fields.ts'
import { readText } from './files.ts'
import { type AnchorFile, loadAnchors } from './identities.ts'
import type { ConfigProblem } from './problems.ts'
import { type Report, reporter, reportIssues, salvage, salvageItems } from './report.ts'
import { partnerFileSchema, partnerSchema } from './schema.ts'
import { loadSecret, type Origin } from './secrets.ts'
import { isRecord, type Path, parseYaml, type YamlSource } from './yaml-source.ts'

/** What the partner list is read against. */
export type PartnerSurroundings = {
  /** The local domains; none of them may be a partner. */
  readonly isLocal: (domain: Domain) => boolean
  /** True where the connector has no secret that all components share. */
  readonly needsComponentSecret: boolean
  readonly origin: Origin
  /** Where to note what is wrong. */
  readonly problems: ConfigProblem[]
}

/** One entry of the partner list. */
export type ListedPartner = {
  /** Its position in the list. */
  readonly index: number
  /** As it stands in the file. */
  readonly written: Readonly<Record<string, unknown>>
  /** Those of its keys that are right in themselves. */
  readonly sound: Entry
  /** What it makes; undefined where it is faulty. */
  readonly partner: Partner | undefined
  /** Those of its trust anchors that can be read. */
  readonly anchors: readonly AnchorFile[]
  /** What is wrong with it, or worth knowing. */
  readonly problems: readonly ConfigProblem[]
}

/** Reads the partner file; what is wrong is reported. Paths in it start from its own folder. */
export function loadPartners(
  file: string,
  {
    missing,
    ...surroundings
  }: PartnerSurroundings & {
    /** Told why the file could not be read. */
    readonly missing: (fault: string) => void
  },
): ListedPartner[] {
  const read = readText(file)
  if ('text' in read) return judgePartners(parseYaml(file, read.text), surroundings)
  missing(noListFault(read.fault))
  return []
}

/** Why there is no list, and how one is written. */
export function noListFault(fault: string): string {
  return `${fault}; a list without partners is written "partners: []"`
}

/** Reads the text of a partner file; what is wrong is reported. */
export function judgePartners(source: YamlSource, surroundings: PartnerSurroundings): ListedPartner[] {
  const { problems } = surroundings
  problems.push(...source.problems)
  const report = reporter(source, problems)
  reportIssues(report, partnerFileSchema.safeParse(source.value).error)
  const entries = source.value['partners']
  const listed = new Map<Domain, Path>()
  const partners: Omit<ListedPartner, 'problems'>[] = []
  for (const [index, written] of (Array.isArray(entries) ? entries : []).entries()) {
    if (!isRecord(written)) continue // the schema has said so
    const path = ['partners', index]
    const sound = salvage(partnerSchema, written)
    reportClaims(written, path, { listed, source, isLocal: surroundings.isLocal }, report)
    const anchorsAt = [...path, 'trustAnchors']
    const anchors = loadAnchors(written['trustAnchors'], anchorsAt, surroundings.origin, report)
    const partner = loadPartner(sound, anchors, path, surroundings, report)
    partners.push({ index, written, sound, partner, anchors })
  }
  const byEntry = Map.groupBy(problems, ({ key }) => /^partners\[(\d+)\]/.exec(key)?.[1])
  return partners.map(entry => ({ ...entry, problems: byEntry.get(String(entry.index)) ?? [] }))
}

/** The keys of an entry that are right in themselves. */
export type Entry = ReturnType<typeof salvage<(typeof partnerSchema)['shape']>>

/** A domain may stand in the list once, and never beside the local ones. */
function reportClaims(
  written: Readonly<Record<string, unknown>>,
  path: Path,
  known: { listed: Map<Domain, Path>; source: YamlSource; isLocal: PartnerSurroundings['isLocal'] },
  report: Report,
): void {
  const { primaryDomain, additionalDomains } = written
  const claims: (readonly [Domain, Path])[] = [
    ...salvageItems(domainName, [primaryDomain]).map(
      ([, domain]) => [domain, [...path, 'primaryDomain']] as const,
    ),
    ...salvageItems(domainName, additionalDomains).map(
      ([at, domain]) => [domain, [...path, 'additionalDomains', at]] as const,
    ),
  ]
  for (const [domain, place] of claims) {
    const earlier = known.listed.get(domain)
    if (earlier !== undefined) {
      const { line } = known.source.problemAt('error', earlier, '')
      report('error', place, `${domain} stands in the list twice, first at line ${line}`)
    } else known.listed.set(domain, place)
    if (known.isLocal(domain))
      report('error', place, `${domain} is a local domain, it cannot be a partner too`)
  }
}

function loadPartner(
  entry: Entry,
  anchors: readonly AnchorFile[],
  path: Path,
  { origin, needsComponentSecret }: PartnerSurroundings,
  report: Report,
): Partner | undefined {
  const componentSecret =
    entry.componentSecret === undefined
      ? undefined
      : loadSecret(entry.componentSecret, [...path, 'componentSecret'], origin, report)
  if (needsComponentSecret && entry.componentSecret === undefined) {
    report('error', path, 'componentSecret is required, because internal.secret is not set')
  }
  const { primaryDomain, partnerType } = entry
  if (partnerType === undefined) return undefined
  const isPermitted = reportPolicy({ ...entry, partnerType }, path, report)
  if (!isPermitted || primaryDomain === undefined) return undefined
  const trustAnchorsPem = anchors.map(({ pem }) => pem)
  return definePartner({ ...entry, primaryDomain, partnerType, trustAnchorsPem, componentSecret })
}

/** Notes what the matrix says of an entry, at the first of its negotiation keys. */
function reportPolicy(
  entry: Pick<Entry, 'tlsNegotiation' | 'saslNegotiation' | 'dialbackNegotiation'> &
    Pick<PartnerSettings, 'partnerType'>,
  path: Path,
  report: Report,
): boolean {
  const written = (['tlsNegotiation', 'saslNegotiation', 'dialbackNegotiation'] as const).find(
    key => entry[key] !== undefined,
  )
  const place = [...path, written ?? 'partnerType']
  const settings = negotiationOf(entry)
  const { error, warnings } = judgePolicy(entry.partnerType, settings)
  const said = `TLS ${settings.tls}, SASL ${settings.sasl}, dialback ${settings.dialback}`
  for (const warning of warnings) report('warning', place, `${said}: ${warning}`)
  if (error !== undefined) report('error', place, `${said} is not valid: ${error}`)
  return error === undefined
}
