import { PassThrough } from 'node:stream'
import { z } from 'zod'
import type { Config } from '../config/schema.ts'
import type { Partner } from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import type { AttemptRecord, TimedStep } from '../xmpp/attempt.ts'
import { failureOf } from '../xmpp/attempt.ts'
import { defineLines, defineRoute, pageLimit, type Route } from './api.ts'
import { attemptJson, journalJson, probeLineJson, whyJson } from './attempt-json.ts'
import { requestedDomain } from './reply.ts'
import {
  type ComponentFault,
  explain,
  type JournalTrouble,
  type MeaningJson,
  meaningOf,
  type PartnerState,
} from './why.ts'

/** The attempts that are remembered, the newest first. */
export type Attempts = {
  list(domain: Domain | undefined, most: number): AttemptRecord[]
  /** What is wrong with the file that they are kept in. */
  readonly trouble: JournalTrouble | undefined
}

/** The answer of `GET /attempts`. */
export type AttemptsJson = {
  readonly attempts: readonly AttemptRecord[]
  readonly journal: JournalTrouble | null
}

/** Lines of a probe: each step as it happens, and at last what came of it, or why there was none. */
export type ProbeLine =
  | { readonly step: TimedStep }
  | { readonly outcome: AttemptRecord; readonly meaning: MeaningJson | null }
  | { readonly error: { readonly message: string } }

/** Makes a live attempt. @throws {ProbeRefused} when it may not be made, or is given up */
export type Probe = (
  pair: { readonly local: Domain | undefined; readonly remote: Domain },
  onStep: (step: TimedStep) => void,
  signal: AbortSignal,
) => Promise<AttemptRecord>

/** A probe may not be made, or was given up; the message says why. */
export class ProbeRefused extends Error {
  override readonly name = 'ProbeRefused'
}

/** The most attempts in one answer. */
export const mostAttempts = 500
/** What is summed up: about what the rings of a partner hold. */
const everything = 3000

/**
 * The routes of the journal.
 * @param config the configuration in force
 * @param stateOf how things stand with a partner, where the gateway runs
 * @param faultOf what keeps the inside from serving a partner domain
 */
export function journalRoutes(
  journal: Attempts,
  config: () => Pick<Config, 'partners'> & { readonly domains: { has(domain: Domain): boolean } },
  stateOf: (partner: Domain) => PartnerState | undefined,
  faultOf: (remote: Domain) => string | undefined,
): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/attempts',
      role: 'viewer',
      summary: 'The last attempts to have streams, the newest first.',
      answers: { 200: z.strictObject({ attempts: z.array(attemptJson).readonly(), journal: journalJson }) },
      query: z.strictObject({
        domain: z
          .string()
          .optional()
          .describe('Those of this partner, under any of its domains; or of a stranger.'),
        limit: pageLimit(mostAttempts, 50),
      }),
      handle: ({ query: { domain, limit } }) => {
        const attempts = journal.list(domain === undefined ? undefined : requestedDomain(domain), limit)
        return [200, { attempts, journal: journal.trouble ?? null }]
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/why',
      role: 'viewer',
      summary: 'How it stands with a domain, what failed last, why, and what to do about it.',
      answers: { 200: whyJson },
      query: z.strictObject({ domain: z.string() }),
      handle: ({ query }) => {
        const domain = requestedDomain(query.domain)
        const partner = config().partners.find(domain)
        const state = partner && stateOf(partner.primaryDomain)
        const inside = componentFaults(domain, partner, faultOf)
        const attempts = journal.list(domain, everything)
        const isLocal = (name: string) => config().domains.has(name as Domain)
        return [200, explain({ domain, partner, state, inside, isLocal, trouble: journal.trouble }, attempts)]
      },
    }),
  ]
}

/** Of the primary domain, all that is wrong with the partner's domains. */
function componentFaults(
  domain: Domain,
  partner: Partner | undefined,
  faultOf: (remote: Domain) => string | undefined,
): ComponentFault[] {
  const asked = domain === partner?.primaryDomain ? partner.domains : [domain]
  return asked.flatMap(of => {
    const reason = faultOf(of)
    return reason === undefined ? [] : [{ domain: of, reason }]
  })
}

/** The route that makes a live attempt; its answer comes line by line, blank ones while nothing happens. */
export function probeRoute(probe: Probe): Route {
  return defineLines({
    method: 'POST',
    path: '/probe',
    role: 'administrator',
    summary:
      'Makes a live attempt to authenticate with a partner; the answer comes line by line, blank lines among them.',
    body: z.strictObject({ domain: z.string(), from: z.string().optional() }),
    line: probeLineJson,
    handle: ({ domain, from }) => {
      const pair = {
        remote: requestedDomain(domain),
        local: from === undefined ? undefined : requestedDomain(from),
      }
      return linesOf((onStep, signal) => probe(pair, onStep, signal))
    },
  })
}

const signOfLifeMs = 5000

function linesOf(
  attempt: (onStep: (step: TimedStep) => void, signal: AbortSignal) => Promise<AttemptRecord>,
): PassThrough {
  const lines = new PassThrough()
  const abort = new AbortController()
  const write = (line: ProbeLine) => void lines.write(`${JSON.stringify(line)}\n`)
  const signsOfLife = setInterval(() => lines.write('\n'), signOfLifeMs)
  lines.once('close', () => {
    clearInterval(signsOfLife)
    abort.abort(new ProbeRefused('nobody waits for the probe any more'))
  })
  attempt(step => write({ step }), abort.signal)
    .then(outcome => write(outcomeLine(outcome)))
    .catch((error: unknown) =>
      write({ error: { message: error instanceof Error ? error.message : String(error) } }),
    )
    .finally(() => lines.end())
  return lines
}

/** The last line of a probe. */
export function outcomeLine(outcome: AttemptRecord): ProbeLine {
  const failure = failureOf(outcome)
  return { outcome, meaning: failure === undefined ? null : meaningOf(failure.code) }
}
