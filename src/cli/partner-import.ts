import { readBytes } from '../config/files.ts'
import { editPartnerFile, openPartnerFile, type PartnerFile, refusalsOf } from '../config/partner-file.ts'
import { addPartners, type Edited, type Refusal } from '../config/partner-list.ts'
import type { Domain } from '../xmpp/address.ts'
import type { CommandOptions, Host } from './host.ts'
import { type ExportedPartner, exportCommand, parseExport, readExport } from './lync-export.ts'
import { count, formatJson, printable } from './output.ts'
import { concludeEdit, refuse, reportingFaults } from './partner.ts'
import { type PartnerJson, partnerJson, settingsLine } from './partner-view.ts'
import { type ReloadReport, requestReload } from './reload.ts'

export type ImportOptions = CommandOptions & { readonly dryRun: boolean; readonly skipInvalid: boolean }

/** `partner import`: the partners of a Lync deployment, all of them or none; who is in the list already stays as he is. */
export function importPartners(
  file: string,
  { config, json, dryRun, skipInvalid }: ImportOptions,
  host: Host,
): Promise<number> {
  return reportingFaults(host, async () => {
    const read = readBytes(file)
    if ('fault' in read) return refuse([{ partner: '', message: read.fault }], host)
    const parsed = parseExport(read.bytes)
    if ('fault' in parsed) return refuse([{ partner: file, message: parsed.fault }], host)
    const exported = readExport(parsed.value)
    const list = openPartnerFile(config)
    let sorted: Sorted = { existing: [], refusals: [] }
    const edit = (text: string): Edited => {
      const { edited, ...rest } = sortOut(list, text, exported, skipInvalid)
      sorted = rest
      return edited
    }
    const outcome = await editPartnerFile(list, { edit, settles: domainsOf(exported) }, dryRun)
    // The list itself may have been the obstacle, after everything else was right.
    if ('refusals' in outcome && sorted.refusals.length === 0) sorted = { ...sorted, ...outcome }
    const added = 'refusals' in outcome ? [] : outcome.after.entries.slice(outcome.before.entries.length)
    const isWritten = !dryRun && added.length > 0
    const imported: Imported = {
      file: list.file,
      written: isWritten,
      added: added.map(entry => ({
        partner: partnerJson(entry)!,
        warnings: entry.problems.map(({ message }) => message),
      })),
      ...sorted,
      notes: exported.flatMap(({ name, notes }) => (notes.length > 0 ? [{ partner: name, notes }] : [])),
      reload: isWritten ? await requestReload(config) : null,
    }
    refuse(sorted.refusals, host)
    if (exported.some(({ needsNames }) => needsNames)) {
      host.err(`gatehouse: export again, with names for numbers:\n${exportCommand}\n`)
    }
    if (json) host.out(formatJson(imported))
    else tell(imported, dryRun, host)
    if ('refusals' in outcome) {
      host.err('gatehouse: nothing is written; --skip-invalid takes over what is right\n')
      return 1
    }
    return imported.reload === null ? 0 : concludeEdit(imported.reload, json, host)
  })
}

type Imported = Sorted & {
  readonly file: string
  readonly written: boolean
  readonly added: readonly { readonly partner: PartnerJson; readonly warnings: readonly string[] }[]
  readonly notes: readonly { readonly partner: string; readonly notes: readonly string[] }[]
  readonly reload: ReloadReport | null
}

function tell({ added, existing, refusals, notes }: Imported, dryRun: boolean, { out, err }: Host): void {
  for (const { partner, notes: texts } of notes) {
    for (const text of texts) out(`${partner}: ${printable(text)}\n`)
  }
  for (const partner of existing) out(`${partner}: is in the list already, and stays as it is\n`)
  for (const { partner, warnings } of added) {
    out(`${partner.primaryDomain}: ${dryRun ? 'would be added' : 'added'}: ${settingsLine(partner)}\n`)
    for (const warning of warnings) err(`${partner.primaryDomain}: warning: ${warning}\n`)
  }
  const figures = [`${added.length} ${dryRun ? 'to add' : 'added'}`, `${existing.length} there already`]
  out(`${[...figures, count(refusals.length, 'error')].join(', ')}\n`)
}

/** Who of an export is in the list already, and what cannot be taken over. */
type Sorted = { readonly existing: readonly string[]; readonly refusals: readonly Refusal[] }

function sortOut(
  list: PartnerFile,
  text: string,
  exported: readonly ExportedPartner[],
  skipInvalid: boolean,
): Sorted & { readonly edited: Edited } {
  const listed = new Set<unknown>(list.judge(text).entries.map(({ partner }) => partner?.primaryDomain))
  const existing = exported.filter(({ entry }) => listed.has(entry.primaryDomain)).map(({ name }) => name)
  const fresh = exported.filter(({ entry }) => !listed.has(entry.primaryDomain))
  const refusals: Refusal[] = fresh.flatMap(({ name, refusals }) =>
    refusals.map(message => ({ partner: name, message })),
  )
  const candidates = fresh.filter(one => one.refusals.length === 0)
  const whole = addPartners(
    text,
    candidates.map(({ entry }) => entry),
  )
  if ('refusals' in whole) return { existing, refusals: [...refusals, ...whole.refusals], edited: whole }
  refusals.push(...refusalsOf(list, whole.text, domainsOf(candidates)))
  if (refusals.length === 0) return { existing, refusals, edited: whole }
  if (!skipInvalid) return { existing, refusals, edited: { refusals } }
  const wrong = new Set(refusals.map(({ partner }) => partner))
  const right = candidates.filter(({ name }) => !wrong.has(name))
  return {
    existing,
    refusals,
    edited: addPartners(
      text,
      right.map(({ entry }) => entry),
    ),
  }
}

function domainsOf(exported: readonly ExportedPartner[]): ReadonlySet<Domain> {
  return new Set(exported.flatMap(({ entry }) => (entry.primaryDomain as Domain | undefined) ?? []))
}
