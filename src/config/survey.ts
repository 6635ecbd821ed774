import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import type { Domain } from '../xmpp/address.ts'
import { reportTakenFiles, reportTakenPorts } from './collisions.ts'
import { loadDomains } from './domains.ts'
import { type AnchorFile, anchorsIn, loadAnchors } from './identities.ts'
import { type ListedPartner, loadPartners } from './partners.ts'
import type { ConfigProblem } from './problems.ts'
import { beside, localNames, readConfigFile } from './read-config.ts'
import { type Report, reporter, salvage, salvageItems } from './report.ts'
import {
  adminSchema,
  componentSchema,
  configSchema,
  dialbackSchema,
  type InternalConfig,
  type LocalDomain,
  listenerSchema,
  storeSchema,
} from './schema.ts'
import { type Environment, loadSecret, type Origin } from './secrets.ts'
import { storeFiles } from './store-settings.ts'
import { isRecord, type YamlSource } from './yaml-source.ts'

/** A configuration with every file that it names: as much as can be read, however much of it is wrong. */
export type Survey = {
  readonly source: YamlSource
  /** Everything that is wrong, in all files. */
  readonly problems: readonly ConfigProblem[]
  /** What the file itself says; undefined where that is wrong. */
  readonly settings: z.output<typeof configSchema> | undefined
  readonly domains: ReadonlyMap<Domain, LocalDomain>
  readonly internal: InternalConfig | undefined
  /** Where the server inside is, if there is one; its secret may be missing. */
  readonly inside: { readonly host: string; readonly port: number } | undefined
  readonly dialbackSecret: string | undefined
  readonly anchors: readonly AnchorFile[]
  readonly partnersFile: string
  readonly partners: readonly ListedPartner[]
  /** The files that the daemon makes, absolute; undefined where their name is wrong. */
  readonly own: Readonly<Record<'sqlite' | 'journal' | 'socket' | 'tokens' | 'audit', string | undefined>>
}

/**
 * Reads a configuration, its partner list and every file and secret they name.
 * @param file relative to the working directory; it stands so in the problems
 * @param reader a probe looks for no secret of the inside, and does not miss that of dialback
 * @throws {ConfigError} when the file itself cannot be read
 */
export function surveyConfig(file: string, env: Environment, reader: 'daemon' | 'probe' = 'daemon'): Survey {
  const { source, problems, checked } = readConfigFile(file)
  const report = reporter(source, problems)
  const origin = { file: resolve(file), folder: dirname(resolve(file)), env }
  const written = source.value
  const domains = loadDomains(written['domains'], origin, report)
  const ownNames = localNames(written['domains'])
  const envInside = reader === 'daemon' ? env : undefined
  const internal = loadInternal(written['internal'], { ...origin, env: envInside }, report)
  const dialbackReport = reader === 'daemon' ? report : () => {}
  const dialbackSecret = loadDialbackSecret(written['dialback'], origin, dialbackReport)
  const anchors = loadAnchors(anchorsIn(source), ['trust', 'anchors'], origin, report)
  const partnersFile = beside(file, salvage(configSchema, written).partners ?? 'partners.yaml')
  const partners = loadPartners(partnersFile, {
    isLocal: domain => ownNames.has(domain),
    // Where `internal` itself is faulty, its secret is not missed a second time in every partner.
    needsComponentSecret: internal?.connector === 'component' && !hasSecret(written['internal']),
    origin: { file: resolve(partnersFile), folder: dirname(resolve(partnersFile)), env: envInside },
    problems,
    missing: fault => report('error', ['partners'], fault),
  })
  const admin = salvage(adminSchema, written['admin'] ?? {})
  if (admin.address !== undefined && !isLoopback(admin.address))
    report('warning', ['admin', 'address'], openAdmin)
  const listen = written['listen'] ?? configSchema.shape.listen.parse(undefined)
  reportTakenPorts(salvageItems(listenerSchema, listen), admin, source, report)
  const own = ownFiles(admin, salvage(storeSchema, written['store'] ?? {}), origin.folder)
  reportTakenFiles(
    [
      [[], file],
      [['partners'], partnersFile],
      [['store', 'sqlite'], own.sqlite],
      [['store', 'journal'], own.journal],
      [['admin', 'socket'], own.socket],
      [['admin', 'tokens'], own.tokens],
      [['admin', 'audit'], own.audit],
    ],
    source,
    report,
  )
  return {
    source,
    problems,
    settings: checked.data,
    domains,
    internal,
    inside: insideAt(written['internal']),
    dialbackSecret,
    anchors,
    partnersFile,
    partners,
    own,
  }
}

const openAdmin =
  'the admin port speaks clear text, and others than this machine can reach it there: tokens can be read on the way; ' +
  'use 127.0.0.1 or ::1, and put a proxy that speaks TLS in front'

function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^::ffff:127\./i.test(address)
}

// Key by key: one that is wrong does not hide what is wrong with the others.
function loadInternal(section: unknown, origin: Origin, report: Report): InternalConfig | undefined {
  if (!isRecord(section)) return undefined // the schema has said what is wrong with it
  switch (section['connector']) {
    case 'embedded':
      return { connector: 'embedded' }
    case 'trunk':
      report(
        'error',
        ['internal', 'connector'],
        'connector trunk is not available in this version; use component or embedded',
      )
      return undefined
    case 'component': {
      const { host, port, secret: named } = salvage(componentSchema, section)
      const secret = named && loadSecret(named, ['internal', 'secret'], origin, report)
      const isMissed = 'secret' in section && secret === undefined && origin.env !== undefined
      return isMissed || host === undefined || port === undefined
        ? undefined
        : { connector: 'component', host, port, secret }
    }
    default:
      return undefined
  }
}

function hasSecret(section: unknown): boolean {
  return isRecord(section) && 'secret' in section
}

function insideAt(section: unknown): Survey['inside'] {
  if (!isRecord(section) || section['connector'] !== 'component') return undefined
  const { host, port } = salvage(componentSchema, section)
  return host === undefined || port === undefined ? undefined : { host, port }
}

const shortestPoolSecret = 32 // characters: whoever guesses the secret can make every key

function loadDialbackSecret(section: unknown, origin: Origin, report: Report): string | undefined {
  const { secret } = salvage(dialbackSchema, section)
  if (secret === undefined) return undefined
  const value = loadSecret(secret, ['dialback', 'secret'], origin, report)
  if (value !== undefined && value.length < shortestPoolSecret) {
    report('warning', ['dialback', 'secret'], `is short; use ${shortestPoolSecret} random characters or more`)
  }
  return value
}

function ownFiles(
  { socket, tokens, audit }: Partial<z.output<typeof adminSchema>>,
  { sqlite, journal }: Partial<z.output<typeof storeSchema>>,
  folder: string,
): Survey['own'] {
  const absolute = (name: string | undefined) => (name === undefined ? undefined : resolve(folder, name))
  const store =
    sqlite === undefined
      ? { sqlite: undefined, journal: absolute(journal) }
      : storeFiles({ sqlite, journal }, folder)
  return {
    ...store,
    socket: absolute(socket),
    tokens: absolute(tokens),
    audit: absolute(audit),
  }
}
