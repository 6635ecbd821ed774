import { z } from 'zod'
import type { Domain } from '../xmpp/address.ts'
import { defineRoute, pageLimit, type Route } from './api.ts'
import type { Audit } from './audit.ts'
import { RequestError, requestedDomain } from './reply.ts'

const sessionJson = z.strictObject({
  id: z.string().describe('Of this gateway, until it ends.'),
  direction: z.enum(['in', 'out']).describe('Who opened the stream: in = the partner, out = we did.'),
  state: z
    .enum(['negotiating', 'verifying', 'authenticated', 'closing'])
    .describe('verifying = it is open to ask about dialback keys, and carries no stanzas.'),
  pairs: z
    .array(
      z.strictObject({
        local: z.string().nullable(),
        remote: z.string().nullable(),
        method: z.enum(['sasl-external-tls', 'dialback-tls', 'dialback-tcp']).nullable(),
      }),
    )
    .describe('The domains on it, and how each pair was authenticated; null = not yet, or not known.'),
  tls: z.strictObject({ version: z.string(), cipher: z.string() }).nullable(),
  certificate: z
    .enum(['valid', 'invalid', 'none'])
    .nullable()
    .describe('How the partner’s certificate was judged at the last authentication; null = not yet.'),
  address: z.string().nullable().describe('Where the partner is.'),
  since: z.iso.datetime(),
  stanzasIn: z.int(),
  stanzasOut: z.int(),
})

/** A stream with a partner as the API shows it. */
export type SessionJson = Readonly<z.output<typeof sessionJson>>

const sessionsJson = z.strictObject({
  sessions: z.array(sessionJson),
  next: z.string().nullable().describe('For `after`; null at the end.'),
})

/** A page of the list. */
export type SessionsJson = Readonly<z.output<typeof sessionsJson>>

/** What operators do with streams. */
export type SessionOrders = {
  /** Every stream there is, the oldest first. */
  list(): readonly SessionJson[]
  /** Closes one in good order. @returns false where there is none */
  close(id: string, reason: string): boolean
}

/** The most streams on one page. */
export const mostSessions = 1000

/** The routes of streams: list, close. */
export function sessionRoutes(sessions: SessionOrders, audit: Audit): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/sessions',
      role: 'viewer',
      summary: 'The streams with partners that there are now, the oldest first, a page at a time.',
      answers: { 200: sessionsJson },
      query: z.strictObject({
        domain: z.string().optional().describe('Those of this domain, ours or a partner’s.'),
        limit: pageLimit(mostSessions),
        after: z
          .string()
          .regex(/^[0-9a-f]{8}-\d{1,15}$/, 'is none that a page has given as next')
          .optional(),
      }),
      handle: ({ query: { domain, limit, after } }) => {
        const wanted = domain === undefined ? undefined : requestedDomain(domain)
        const found = sessions.list().filter(session => isBehind(session.id, after) && isOf(session, wanted))
        const page = found.slice(0, limit)
        return [200, { sessions: page, next: found.length > limit ? page.at(-1)!.id : null }]
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/sessions/{id}',
      role: 'administrator',
      summary: 'Closes a stream in good order; what is waiting for it goes over another.',
      answers: { 200: sessionJson },
      refusals: { 404: 'there is no such stream', 503: 'the change cannot be put on record' },
      handle: async ({ caller, parameters }) => {
        const id = parameters['id']!
        const before = sessions.list().find(session => session.id === id)
        if (before === undefined) throw new RequestError(404, `there is no stream ${JSON.stringify(id)}`)
        const change = { action: 'session.close', subject: id, before, after: null }
        await audit.record(caller, change, () => {
          if (sessions.close(id, `closed by ${caller.name}`)) return
          throw new RequestError(404, `there is no stream ${JSON.stringify(id)} any more`)
        })
        return [200, before]
      },
    }),
  ]
}

/** Ids are counted up; those of a gateway that has ended are none. */
function isBehind(id: string, after: string | undefined): boolean {
  return after === undefined || Number(id.split('-')[1]) > Number(after.split('-')[1])
}

function isOf({ pairs }: SessionJson, wanted: Domain | undefined): boolean {
  return wanted === undefined || pairs.some(({ local, remote }) => local === wanted || remote === wanted)
}
