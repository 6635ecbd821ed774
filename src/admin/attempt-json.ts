import { z } from 'zod'
import { purposes, sides, stepNames } from '../xmpp/attempt.ts'
import { culprits, type ReasonCode, reasons } from '../xmpp/reason.ts'

const code = z.enum(Object.keys(reasons) as [ReasonCode, ...ReasonCode[]]).describe('See docs/reasons.md.')
const direction = z.enum(['in', 'out']).describe('Who opened the stream: in = the partner, out = we did.')
const why = { code, reason: z.string().describe('A sentence with the particulars.') }
const method = z.string().nullable().describe('Null = the stream is good for questions about keys alone.')

/** A step of an attempt. */
export const stepJson = z
  .looseObject({
    ms: z.int().describe('Since the attempt began.'),
    step: z.enum(stepNames),
  })
  .describe('What happened; each kind of step has fields of its own.')

/** An attempt to have a stream, and how the stream ended. */
export const attemptJson = z.strictObject({
  id: z.string(),
  direction,
  purpose: z.enum(purposes).describe('verification = to ask about dialback keys; probe = by an operator.'),
  local: z.string().nullable(),
  remote: z.string().nullable(),
  claimed: z
    .boolean()
    .describe('True = the peer came and said that it is `remote`, and proved nothing: it may be anybody.'),
  started: z.iso.datetime(),
  durationMs: z.int().describe('Until the outcome.'),
  steps: z.array(stepJson).readonly(),
  outcome: z.discriminatedUnion('is', [
    z.strictObject({ is: z.literal('authenticated'), method }),
    z.strictObject({ is: z.literal('failed'), ...why }),
  ]),
  closed: z
    .strictObject({ ...why, at: z.iso.datetime(), side: z.enum(sides) })
    .nullable()
    .describe('How the authenticated stream ended; null = it has not, or there was none.'),
})

/** What a code means. */
export const meaningJson = z
  .strictObject({ code, title: z.string(), fault: z.enum(culprits), remedy: z.string() })
  .describe('What a code means, whose fault it mostly is, and what to do.')

/** The answer of `GET /why`. */
export const whyJson = z.strictObject({
  domain: z.string(),
  partner: z.string().nullable().describe('The primary domain of the partner; null = nobody’s.'),
  partnerType: z.string().nullable(),
  state: z
    .strictObject({
      streams: z
        .array(
          z.strictObject({
            direction,
            local: z.string(),
            remote: z.string(),
            method: z.string(),
            since: z.iso.datetime(),
          }),
        )
        .readonly(),
      waiting: z.int().describe('Stanzas that wait for a stream.'),
      nextAttemptMs: z.int().nullable().describe('Where the next attempt is put off after a failure.'),
    })
    .nullable()
    .describe('Null = the domain is no partner’s.'),
  attempts: z.int().describe('In the journal.'),
  lastSuccess: attemptJson.nullable(),
  failures: z
    .array(
      z.strictObject({
        code,
        direction,
        claimed: z.boolean().describe('True = of peers that proved nothing; counted apart.'),
        count: z.int(),
        first: z.iso.datetime(),
        last: z.iso.datetime(),
      }),
    )
    .readonly()
    .describe('The most frequent first.'),
  lastFailure: attemptJson
    .nullable()
    .describe('One of a peer that proved nothing only where there is no other.'),
  lastClaim: attemptJson
    .nullable()
    .describe('The last failure of a peer that proved nothing, where it is not the last failure.'),
  meaning: meaningJson.nullable().describe('Of the code of the last failure.'),
  isMended: z.boolean().describe('It has worked since, in the same direction.'),
})

/** A line of the answer of `POST /probe`: the steps, and at last what came of it, or why it was not made. */
export const probeLineJson = z.union([
  z.strictObject({ step: stepJson }),
  z.strictObject({ outcome: attemptJson, meaning: meaningJson.nullable() }),
  z.strictObject({ error: z.strictObject({ message: z.string() }) }),
])
