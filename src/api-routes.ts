import manifest from '../package.json' with { type: 'json' }
import type { Route } from './admin/api.ts'
import type { Audit } from './admin/audit.ts'
import { type ContactOrders, contactRoutes } from './admin/contacts.ts'
import type { Readiness } from './admin/health.ts'
import { type InsideState, insideRoutes } from './admin/inside.ts'
import { type Attempts, journalRoutes, type Probe, probeRoute } from './admin/journal.ts'
import { partnerRoutes } from './admin/partners.ts'
import { type ReloadOutcome, reloadRoutes } from './admin/reload.ts'
import { sessionRoutes } from './admin/sessions.ts'
import { type HealthJson, statusRoutes } from './admin/status.ts'
import { factsOf } from './certificate-facts.ts'
import type { Config } from './config/schema.ts'
import type { Environment } from './config/secrets.ts'
import type { Directory } from './federation/directory.ts'
import { parsePem } from './identity/certificate.ts'
import { sessionsOf } from './sessions.ts'
import type { Credential } from './transport/tls.ts'

/** What the API shows and changes. */
export type ApiParts = {
  readonly config: () => Config
  /** Where secrets come from. */
  readonly env: Environment
  readonly contacts: ContactOrders
  readonly directory: Directory
  readonly inside: InsideState
  readonly credentials: () => readonly Credential[]
  readonly readiness: () => Readiness
  readonly listening: HealthJson['listening']
  /** Reads the configuration anew and uses it; undefined = whoever has started the gateway does that himself. */
  readonly reload: (() => Promise<ReloadOutcome>) | undefined
  readonly audit: Audit
  readonly journal: Attempts
  readonly probe: Probe
}

/** Every route of a gateway that runs. Whoever has more to show or to change adds his routes here. */
export function apiRoutes(parts: ApiParts): readonly Route[] {
  const { config, env, contacts, directory, inside, credentials, reload, audit, journal, probe } = parts
  return [
    ...statusRoutes(healthOf(parts), () => certificatesOf(credentials())),
    ...insideRoutes(inside, config),
    ...contactRoutes(contacts, config, audit),
    ...partnerRoutes({ configFile: () => config().file, env, reload, audit }),
    ...sessionRoutes(sessionsOf(directory), audit),
    ...journalRoutes(
      journal,
      config,
      partner => directory.stateOf(partner),
      of => inside.faultOf(of),
    ),
    probeRoute(probe),
    ...(reload === undefined ? [] : reloadRoutes(reload, audit)),
  ]
}

function healthOf({ readiness, listening }: ApiParts): () => HealthJson {
  const started = new Date()
  return () => ({
    ...readiness(),
    version: manifest.version,
    started: started.toISOString(),
    uptimeSeconds: Math.floor((Date.now() - started.getTime()) / 1000),
    listening,
  })
}

function certificatesOf(credentials: readonly Credential[]) {
  return credentials.flatMap(({ domain, certificatePem }) => {
    const [leaf] = parsePem(certificatePem)
    return leaf === undefined ? [] : [{ domain, ...factsOf(leaf, new Date()) }]
  })
}
