import { z } from 'zod'
import type { Config } from '../config/schema.ts'
import type { Contact, ContactFilter, ContactPage, Order } from '../store/contact-list.ts'
import { StoreError } from '../store/database.ts'
import {
  type BareJid,
  canonicalBare,
  type Domain,
  domainOf,
  isDomainItself,
  parseJid,
} from '../xmpp/address.ts'
import { defineRoute, pageLimit, type Route } from './api.ts'
import type { Audit } from './audit.ts'
import { RequestError } from './reply.ts'

/** What operators do with the contacts. */
export type ContactOrders = {
  has(local: BareJid, remote: BareJid): boolean
  /** What is on disk of a contact. */
  find(local: BareJid, remote: BareJid): Contact | undefined
  list(filter: ContactFilter, most: number, after?: ContactPage['next']): ContactPage
  /** @returns false where an operator had authorised it before @throws {StoreError} when it cannot be written */
  allow(local: BareJid, remote: BareJid, order: Order): boolean
  /** @returns false where there was none @throws {StoreError} when it cannot be written */
  revoke(local: BareJid, remote: BareJid, order: Order): boolean
}

const contactJson = z.strictObject({
  local: z.string(),
  remote: z.string(),
  since: z.iso.datetime(),
  words: z
    .array(z.enum(['subscribe', 'subscribed']))
    .describe('What the local user has sent to it, and not taken back.'),
  operator: z.string().nullable().describe('Who allowed it; null = the local user alone.'),
  approved: z
    .boolean()
    .describe('The gateway has approved its subscription itself. That alone authorises nobody.'),
  reason: z.string().nullable(),
})

/** A contact as the API shows it. */
export type ContactJson = Readonly<z.output<typeof contactJson>>

const contactsJson = z.strictObject({
  contacts: z.array(contactJson),
  next: z
    .string()
    .nullable()
    .describe('For `after`; null at the end. A page may be empty, and not the last.'),
})

/** A page of the list. */
export type ContactsJson = Readonly<z.output<typeof contactsJson>>

const contactChangeJson = z.strictObject({
  local: z.string(),
  remote: z.string(),
  authorised: z.boolean(),
  changed: z.boolean().describe('False where that was so before; of `allow`, where an operator had said so.'),
})

/** What holds after a change. */
export type ContactChangeJson = Readonly<z.output<typeof contactChangeJson>>

/** The most contacts on one page. */
export const mostContacts = 1000

/** Whose users there are. */
export type Users = {
  readonly domains: { has(domain: Domain): boolean; keys(): Iterable<Domain> }
  readonly partners: Config['partners']
}

/**
 * The routes of contacts: list, allow, revoke.
 * @param config the configuration in force
 */
export function contactRoutes(contacts: ContactOrders, config: () => Users, audit: Audit): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/contacts',
      role: 'viewer',
      summary:
        'Authorised contacts, and those whose subscription the gateway has approved, in order, a page at a time.',
      answers: { 200: contactsJson },
      query: z.strictObject({
        local: z.string().optional(),
        remote: z.string().optional(),
        limit: pageLimit(mostContacts),
        after: z.string().regex(cursor, 'is none that a page has given as next').optional(),
      }),
      handle: ({ query }) => {
        const filter = {
          local: query.local === undefined ? undefined : bareOf(query.local),
          remote: query.remote === undefined ? undefined : bareOf(query.remote),
        }
        const page = contacts.list(filter, query.limit, pairOf(query.after))
        const next = page.next === undefined ? null : `${page.next.local} ${page.next.remote}`
        return [200, { contacts: page.contacts.map(asJson), next }]
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/contacts/{local}/{remote}',
      role: 'administrator',
      summary: "Authorises a partner's user to reach a local user, also whom that one has added himself.",
      answers: { 200: contactChangeJson, 201: contactChangeJson },
      refusals: { 422: 'not a local user, or not a partner’s', 503: unwritten },
      body: z.strictObject({ reason: reasonText.optional() }).default({}),
      handle: async ({ caller, parameters, body }) => {
        const { local, remote } = pairIn(parameters)
        mustBeUsers(local, remote, config())
        const order = { operator: caller.name, reason: body.reason }
        const known = contacts.has(local, remote) ? contacts.find(local, remote) : undefined
        const answer = { local, remote, authorised: true }
        if (known?.operator !== undefined) return [200, { ...answer, changed: false }]
        // Whom the user has added himself may be allowed besides: that holds whatever his roster says.
        const before = known === undefined ? null : asJson(known)
        const change = { action: 'contact.allow', subject: `${local} ${remote}`, before, after: order }
        await audit.record(caller, change, () => written(() => contacts.allow(local, remote, order)))
        return [known === undefined ? 201 : 200, { ...answer, changed: true }]
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/contacts/{local}/{remote}',
      role: 'administrator',
      summary:
        'Ends an authorisation, whatever it came from, and a subscription that the gateway has approved.',
      answers: { 200: contactChangeJson },
      refusals: { 404: 'there is no such contact', 503: unwritten },
      handle: async ({ caller, parameters }) => {
        // Also of a domain that is no partner's any more.
        const { local, remote } = pairIn(parameters)
        const known = contacts.find(local, remote)
        if (known === undefined)
          throw new RequestError(404, `${remote} is not an authorised contact of ${local}`)
        const subject = `${local} ${remote}`
        const change = { action: 'contact.revoke', subject, before: asJson(known), after: null }
        const order = { operator: caller.name }
        await audit.record(caller, change, () => written(() => contacts.revoke(local, remote, order)))
        return [200, { local, remote, authorised: false, changed: true }]
      },
    }),
  ]
}

const unwritten = 'the disk does not take the change, or not its record'
const cursor = /^[^ ]+ [^ ]+$/

// It is shown on terminals.
const reasonText = z
  .string()
  .trim()
  .min(1, 'is empty')
  .max(500, 'may have 500 characters at most')
  .regex(/^\P{Cc}*$/u, 'may have no control characters')

function pairOf(after: string | undefined): ContactPage['next'] {
  if (after === undefined) return undefined
  const [local, remote] = after.split(' ') as [BareJid, BareJid]
  return { local, remote }
}

function pairIn(parameters: Readonly<Record<string, string>>): { local: BareJid; remote: BareJid } {
  return { local: bareOf(parameters['local']!), remote: bareOf(parameters['remote']!) }
}

function bareOf(address: string): BareJid {
  const bare = canonicalBare(address)
  if (bare === undefined) throw new RequestError(400, `${JSON.stringify(address)} is not an XMPP address`)
  if (parseJid(address)?.resource === undefined) return bare
  throw new RequestError(400, `${JSON.stringify(address)} has a resource; contacts are without: ${bare}`)
}

/** Refuses what no stanza could ever come from or go to. */
function mustBeUsers(local: BareJid, remote: BareJid, { domains, partners }: Users): void {
  for (const bare of [local, remote]) {
    if (isDomainItself(bare))
      throw new RequestError(400, `${bare} is a domain; a contact is one user's: NAME@${bare}`)
  }
  const [localDomain, remoteDomain] = [domainOf(local), domainOf(remote)] as [Domain, Domain]
  if (!domains.has(localDomain)) {
    const known = [...domains.keys()].slice(0, mostNamed).join(', ')
    throw new RequestError(
      422,
      `${localDomain} is not a local domain (${known}); the local user is named first`,
    )
  }
  if (partners.find(remoteDomain) === undefined) {
    throw new RequestError(422, `${remoteDomain} is no partner's domain; add it to the partner list first`)
  }
}

const mostNamed = 10

/** A change that the disk has to take. */
function written(change: () => boolean): boolean {
  try {
    return change()
  } catch (error) {
    if (error instanceof StoreError) throw new RequestError(503, `nothing was changed: ${error.message}`)
    throw error
  }
}

function asJson({ local, remote, since, words, operator, isApproved, reason }: Contact): ContactJson {
  const who = { operator: operator ?? null, approved: isApproved, reason: reason ?? null }
  return { local, remote, since: since.toISOString(), words: [...words], ...who }
}
