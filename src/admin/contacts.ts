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
import { defineRoute, type Route } from './api.ts'
import { json, RequestError } from './reply.ts'

/** What operators do with the contacts. */
export type ContactOrders = {
  list(filter: ContactFilter, most: number, after?: ContactPage['next']): ContactPage
  /** @returns false where it was authorised before @throws {StoreError} when it cannot be written */
  allow(local: BareJid, remote: BareJid, order: Order): boolean
  /** @returns false where there was none @throws {StoreError} when it cannot be written */
  revoke(local: BareJid, remote: BareJid, order: Order): boolean
}

/** A contact as the API shows it. */
export type ContactJson = {
  readonly local: string
  readonly remote: string
  /** ISO 8601, UTC. */
  readonly since: string
  readonly words: Contact['words']
  readonly operator: string | null
  readonly reason: string | null
}

/** A page of the list; `next` is for `after`, null at the end. A page may be empty and not the last. */
export type ContactsJson = { readonly contacts: readonly ContactJson[]; readonly next: string | null }

/** What holds after a change. */
export type ContactChangeJson = {
  readonly local: string
  readonly remote: string
  readonly authorised: boolean
  /** False where that was so before. */
  readonly changed: boolean
}

/** The most contacts on one page. */
export const mostContacts = 1000

/**
 * The routes of contacts: list, allow, revoke.
 * @param config the configuration in force
 */
export function contactRoutes(contacts: ContactOrders, config: () => Config): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/contacts',
      role: 'viewer',
      query: z.strictObject({
        local: z.string().optional(),
        remote: z.string().optional(),
        limit: z.coerce.number().int().min(1).max(mostContacts).default(100),
        after: z.string().regex(cursor, 'is none that a page has given as next').optional(),
      }),
      handle: ({ query }) => {
        const filter = {
          local: query.local === undefined ? undefined : bareOf(query.local),
          remote: query.remote === undefined ? undefined : bareOf(query.remote),
        }
        const page = contacts.list(filter, query.limit, pairOf(query.after))
        const next = page.next === undefined ? null : `${page.next.local} ${page.next.remote}`
        return json(200, { contacts: page.contacts.map(asJson), next } satisfies ContactsJson)
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/contacts/{local}/{remote}',
      role: 'administrator',
      body: z.strictObject({ reason: reasonText.optional() }),
      handle: ({ caller, parameters, body }) => {
        const { local, remote } = pairIn(parameters)
        mustBeUsers(local, remote, config())
        const order = { operator: caller.name, reason: body.reason }
        const changed = written(() => contacts.allow(local, remote, order))
        const outcome: ContactChangeJson = { local, remote, authorised: true, changed }
        return json(changed ? 201 : 200, outcome)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/contacts/{local}/{remote}',
      role: 'administrator',
      handle: ({ caller, parameters }) => {
        // Also of a domain that is no partner's any more.
        const { local, remote } = pairIn(parameters)
        const changed = written(() => contacts.revoke(local, remote, { operator: caller.name }))
        if (!changed) throw new RequestError(404, `${remote} is not an authorised contact of ${local}`)
        const outcome: ContactChangeJson = { local, remote, authorised: false, changed }
        return json(200, outcome)
      },
    }),
  ]
}

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
function mustBeUsers(local: BareJid, remote: BareJid, { domains, partners }: Config): void {
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

function asJson({ local, remote, since, words, operator, reason }: Contact): ContactJson {
  const who = { operator: operator ?? null, reason: reason ?? null }
  return { local, remote, since: since.toISOString(), words, ...who }
}
