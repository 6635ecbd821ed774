import { z } from 'zod'
import { entriesIn, readExport } from '../config/lync-export.ts'
import { openPartnerFile, type PartnerEdit } from '../config/partner-file.ts'
import { domainsOf, type Sorted, sortOut } from '../config/partner-import.ts'
import { defineRoute, type Route } from './api.ts'
import { listFor, reloadFor } from './discretion.ts'
import { fileRefusals, type PartnerParts, partnerAnswers, refusedBy } from './partner-answers.ts'
import { changePartners } from './partner-changes.ts'
import { partnerJson } from './partner-view.ts'
import { RequestError } from './reply.ts'

const mostImportBytes = 4_194_304
/** More would keep the gateway from its streams for seconds. */
const mostEntries = 5000
const flag = z.enum(['true', 'false']).default('false')

/** The route that takes over the partners of a Lync deployment, all of them or none. */
export function importRoute({ configFile, env, reload, audit }: PartnerParts): Route {
  return defineRoute({
    method: 'POST',
    path: '/partners/import',
    role: 'administrator',
    summary:
      'Adds the partners of `Get-CsXmppAllowedPartner | ConvertTo-Json`, 5000 at most; who is in the list already stays as he is.',
    query: z.strictObject({
      dryRun: flag.describe('Tells what would be added, and writes nothing.'),
      skipInvalid: flag.describe('Takes over what is right, where something is not.'),
    }),
    body: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
    bodyBytes: mostImportBytes,
    answers: { 200: partnerAnswers.imported, 422: partnerAnswers.refused },
    refusals: { 409: fileRefusals[409], 503: fileRefusals[503] },
    handle: async ({ caller, query, body }) => {
      const entries = entriesIn(body)
      if (entries > mostEntries)
        throw new RequestError(400, `an import may have ${mostEntries} entries, this one has ${entries}`)
      const exported = readExport(body)
      const list = listFor(caller, openPartnerFile(configFile(), env))
      let sorted: Sorted = { existing: [], refusals: [] }
      const edit: PartnerEdit['edit'] = (source, before) => {
        const { edited, ...rest } = sortOut(list, { source, before }, exported, query.skipInvalid === 'true')
        sorted = rest
        return edited
      }
      const isTrial = query.dryRun === 'true'
      const record = { action: 'partner.import', by: caller, audit }
      const outcome = await changePartners(list, { edit, settles: domainsOf(exported) }, record, isTrial)
      const { existing, refusals } = sorted
      if ('refusals' in outcome) return [422, refusedBy(refusals.length > 0 ? refusals : outcome.refusals)]
      const added = outcome.after.entries.slice(outcome.before.entries.length).flatMap(entry => {
        const partner = partnerJson(entry)
        return partner === undefined
          ? []
          : [{ partner, warnings: entry.problems.map(({ message }) => message) }]
      })
      const written = !isTrial && added.length > 0
      const notes = exported
        .filter(({ notes }) => notes.length > 0)
        .map(({ name, notes }) => ({ partner: name, notes: [...notes] }))
      const reloaded = written ? await reload?.() : undefined
      const report = reloaded === undefined ? null : reloadFor(caller, reloaded)
      return [
        200,
        { written, added, existing: [...existing], refusals: [...refusals], notes, reload: report },
      ]
    },
  })
}
