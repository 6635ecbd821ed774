import { writeFileSync } from 'node:fs'
import manifest from '../package.json' with { type: 'json' }
import { describeApi } from './admin/openapi.ts'
import { type ApiParts, apiRoutes } from './api-routes.ts'

/** The description of the API that is shipped: docs/openapi.json. */
export function apiDescription(): string {
  // Routes are described here, and never asked.
  const parts = {
    reload: async () => ({ reloaded: true, problems: [], warnings: [] }),
  } as unknown as ApiParts
  return `${JSON.stringify(describeApi(apiRoutes(parts), manifest.version), undefined, 2)}\n`
}

// Run by itself, it renews the shipped file.
if (import.meta.main) writeFileSync(new URL('../docs/openapi.json', import.meta.url), apiDescription())
