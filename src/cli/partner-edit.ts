import { changePartners, type OnRecord } from '../admin/partner-changes.ts'
import { RequestError } from '../admin/reply.ts'
import { FileEditError } from '../config/edit-file.ts'
import type { EditOutcome, Judged, PartnerFile } from '../config/partner-file.ts'
import { ConfigError } from '../config/problems.ts'
import { parseYaml, type YamlSource } from '../config/yaml-source.ts'
import type { Domain } from '../xmpp/address.ts'
import { type ReloadReport, requestReload } from './reload.ts'

/** What became of the reload after an edit. */
export type EditReport = ReloadReport & {
  /** True = the gateway could not use the edit, and the list is as it was before. */
  readonly undone?: true
}

type Written = Exclude<EditOutcome, { refusals: unknown }>

/**
 * Asks the running gateway to use an edit; where the edit is what it cannot use, the old list is put back, so that the
 * next start does not fail over it. Where somebody has changed the list since, it stays.
 * @throws {ConfigError} when the configuration does not tell where the gateway is
 */
export async function reloadOrUndo(
  config: string,
  list: PartnerFile,
  { was, text }: Written,
  record: OnRecord,
): Promise<EditReport> {
  const report = await requestReload(config, record.by)
  if (report.outcome !== 'refused' || was === text || !report.problems.some(isOfAnEntry)) return report
  const edit = (now: YamlSource) =>
    now.text === text ? parseYaml(now.file, was) : { refusals: changedSince }
  try {
    const change = { edit, settles: new Set<Domain>() }
    const undone = await changePartners(list, change, { ...record, action: 'partner.undo' })
    return 'refusals' in undone ? report : { ...report, undone: true }
  } catch (error) {
    const isForeseen = [ConfigError, FileEditError, RequestError].some(kind => error instanceof kind)
    if (!isForeseen) throw error
    const why = `the partner list cannot be put back: ${(error as Error).message}`
    return { ...report, problems: [...report.problems, why] }
  }
}

/** What is left to do where an edit brings domains: the server inside takes no component that it was not told of. */
export function insideLines({ hasServerInside }: PartnerFile, { before, after }: Written): string[] {
  if (!hasServerInside) return []
  const known = new Set(domainsIn(before))
  const brought = domainsIn(after).filter(domain => !known.has(domain))
  if (brought.length === 0) return []
  const names = brought.length > mostNamed ? `all ${brought.length} new domains` : brought.join(', ')
  return [`tell the server inside of ${names}, too: docs/inside.md`]
}

const mostNamed = 10

function domainsIn({ entries }: Judged): readonly Domain[] {
  return entries.flatMap(({ partner }) => partner?.domains ?? [])
}

/** What the gateway alone can tell of the secrets of these partners, where it does not run. */
export function unseen({ after }: Written, domains: readonly Domain[]): string[] {
  return after.entries.flatMap(({ sound: { primaryDomain, componentSecret } }) => {
    if (primaryDomain === undefined || !domains.includes(primaryDomain)) return []
    if (typeof componentSecret !== 'object' || !('env' in componentSecret)) return []
    const { env } = componentSecret
    return [
      `componentSecret: the gateway will not start unless ${env} is set in its environment, which is not seen from here`,
    ]
  })
}

const changedSince = [{ partner: '', message: 'the list was changed since' }]

/** Has this a position in a file? */
export function isOfAFile(problem: string): boolean {
  return /:\d+:\d+: /.test(problem)
}

/** A fault of the configuration itself was there before the edit. */
function isOfAnEntry(problem: string): boolean {
  return /:\d+:\d+: partners\[\d+\]/.test(problem)
}
