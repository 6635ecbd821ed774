import { json, type Reply } from './reply.ts'

/** Whether the gateway does its work, and if not, why. */
export type Readiness = { readonly ready: boolean; readonly detail: string }

/** What the admin port tells without authentication. */
export type HealthSources = {
  readonly readiness: () => Readiness
  readonly metrics: () => string
}

/** Answers the three paths that monitoring asks for; undefined for any other. */
export function answerHealth(path: string, sources: HealthSources): Reply | undefined {
  switch (path) {
    case '/healthz':
      return json(200, { status: 'alive' })
    case '/readyz': {
      const { ready, detail } = sources.readiness()
      return json(ready ? 200 : 503, { ready, detail })
    }
    case '/metrics':
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: sources.metrics() }
    default:
      return undefined
  }
}
