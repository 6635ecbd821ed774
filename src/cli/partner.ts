import { auditFile } from '../admin/audit.ts'
import { changePartners } from '../admin/partner-changes.ts'
import { partnerJson } from '../admin/partner-view.ts'
import { RequestError } from '../admin/reply.ts'
import { readAdminFiles } from '../config/admin-files.ts'
import { FileEditError } from '../config/edit-file.ts'
import { type ListChanges, type ListDifferences, listDifferences } from '../config/list-changes.ts'
import {
  type EditOutcome,
  openPartnerFile,
  type PartnerEdit,
  readPartnerFile,
} from '../config/partner-file.ts'
import {
  addPartners,
  changePartner,
  type PartnerKey,
  type Refusal,
  removePartner,
  type WrittenPartner,
} from '../config/partner-list.ts'
import { ConfigError } from '../config/problems.ts'
import type { YamlSource } from '../config/yaml-source.ts'
import type { Domain } from '../xmpp/address.ts'
import type { CommandOptions, Host } from './host.ts'
import { operatorOf } from './operator.ts'
import { formatJson, formatProblems, formatTable, printable, tellError, tellWarning } from './output.ts'
import { type EditReport, insideLines, isOfAFile, reloadOrUndo, unseen } from './partner-edit.ts'
import { listLines, partnerRows, settingsLine } from './partner-view.ts'
import { tellReload } from './reload.ts'

/** `partner list`: the partners, a line for each. */
export function listPartners({ config, json }: CommandOptions, host: Host): Promise<number> {
  return reportingFaults(host, async () => {
    const { entries } = readPartnerFile(openPartnerFile(config))
    const partners = entries.flatMap(entry => partnerJson(entry) ?? [])
    if (json) host.out(formatJson(partners))
    else if (partners.length === 0) host.out('no partners\n')
    else {
      const head = ['partner', 'additional', 'type', 'TLS', 'SASL', 'dialback', 'methods, strongest first']
      const rows = partners.map(partner => [
        partner.primaryDomain,
        partner.additionalDomains.join(', ') || '-',
        partner.partnerType,
        partner.tlsNegotiation,
        partner.saslNegotiation,
        String(partner.dialbackNegotiation),
        partner.methods.join(', '),
      ])
      host.out(formatTable([head, ...rows]))
    }
    return 0
  })
}

/** `partner show`: everything about the partner that a domain belongs to. */
export function showPartner(domain: Domain, { config, json }: CommandOptions, host: Host): Promise<number> {
  return reportingFaults(host, async () => {
    const { entries } = readPartnerFile(openPartnerFile(config))
    const found = entries.find(({ partner }) => partner?.domains.includes(domain))
    const partner = found && partnerJson(found)
    if (partner === undefined) {
      return refuse([{ partner: domain, message: 'is not in the partner list' }], host)
    }
    host.out(json ? formatJson(partner) : formatTable(partnerRows(partner)))
    return 0
  })
}

/** `partner add`: a new partner at the end of the list. */
export function addPartner(
  domain: Domain,
  values: WrittenPartner,
  options: CommandOptions,
  host: Host,
): Promise<number> {
  const edit = (list: YamlSource) => addPartners(list, [{ primaryDomain: domain, ...values }])
  return change('added', domain, { edit, settles: new Set([domain]) }, options, host)
}

/** `partner set`: single settings of a partner; those that are cleared fall back to their preset. */
export function setPartner(
  domain: Domain,
  values: {
    readonly set: WrittenPartner
    readonly clear: readonly PartnerKey[]
    readonly lists: ListChanges
  },
  options: CommandOptions,
  host: Host,
): Promise<number> {
  const keys = [...Object.keys(values.set), ...values.clear]
  const settles = new Set(keys.some(key => negotiationKeys.includes(key)) ? [domain] : [])
  return change(
    'changed',
    domain,
    { edit: list => changePartner(list, domain, values), settles },
    options,
    host,
  )
}

const negotiationKeys = ['partnerType', 'tlsNegotiation', 'saslNegotiation', 'dialbackNegotiation']

/** `partner remove`: a partner with all its domains. */
export function dropPartner(domain: Domain, options: CommandOptions, host: Host): Promise<number> {
  const edit = (list: YamlSource) => removePartner(list, domain)
  return change('removed', domain, { edit, settles: new Set() }, options, host)
}

/** Runs a command; what is wrong with files goes to standard error, and is exit status 1. */
export async function reportingFaults(host: Host, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems, host))
    else if (error instanceof FileEditError || error instanceof RequestError)
      tellError(`gatehouse: ${error.message}`, host)
    else throw error
    return 1
  }
}

/** Tells why nothing is written. @returns the exit status */
export function refuse(refusals: readonly Refusal[], host: Host): 1 {
  for (const { partner, message } of refusals) {
    tellError(`gatehouse: ${printable(partner === '' ? message : `${partner}: ${message}`)}`, host)
  }
  return 1
}

/** Tells of a reload that follows an edit. @returns the exit status */
export function concludeEdit(report: EditReport, json: boolean, host: Host): number {
  if (report.undone) {
    if (json) host.out(formatJson({ change: null, reload: report }))
    for (const problem of report.problems) tellError(problem, host)
    tellError('gatehouse: the gateway cannot use this, so the partner list is put back as it was', host)
    return 1
  }
  const isGood = report.outcome === 'reloaded' || report.outcome === 'not running'
  // What there is to know of all that was there before is for `check` and `reload`.
  const warnings = isGood ? report.warnings.filter(warning => !isOfAFile(warning)) : report.warnings
  if (!json || !isGood) tellReload({ ...report, warnings }, host)
  return isGood ? 0 : 1
}

type Deed = 'added' | 'changed' | 'removed'

const actions = { added: 'add', changed: 'change', removed: 'remove' } as const satisfies Record<Deed, string>

function change(
  deed: Deed,
  domain: Domain,
  edit: PartnerEdit,
  { config, json }: CommandOptions,
  host: Host,
): Promise<number> {
  return reportingFaults(host, async () => {
    const list = openPartnerFile(config)
    const audit = auditFile(readAdminFiles(config).audit)
    const record = { action: `partner.${actions[deed]}`, by: operatorOf(host), audit }
    const outcome = await changePartners(list, edit, record)
    if ('refusals' in outcome) return refuse(outcome.refusals, host)
    const { partner, warnings } = partnerIn(outcome, deed === 'removed' ? 'before' : 'after', domain)
    const file = list.file
    if (outcome.text === outcome.was) {
      if (json)
        host.out(formatJson({ change: 'unchanged', file, partner, lists: {}, warnings, reload: null }))
      else tell(domain, `unchanged in ${file}`, warnings, host)
      return 0
    }
    const lists = deed === 'changed' ? { lists: changesIn(outcome, domain) } : {}
    const report = await reloadOrUndo(config, list, outcome, record)
    if (report.outcome === 'not running' && deed !== 'removed') warnings.push(...unseen(outcome, [domain]))
    if (report.undone) return concludeEdit(report, json, host)
    if (json) host.out(formatJson({ change: deed, file, partner, ...lists, warnings, reload: report }))
    else {
      const now = partner === undefined || deed === 'removed' ? [] : [settingsLine(partner)]
      const text = [
        `${deed} in ${file}`,
        ...now,
        ...listLines(lists.lists ?? {}),
        ...insideLines(list, outcome),
      ].join('\n')
      tell(domain, text, warnings, host)
    }
    return concludeEdit(report, json, host)
  })
}

function tell(domain: Domain, text: string, warnings: readonly string[], host: Host): void {
  host.out(`${domain}: ${text}\n`)
  for (const warning of warnings) tellWarning(`${domain}: warning: ${warning}`, host)
}

function changesIn(
  { before, after }: Exclude<EditOutcome, { refusals: unknown }>,
  domain: Domain,
): ListDifferences {
  const [was, now] = [before, after].map(
    ({ entries }) => entries.find(({ partner }) => partner?.primaryDomain === domain)?.written ?? {},
  )
  return listDifferences(was ?? {}, now ?? {})
}

function partnerIn(
  outcome: Exclude<EditOutcome, { refusals: unknown }>,
  when: 'before' | 'after',
  domain: Domain,
) {
  const entry = outcome[when].entries.find(({ partner }) => partner?.primaryDomain === domain)
  const warnings = when === 'before' ? [] : (entry?.problems ?? []).map(({ message }) => message)
  return { partner: entry && partnerJson(entry), warnings }
}
