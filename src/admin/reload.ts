import { z } from 'zod'
import { defineRoute, type Route } from './api.ts'
import type { Audit } from './audit.ts'
import { reloadFor } from './discretion.ts'
import { errorJson } from './reply.ts'

/** What the API tells of a reload. */
export const reloadOutcome = z.strictObject({
  reloaded: z.boolean().describe('False where everything stays as it was.'),
  problems: z
    .array(z.string())
    .describe('What is wrong, each with its position where it has one; none where it went well.'),
  warnings: z
    .array(z.string())
    .describe(
      'What there is to know besides, each with its position, or the section that waits for a restart.',
    ),
})

/** What became of a reload. */
export type ReloadOutcome = Readonly<z.output<typeof reloadOutcome>>

/**
 * The route of a reload. 200 with the warnings where it went well; 409 where nothing has changed, with the problems.
 * @param reload reads the configuration anew
 */
export function reloadRoutes(reload: () => Promise<ReloadOutcome>, audit: Audit): readonly Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/reload',
      role: 'administrator',
      summary: 'Reads configuration, partner list and certificates anew.',
      answers: {
        200: reloadOutcome,
        409: reloadOutcome.extend(errorJson.shape),
      },
      refusals: { 503: 'it cannot be put on record' },
      handle: async ({ caller }) => {
        const change = { action: 'reload', subject: 'configuration', before: null, after: null }
        const fail = audit.note(caller, change)
        const done = await reload()
        if (!done.reloaded) fail(new Error(done.problems.join('; ')))
        const { reloaded, ...rest } = reloadFor(caller, done)
        if (reloaded) return [200, { reloaded, ...rest }]
        const message = 'the configuration cannot be used, the old one stays in force'
        return [409, { reloaded, ...rest, error: { message } }]
      },
    }),
  ]
}
