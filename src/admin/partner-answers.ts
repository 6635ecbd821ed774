import { z } from 'zod'
import { FileEditError } from '../config/edit-file.ts'
import type { Judged } from '../config/partner-file.ts'
import type { Refusal } from '../config/partner-list.ts'
import { ConfigError, formatProblem } from '../config/problems.ts'
import type { Environment } from '../config/secrets.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Route } from './api.ts'
import type { Audit } from './audit.ts'
import { type PartnerJson, partnerJson, partnerJsonSchema } from './partner-view.ts'
import { type ReloadOutcome, reloadOutcome } from './reload.ts'
import { errorJson, RequestError } from './reply.ts'

/** What the routes of partners work on. */
export type PartnerParts = {
  /** The configuration that names the list. */
  readonly configFile: () => string
  /** Where the gateway finds secrets: what it could not load is not written. */
  readonly env: Environment
  /** Puts the new list into force; undefined = whoever has started the gateway does that himself. */
  readonly reload: (() => Promise<ReloadOutcome>) | undefined
  readonly audit: Audit
}

const warnings = z
  .array(z.string())
  .describe('What there is to know of it, the notes of the matrix among that.')
const refusals = z
  .array(z.strictObject({ partner: z.string(), message: z.string() }))
  .describe('What is wrong, and with which partner; an empty name stands for the list as a whole.')
const reload = reloadOutcome
  .nullable()
  .describe(
    'Whether the gateway works by the new list; null = nothing was changed, or it waits for its reload.',
  )

/** The answers that concern partners. */
export const partnerAnswers = {
  list: z.strictObject({
    partners: z.array(partnerJsonSchema),
    next: z.string().nullable().describe('For `after`; null at the end.'),
  }),
  one: partnerJsonSchema,
  change: z.strictObject({ partner: partnerJsonSchema, warnings, reload }),
  verdict: z.strictObject({
    valid: z.boolean(),
    partner: partnerJsonSchema.nullable().describe('What it would be; null where it is not valid.'),
    warnings,
    refusals,
  }),
  imported: z.strictObject({
    written: z.boolean(),
    added: z.array(z.strictObject({ partner: partnerJsonSchema, warnings })),
    existing: z.array(z.string()).describe('Those in the list already, which stay as they are.'),
    refusals,
    notes: z
      .array(z.strictObject({ partner: z.string(), notes: z.array(z.string()) }))
      .describe('What could not be carried over.'),
    reload,
  }),
  refused: errorJson.extend({ refusals }),
}

/** A partner with what there is to know of it. */
export type PartnerFound = { readonly partner: PartnerJson; readonly warnings: string[] }

/** The entry of a partner, by its primary domain. */
export function partnerIn({ entries }: Judged, domain: Domain): PartnerFound | undefined {
  const entry = entries.find(({ partner }) => partner?.primaryDomain === domain)
  const partner = entry && partnerJson(entry)
  return partner && { partner, warnings: entry.problems.map(({ message }) => message) }
}

/** Why nothing is written. */
export function refusedBy(refusals: readonly Refusal[]): z.output<typeof partnerAnswers.refused> {
  const message = refusals
    .map(one => `${one.partner === '' ? '' : `${one.partner}: `}${one.message}`)
    .join('; ')
  return { error: { message }, refusals: refusals.map(one => ({ ...one })) }
}

const unusable = 'the configuration, or the partner list as it stands, does not load'

/** With which statuses files refuse. */
export const fileRefusals = {
  404: 'it is not in the partner list',
  409: unusable,
  503: 'the list, or the record of the change, cannot be written',
} as const

/** A route that works on files; what is wrong with them is told to whoever asks, as 409 or 503. */
export function onFiles(route: Route): Route {
  return {
    ...route,
    answer: async (...call) => {
      try {
        return await route.answer(...call)
      } catch (error) {
        if (error instanceof ConfigError) {
          throw new RequestError(409, `${unusable}: ${error.problems.map(formatProblem).join('; ')}`)
        }
        if (error instanceof FileEditError) throw new RequestError(503, error.message)
        throw error
      }
    },
  }
}
