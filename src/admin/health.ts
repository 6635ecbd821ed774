/** Whether the gateway does its work, and if not, why. */
export type Readiness = { readonly ready: boolean; readonly detail: string }

/** What the admin port tells without authentication. */
export type HealthSources = {
  readonly readiness: () => Readiness
  readonly metrics: () => string
}

/** An answer of the admin port. */
export type Reply = {
  readonly status: number
  readonly type: string
  readonly body: string
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

/** An answer in JSON. */
export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}
