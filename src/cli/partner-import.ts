import { createReadStream, statSync } from 'node:fs'
import { auditFile } from '../admin/audit.ts'
import { changePartners } from '../admin/partner-changes.ts'
import { type PartnerJson, partnerJson } from '../admin/partner-view.ts'
import { readAdminFiles } from '../config/admin-files.ts'
import { readBytes, readStream } from '../config/files.ts'
import { exportCommand, parseExport, readExport } from '../config/lync-export.ts'
import { openPartnerFile, type PartnerEdit } from '../config/partner-file.ts'
import { domainsOf, type Sorted, sortOut } from '../config/partner-import.ts'
import type { CommandOptions, Host } from './host.ts'
import { operatorOf } from './operator.ts'
import { count, formatJson, printable, tellError, tellWarning } from './output.ts'
import { concludeEdit, refuse, reportingFaults } from './partner.ts'
import { insideLines, reloadOrUndo } from './partner-edit.ts'
import { settingsLine } from './partner-view.ts'
import type { ReloadReport } from './reload.ts'

export type ImportOptions = CommandOptions & { readonly dryRun: boolean; readonly skipInvalid: boolean }

/** `partner import`: the partners of a Lync deployment, all of them or none; who is in the list already stays as he is. */
export function importPartners(
  file: string,
  { config, json, dryRun, skipInvalid }: ImportOptions,
  host: Host,
): Promise<number> {
  return reportingFaults(host, async () => {
    const read = await readExportFile(file, host)
    if ('fault' in read) return refuse([{ partner: '', message: read.fault }], host)
    const parsed = parseExport(read.bytes)
    if ('fault' in parsed)
      return refuse([{ partner: file === '-' ? 'standard input' : file, message: parsed.fault }], host)
    const exported = readExport(parsed.value)
    const list = openPartnerFile(config)
    let sorted: Sorted = { existing: [], refusals: [] }
    const edit: PartnerEdit['edit'] = (source, before) => {
      const { edited, ...rest } = sortOut(list, { source, before }, exported, skipInvalid)
      sorted = rest
      return edited
    }
    const settles = domainsOf(exported)
    const audit = auditFile(readAdminFiles(config).audit)
    const record = { action: 'partner.import', by: operatorOf(host), audit }
    const outcome = await changePartners(list, { edit, settles }, record, dryRun)
    // The list itself may have been the obstacle, after everything else was right.
    if ('refusals' in outcome && sorted.refusals.length === 0) sorted = { ...sorted, ...outcome }
    const added = 'refusals' in outcome ? [] : outcome.after.entries.slice(outcome.before.entries.length)
    const isWritten = !dryRun && added.length > 0
    const report =
      isWritten && !('refusals' in outcome) ? await reloadOrUndo(config, list, outcome, record) : null
    if (report?.undone) return concludeEdit(report, json, host)
    const imported: Imported = {
      file: list.file,
      written: isWritten,
      added: added.map(entry => ({
        partner: partnerJson(entry)!,
        warnings: entry.problems.map(({ message }) => message),
      })),
      ...sorted,
      notes: exported.flatMap(({ name, notes }) => (notes.length > 0 ? [{ partner: name, notes }] : [])),
      reload: report,
    }
    refuse(sorted.refusals, host)
    if (exported.some(({ needsNames }) => needsNames)) {
      host.err(`gatehouse: export again, with names for numbers:\n${exportCommand}\n`)
    }
    if (json) host.out(formatJson(imported))
    else tell(imported, dryRun, host)
    if (isWritten && !json && !('refusals' in outcome))
      host.out(
        insideLines(list, outcome)
          .map(line => `${line}\n`)
          .join(''),
      )
    if ('refusals' in outcome) {
      const hint = skipInvalid ? '' : '; --skip-invalid takes over what is right'
      tellError(`gatehouse: nothing is written${hint}`, host)
      return 1
    }
    return report === null ? 0 : concludeEdit(report, json, host)
  })
}

/** Of a file, of standard input, or of what a shell makes of `<(…)`: a pipe. */
async function readExportFile(file: string, { input }: Host): ReturnType<typeof readStream> {
  if (file === '-' || file === '/dev/stdin') {
    return input === undefined
      ? { fault: 'there is no standard input to read' }
      : await readStream(input(), 'standard input')
  }
  return isPipe(file) ? await readStream(createReadStream(file), file) : readBytes(file)
}

function isPipe(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFIFO() === true
  } catch {
    return false // to read it tells why
  }
}

type Imported = Sorted & {
  readonly file: string
  readonly written: boolean
  readonly added: readonly { readonly partner: PartnerJson; readonly warnings: readonly string[] }[]
  readonly notes: readonly { readonly partner: string; readonly notes: readonly string[] }[]
  readonly reload: ReloadReport | null
}

function tell({ added, existing, refusals, notes }: Imported, dryRun: boolean, host: Host): void {
  const { out } = host
  for (const { partner, notes: texts } of notes) {
    for (const text of texts) out(`${partner}: ${printable(text)}\n`)
  }
  for (const partner of existing) out(`${partner}: is in the list already, and stays as it is\n`)
  for (const { partner, warnings } of added) {
    out(`${partner.primaryDomain}: ${dryRun ? 'would be added' : 'added'}: ${settingsLine(partner)}\n`)
    for (const warning of warnings) tellWarning(`${partner.primaryDomain}: warning: ${warning}`, host)
  }
  const figures = [`${added.length} ${dryRun ? 'to add' : 'added'}`, `${existing.length} there already`]
  out(`${[...figures, count(refusals.length, 'error')].join(', ')}\n`)
}
