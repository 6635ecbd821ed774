import type { Config } from './config/schema.ts'
import { ComponentConnector } from './internal/component.ts'
import type { Connector, InsideEnvironment } from './internal/connector.ts'
import { EmbeddedConnector } from './internal/embedded.ts'
import type { Log } from './telemetry/log.ts'
import type { Domain } from './xmpp/address.ts'

/** Who hears of the component streams. */
export type InsideReports = {
  readonly connected: (remote: Domain) => void
  /** One that had been up is lost. */
  readonly lost: (remote: Domain) => void
}

/**
 * Makes the way to the server inside that the configuration names.
 * @param config as the gateway was started with; `current` what is in force now
 */
export function connectInside(
  config: Config,
  current: () => Config,
  log: Log,
  reports: InsideReports,
  environment: InsideEnvironment,
): Connector {
  const { internal, limits, timeouts } = config
  if (internal.connector === 'embedded') return new EmbeddedConnector(environment)
  const secretFor = (domain: Domain) => {
    const { internal: now, partners } = current()
    // Of another server it is not for this one: what waits for a restart waits as a whole.
    const isSame = now.connector !== 'embedded' && now.host === internal.host && now.port === internal.port
    return partners.find(domain)?.componentSecret ?? (isSame ? now : internal).secret ?? ''
  }
  return new ComponentConnector(
    {
      host: internal.host,
      port: internal.port,
      secretFor,
      connectMs: timeouts.connectMs,
      limits,
      queue: () => {
        const { limits, timeouts } = current()
        return { stanzas: limits.queueStanzas, bytes: limits.queueBytes, waitMs: timeouts.queueMs }
      },
    },
    {
      connected: domain => {
        log.event({ event: 'internal.connected', domain })
        reports.connected(domain)
      },
      disconnected: (domain, reason, wasUp) => {
        if (wasUp) {
          log.event({ event: 'internal.disconnected', domain, reason })
          reports.lost(domain)
        } else log.warn('internal server not reached', { domain, reason })
      },
    },
    environment,
  )
}
