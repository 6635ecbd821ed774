import { defineRoute, type Route } from './api.ts'
import { json } from './reply.ts'

/** What became of a reload. */
export type ReloadOutcome = {
  /** False where everything stays as it was. */
  readonly reloaded: boolean
  /** What is wrong, each with its position where it has one; of a reload that went well, the warnings. */
  readonly problems: readonly string[]
}

/**
 * The route of a reload. 200 with the warnings where it went well; 409 where nothing has changed, with the problems.
 * @param reload reads the configuration anew
 */
export function reloadRoutes(reload: () => Promise<ReloadOutcome>): readonly Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/reload',
      role: 'administrator',
      handle: async () => {
        const { reloaded, problems } = await reload()
        if (reloaded) return json(200, { reloaded, problems } satisfies ReloadOutcome)
        const message = 'the configuration cannot be used, the old one stays in force'
        return json(409, { reloaded, problems, error: { message } })
      },
    }),
  ]
}
