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
    .describe('How the stream ended; null = it has not, or there was none.'),
})

/** What a code means. */
export const meaningJson = z
  .strictObject({ code, title: z.string(), fault: z.enum(culprits), remedy: z.string() })
  .describe('What a code means, whose fault it mostly is, and what to do.')

/** What is wrong with the file of the journal. */
export const journalJson = z
  .strictObject({
    since: z.iso.datetime(),
    reason: z.string(),
    isReadable: z.boolean().describe('False = attempts from before are missing here.'),
  })
  .nullable()
  .describe('What is wrong with the file of the journal: attempts are in memory alone. Null = it is written.')

const explanation = {
  lastSuccess: attemptJson.nullable(),
  lastFailure: attemptJson
    .nullable()
    .describe(
      'One of a peer that proved nothing only where there is no other, or that one is mended and this one is not.',
    ),
  lastClaim: attemptJson
    .nullable()
    .describe(
      'The last failure of a peer that proved nothing, where it is not the last failure and it has not worked since.',
    ),
  meaning: meaningJson.nullable().describe('Of the code of the last failure.'),
  isMended: z.boolean().describe('It has worked since the last failure.'),
}

const wayJson = z
  .strictObject({
    direction,
    purpose: z.enum(['stanzas', 'verification']).describe('verification = to ask about dialback keys.'),
    local: z.string().nullable().describe('Null = none of our domains.'),
    remote: z.string().nullable(),
    isUp: z.boolean().describe('A stream for stanzas is up.'),
    isFailing: z.boolean().describe('It has failed and not worked since, and a domain of ours is concerned.'),
    isAsked: z.boolean().describe('Of the domain that was asked about.'),
    ...explanation,
  })
  .describe('Two domains and a direction.')

/** The answer of `GET /why`. */
export const whyJson = z.strictObject({
  domain: z.string(),
  isOwn: z.boolean().describe('It is one of our own domains.'),
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
      negotiating: z
        .array(
          z.strictObject({
            direction,
            local: z.string().nullable(),
            remote: z.string(),
            address: z.string().nullable().describe('Where the partner comes from; null = we go there.'),
            since: z.iso.datetime(),
            soFar: z.strictObject(why).nullable().describe('What has gone wrong until now; null = nothing.'),
          }),
        )
        .readonly()
        .describe('Attempts under way, 20 at most. Who comes has proven nothing yet, and may be anybody.'),
      waiting: z.int().describe('Stanzas that wait for a stream.'),
      nextAttemptMs: z.int().nullable().describe('Where the next attempt is put off after a failure.'),
    })
    .nullable()
    .describe('Null = the domain is no partner’s.'),
  inside: z
    .array(z.strictObject({ domain: z.string(), reason: z.string() }))
    .readonly()
    .describe(
      'Why this domain, or one of the partner where it is the primary one, is no component of the server inside.',
    ),
  isFailing: z
    .boolean()
    .describe('One of the ways of this domain is failing; of a primary domain, one of the partner.'),
  attempts: z.int().describe('In the journal.'),
  failures: z
    .array(
      z.strictObject({
        code,
        direction,
        local: z.string().nullable(),
        remote: z.string().nullable(),
        claimed: z.boolean().describe('True = of peers that proved nothing; counted apart.'),
        count: z.int(),
        first: z.iso.datetime(),
        last: z.iso.datetime(),
      }),
    )
    .readonly()
    .describe('The most frequent first, 100 at most.'),
  ...explanation,
  ways: z
    .array(wayJson)
    .readonly()
    .describe(
      'Those of the partner, each by itself, 100 at most: those of this domain first, and of them those that fail.',
    ),
  waysOmitted: z.int().describe('How many more there are.'),
  journal: journalJson,
})

/** A line of the answer of `POST /probe`: the steps, and at last what came of it, or why it was not made. */
export const probeLineJson = z.union([
  z.strictObject({ step: stepJson }),
  z.strictObject({ outcome: attemptJson, meaning: meaningJson.nullable() }),
  z.strictObject({ error: z.strictObject({ message: z.string() }) }),
])
