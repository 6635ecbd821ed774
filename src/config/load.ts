import { partnerList } from '../policy/partner.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'
import type { Environment } from './secrets.ts'
import { type Survey, surveyConfig } from './survey.ts'

/**
 * Reads a configuration, its partner list and every file and secret they name.
 * @param file relative to the working directory; it stands so in the problems
 * @throws {ConfigError} with everything that is wrong, in all files
 */
export function loadConfig(file: string, env: Environment): Config {
  return complete(surveyConfig(file, env))
}

/**
 * Reads a configuration for a probe, while the daemon does not run: its secrets may be there for it alone. Those of the inside are not
 * looked for, and that of dialback is left out where it is not to be had.
 * @throws {ConfigError} with everything else that is wrong, in all files
 */
export function loadForProbe(file: string, env: Environment): Config {
  return complete(surveyConfig(file, env, 'probe'))
}

function complete(survey: Survey): Config {
  const config = completeConfig(survey)
  if (config === undefined) throw new ConfigError(survey.problems)
  return config
}

/** What a survey comes to; undefined where there is an error among its problems. */
export function completeConfig(survey: Survey): Config | undefined {
  const { source, problems, settings, domains, internal, partnersFile, dialbackSecret, own } = survey
  const { sqlite, journal, socket, tokens, audit } = own
  if (settings === undefined || internal === undefined) return undefined
  if (problems.some(({ severity }) => severity === 'error')) return undefined
  if (!sqlite || !journal || !socket || !tokens || !audit) return undefined
  const { listen, dns, trust, admin, limits, timeouts, log, dialback } = settings
  return freeze({
    file: source.file,
    listen,
    domains,
    internal,
    partnersFile,
    partners: partnerList(survey.partners.flatMap(({ partner }) => partner ?? [])),
    dialback: { secret: dialbackSecret, replyToInvalidKey: dialback.replyToInvalidKey },
    dns: { servers: dns.servers, timeoutMs: dns.timeout },
    trust: {
      system: trust.system,
      anchorsPem: survey.anchors.map(({ path, pem }) => ({ path, pem })),
      requireClientAuthEku: trust.requireClientAuthEku,
    },
    store: { sqlite, journal },
    admin: { address: admin.address, port: admin.port, socket, tokens, hosts: admin.hosts, audit },
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

function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const held of Object.values(value)) freeze(held)
  return Object.freeze(value)
}
