import { z } from 'zod'
import {
  type EditOutcome,
  editPartnerFile,
  type Judged,
  openPartnerFile,
  type PartnerEdit,
  readPartnerFile,
} from '../config/partner-file.ts'
import {
  addPartners,
  changePartner,
  type Edited,
  type PartnerKey,
  removePartner,
  type WrittenPartner,
} from '../config/partner-list.ts'
import { partnerSchema } from '../config/schema.ts'
import type { YamlSource } from '../config/yaml-source.ts'
import type { Domain } from '../xmpp/address.ts'
import { type Caller, defineRoute, pageLimit, type Route } from './api.ts'
import { listFor, reloadFor } from './discretion.ts'
import {
  fileRefusals,
  onFiles,
  type PartnerParts,
  partnerAnswers,
  partnerIn,
  refusedBy,
} from './partner-answers.ts'
import { changePartners } from './partner-changes.ts'
import { importRoute } from './partner-import.ts'
import { partnerJson } from './partner-view.ts'
import { RequestError, requestedDomain } from './reply.ts'

const { primaryDomain, ...settings } = partnerSchema.shape
const entryBody = z.strictObject(settings)
const wholeBody = z.strictObject({ primaryDomain, ...settings })
// What has a default in the list has none here: what is not named stays.
const nullable = Object.fromEntries(
  Object.entries<z.ZodType>(settings).map(([key, schema]) => [
    key,
    (schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema).nullable().optional(),
  ]),
)
const patchBody = z.strictObject({ ...nullable, partnerType: settings.partnerType.optional() })

/** The most partners on one page. */
export const mostPartners = 1000

/** The routes of partners: read, validate, add, change, remove, import. They work on the list in its file, as the commands do. */
export function partnerRoutes(parts: PartnerParts): readonly Route[] {
  const { audit } = parts
  const open = (caller: Caller) => listFor(caller, openPartnerFile(parts.configFile(), parts.env))
  const reload = async (caller: Caller, { was, text }: Exclude<EditOutcome, { refusals: unknown }>) => {
    const outcome = was === text ? undefined : await parts.reload?.()
    return outcome === undefined ? null : reloadFor(caller, outcome)
  }
  return [
    defineRoute({
      method: 'GET',
      path: '/partners',
      role: 'viewer',
      summary: 'The partner list, by primary domain, a page at a time.',
      query: z.strictObject({
        limit: pageLimit(mostPartners),
        after: z.string().max(253).optional().describe('What a page has given as next.'),
      }),
      answers: { 200: partnerAnswers.list },
      refusals: { 409: fileRefusals[409] },
      handle: async ({ caller, query: { limit, after = '' } }) => {
        const { entries } = readPartnerFile(open(caller))
        const found = entries
          .flatMap(({ partner }, at) => (partner === undefined ? [] : [{ name: partner.primaryDomain, at }]))
          .filter(({ name }) => name > after)
          .sort((one, other) => (one.name < other.name ? -1 : 1))
        const page = found.slice(0, limit)
        const partners = page.flatMap(({ at }) => partnerJson(entries[at]!) ?? [])
        return [200, { partners, next: found.length > limit ? page.at(-1)!.name : null }]
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/partners/{domain}',
      role: 'viewer',
      summary: 'The partner that a domain belongs to.',
      answers: { 200: partnerAnswers.one },
      refusals: { 404: fileRefusals[404], 409: fileRefusals[409] },
      handle: async ({ caller, parameters }) => {
        const domain = requestedDomain(parameters['domain']!)
        const { entries } = readPartnerFile(open(caller))
        const entry = entries.find(({ partner }) => partner?.domains.includes(domain))
        const found = entry && partnerJson(entry)
        if (found === undefined) throw notThere(domain)
        return [200, found]
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/partners/{domain}',
      role: 'administrator',
      summary:
        'Adds a partner, or replaces all that stands in its entry; comments and order of the file stay.',
      body: entryBody,
      answers: { 200: partnerAnswers.change, 201: partnerAnswers.change, 422: partnerAnswers.refused },
      refusals: { 409: fileRefusals[409], 503: fileRefusals[503] },
      handle: async ({ caller, parameters, given }) => {
        const domain = requestedDomain(parameters['domain']!)
        let isThere = false
        const edit: PartnerEdit['edit'] = (list, before) => {
          isThere = has(before, domain)
          return putPartner(list, before, domain, given as WrittenPartner)
        }
        const record = { action: () => `partner.${isThere ? 'change' : 'add'}`, by: caller, audit }
        const outcome = await changePartners(open(caller), { edit, settles: new Set([domain]) }, record)
        if ('refusals' in outcome) return [422, refusedBy(outcome.refusals)]
        const found = partnerIn(outcome.after, domain)!
        return [isThere ? 200 : 201, { ...found, reload: await reload(caller, outcome) }]
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/partners/{domain}',
      role: 'administrator',
      summary: 'Changes single settings of a partner; null takes one out, so that its preset holds.',
      body: patchBody,
      answers: { 200: partnerAnswers.change, 422: partnerAnswers.refused },
      refusals: fileRefusals,
      handle: async ({ caller, parameters, given }) => {
        const domain = requestedDomain(parameters['domain']!)
        const named = Object.entries(given ?? {}) as [PartnerKey, unknown][]
        const set = Object.fromEntries(named.filter(([, value]) => value !== null)) as WrittenPartner
        const clear = named.filter(([, value]) => value === null).map(([key]) => key)
        const isSettled = named.some(([key]) => negotiation.includes(key))
        const edit: PartnerEdit['edit'] = (list, before) => {
          if (!has(before, domain)) throw notThere(domain)
          return changePartner(list, domain, { set, clear })
        }
        const record = { action: 'partner.change', by: caller, audit }
        const change = { edit, settles: new Set(isSettled ? [domain] : []) }
        const outcome = await changePartners(open(caller), change, record)
        if ('refusals' in outcome) return [422, refusedBy(outcome.refusals)]
        return [200, { ...partnerIn(outcome.after, domain)!, reload: await reload(caller, outcome) }]
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/partners/{domain}',
      role: 'administrator',
      summary: 'Takes a partner out of the list, with all its domains; its streams are closed.',
      answers: { 200: partnerAnswers.change, 422: partnerAnswers.refused },
      refusals: fileRefusals,
      handle: async ({ caller, parameters }) => {
        const domain = requestedDomain(parameters['domain']!)
        const edit: PartnerEdit['edit'] = (list, before) => {
          if (!has(before, domain)) throw notThere(domain)
          return removePartner(list, domain)
        }
        const record = { action: 'partner.remove', by: caller, audit }
        const outcome = await changePartners(open(caller), { edit, settles: new Set() }, record)
        if ('refusals' in outcome) return [422, refusedBy(outcome.refusals)]
        const found = partnerIn(outcome.before, domain)!
        return [200, { ...found, warnings: [], reload: await reload(caller, outcome) }]
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/partners/validate',
      role: 'administrator',
      summary: 'Says what a partner would be, and what is wrong with it; changes nothing.',
      body: wholeBody,
      answers: { 200: partnerAnswers.verdict },
      refusals: { 409: fileRefusals[409] },
      handle: async ({ caller, body: { primaryDomain: domain }, given }) => {
        const { primaryDomain: _, ...entry } = given as WrittenPartner
        const edit: PartnerEdit['edit'] = (list, before) => putPartner(list, before, domain, entry)
        const outcome = await editPartnerFile(open(caller), { edit, settles: new Set([domain]) }, true)
        if ('refusals' in outcome) {
          return [200, { valid: false, partner: null, warnings: [], refusals: [...outcome.refusals] }]
        }
        return [200, { valid: true, ...partnerIn(outcome.after, domain)!, refusals: [] }]
      },
    }),
    importRoute(parts),
  ].map(onFiles)
}

const negotiation: readonly string[] = [
  'partnerType',
  'tlsNegotiation',
  'saslNegotiation',
  'dialbackNegotiation',
]

function has({ entries }: Judged, domain: Domain): boolean {
  return entries.some(({ partner }) => partner?.primaryDomain === domain)
}

/** Adds a partner, or replaces all that its entry says. */
function putPartner(list: YamlSource, before: Judged, domain: Domain, entry: WrittenPartner): Edited {
  if (!has(before, domain)) return addPartners(list, [{ ...entry, primaryDomain: domain }])
  const clear = (Object.keys(settings) as PartnerKey[]).filter(key => !(key in entry))
  return changePartner(list, domain, { set: entry, clear })
}

function notThere(domain: Domain): RequestError {
  return new RequestError(404, `${domain} is not the primary domain of a partner in the list`)
}
