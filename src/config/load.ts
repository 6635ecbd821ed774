import { dirname, join, resolve } from 'node:path'
import { partnerList } from '../policy/partner.ts'
import { loadDomains } from './domains.ts'
import { loadAnchors } from './identities.ts'
import { loadPartners } from './partners.ts'
import { ConfigError } from './problems.ts'
import { beside, localNames, readConfigFile } from './read-config.ts'
import { type Report, reporter, salvage } from './report.ts'
import { type Config, configSchema, type InternalConfig } from './schema.ts'
import { loadSecret, type Origin } from './secrets.ts'

/**
 * Reads a configuration, its partner list and every file and secret they name.
 * @param file relative to the working directory; it stands so in the problems
 * @throws {ConfigError} with everything that is wrong, in all files
 */
export function loadConfig(file: string, env: NonNullable<Origin['env']>): Config {
  const { source, problems, checked } = readConfigFile(file)
  const report = reporter(source, problems)
  const origin = { folder: dirname(resolve(file)), env }
  const sound = salvage(configSchema, source.value)
  const domains = loadDomains(source.value['domains'], origin, report)
  const ownNames = localNames(source.value['domains'])
  const internal = loadInternal(sound.internal, origin, report)
  const dialbackSecret = loadDialbackSecret(sound.dialback, origin, report)
  const anchorsPem = loadAnchors(source.value['trust'], origin, report).map(({ path, pem }) => ({
    path,
    pem,
  }))
  const partnersFile = beside(file, sound.partners ?? 'partners.yaml')
  const partners = loadPartners(partnersFile, {
    isLocal: domain => ownNames.has(domain),
    // Where `internal` itself is faulty, its secret is not missed a second time in every partner.
    needsComponentSecret: internal?.connector === 'component' && internal.secret === undefined,
    origin: { folder: dirname(resolve(partnersFile)), env },
    problems,
    missing: fault => report('error', ['partners'], fault),
  })

  if (sound.admin !== undefined && !isLoopback(sound.admin.address))
    report('warning', ['admin', 'address'], openAdmin)
  if (!checked.success || internal === undefined || problems.some(({ severity }) => severity === 'error')) {
    throw new ConfigError(problems)
  }
  const { listen, dns, trust, store, admin, limits, timeouts, log, dialback } = checked.data
  return freeze({
    file,
    listen,
    domains,
    internal,
    partnersFile,
    partners: partnerList(partners.flatMap(({ partner }) => partner ?? [])),
    dialback: { secret: dialbackSecret, replyToInvalidKey: dialback.replyToInvalidKey },
    dns: { servers: dns.servers, timeoutMs: dns.timeout },
    trust: { system: trust.system, anchorsPem, requireClientAuthEku: trust.requireClientAuthEku },
    store: {
      sqlite: resolve(origin.folder, store.sqlite),
      journal: resolve(origin.folder, store.journal ?? join(dirname(store.sqlite), 'journal.db')),
    },
    admin: {
      address: admin.address,
      port: admin.port,
      socket: resolve(origin.folder, admin.socket),
      tokens: resolve(origin.folder, admin.tokens),
      hosts: admin.hosts,
      audit: resolve(origin.folder, admin.audit),
    },
    limits,
    timeouts: {
      streamEstablishmentMs: timeouts.streamEstablishment,
      dialbackMs: timeouts.dialback,
      connectMs: timeouts.connect,
      queueMs: timeouts.queue,
      inactivityMs: timeouts.inactivity,
      keepAliveMs: timeouts.keepAlive,
      shutdownMs: timeouts.shutdown,
    },
    log,
    warnings: problems,
  })
}

const openAdmin =
  'the admin port speaks clear text, and others than this machine can reach it there: tokens can be read on the way; ' +
  'use 127.0.0.1 or ::1, and put a proxy that speaks TLS in front'

function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^::ffff:127\./i.test(address)
}

type Sound = ReturnType<typeof salvage<(typeof configSchema)['shape']>>

function loadInternal(
  section: Sound['internal'],
  origin: Origin,
  report: Report,
): InternalConfig | undefined {
  switch (section?.connector) {
    case undefined:
      return undefined // the schema has said what is wrong with it
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
      const { connector, host, port } = section
      if (section.secret === undefined) return { connector, host, port, secret: undefined }
      const secret = loadSecret(section.secret, ['internal', 'secret'], origin, report)
      return secret === undefined ? undefined : { connector, host, port, secret }
    }
  }
}

const shortestPoolSecret = 32 // characters: whoever guesses the secret can make every key

function loadDialbackSecret(section: Sound['dialback'], origin: Origin, report: Report): string | undefined {
  if (section?.secret === undefined) return undefined
  const value = loadSecret(section.secret, ['dialback', 'secret'], origin, report)
  if (value !== undefined && value.length < shortestPoolSecret) {
    report('warning', ['dialback', 'secret'], `is short; use ${shortestPoolSecret} random characters or more`)
  }
  return value
}

function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const held of Object.values(value)) freeze(held)
  return Object.freeze(value)
}
