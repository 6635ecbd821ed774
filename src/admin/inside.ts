import { z } from 'zod'
import type { Config } from '../config/schema.ts'
import type { Privileges } from '../policy/privileges.ts'
import type { Domain } from '../xmpp/address.ts'
import { defineRoute, type Route } from './api.ts'

/** A local and a partner's domain. */
type Pair = { readonly local: Domain; readonly remote: Domain }

/** How it stands between the gateway and the server inside. */
export type InsideState = {
  /** What keeps the connector from serving, in words. */
  readonly faults: () => readonly string[]
  /** What keeps it from serving one partner domain. */
  readonly faultOf: (remote: Domain) => string | undefined
  readonly privileges: (pair: Pair) => Privileges
  /** Where contact requests go to the users for want of a privilege. */
  readonly missing: () => readonly Pair[]
}

const pair = z.strictObject({ local: z.string(), remote: z.string() })
const insideJson = z.strictObject({
  faults: z.array(z.string()).readonly().describe('What keeps the connector from serving.'),
  grants: z.array(pair.extend({ presence: z.boolean(), roster: z.boolean() })).readonly(),
  missing: z
    .array(pair)
    .readonly()
    .describe('Where contact requests go to the users for want of a privilege.'),
})

/** What the server inside grants to the component of each partner domain, by local domain (XEP-0356). */
export type InsideJson = {
  readonly faults: readonly string[]
  readonly grants: readonly (Pair & Privileges)[]
  readonly missing: readonly Pair[]
}

/**
 * The route that tells of the server inside.
 * @param config the configuration in force
 */
export function insideRoutes(inside: InsideState, config: () => Config): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/inside',
      role: 'viewer',
      summary:
        'What the server inside grants to the component of each partner domain (XEP-0356), and what is wrong with it.',
      answers: { 200: insideJson },
      handle: () => {
        const { domains, partners } = config()
        const grants = partners.all.flatMap(partner =>
          partner.domains.flatMap(remote =>
            Array.from(domains.keys(), local => ({ local, remote, ...inside.privileges({ local, remote }) })),
          ),
        )
        const answer: InsideJson = { faults: inside.faults(), grants, missing: inside.missing() }
        return [200, answer]
      },
    }),
  ]
}
