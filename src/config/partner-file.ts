import { dirname, resolve } from 'node:path'
import { judgeNewSettings, negotiationOf } from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import { editFile } from './edit-file.ts'
import { readText } from './files.ts'
import type { Edited, Refusal } from './partner-list.ts'
import { judgePartners, type ListedPartner, noListFault } from './partners.ts'
import { ConfigError, type ConfigProblem, unreadable } from './problems.ts'
import { beside, localNames, readConfigFile } from './read-config.ts'
import type { Environment, Origin } from './secrets.ts'
import { parseYaml, type YamlSource } from './yaml-source.ts'

/** The partner list of a configuration, as commands read and change it. */
export type PartnerFile = {
  readonly file: string
  /** True where partner domains are components of a server inside, which has to be told of each. */
  readonly hasServerInside: boolean
  /** What stands in it; no secret is looked for, so that everybody may read who is listed. */
  readonly judge: (list: YamlSource) => Judged
  /** What stands in one that is about to be written: its secrets are looked for, too. */
  readonly judgeNew: (list: YamlSource) => Judged
}

/** The entries of a partner list, and everything that is wrong with it, or worth knowing. */
export type Judged = {
  readonly entries: readonly ListedPartner[]
  readonly problems: readonly ConfigProblem[]
}

/** A change of the list. */
export type PartnerEdit = {
  readonly edit: (list: YamlSource, before: Judged) => Edited
  /** Whose negotiation settings it gives anew. */
  readonly settles: ReadonlySet<Domain>
}

/** The list before and after a change, or why there was none. */
export type EditOutcome =
  | { readonly was: string; readonly text: string; readonly before: Judged; readonly after: Judged }
  | { readonly refusals: readonly Refusal[] }

/**
 * Opens the partner list of a configuration. Of the configuration, its own text alone is judged.
 * @param env of the daemon; left out = this is another process, and cannot tell what is in there
 * @throws {ConfigError} with everything that is wrong in that text
 */
export function openPartnerFile(configFile: string, env: Environment | 'not ours' = 'not ours'): PartnerFile {
  const { source, problems, checked } = readConfigFile(configFile)
  if (!checked.success || problems.length > 0) throw new ConfigError(problems)
  const { internal, partners } = checked.data
  const ownNames = localNames(source.value['domains'])
  const file = beside(configFile, partners)
  const judgeWith = (list: YamlSource, env: Origin['env']): Judged => {
    const problems: ConfigProblem[] = []
    const entries = judgePartners(list, {
      isLocal: domain => ownNames.has(domain),
      needsComponentSecret: internal.connector === 'component' && internal.secret === undefined,
      origin: { file: resolve(file), folder: dirname(resolve(file)), env },
      problems,
    })
    return { entries, problems }
  }
  return {
    file,
    hasServerInside: internal.connector !== 'embedded',
    judge: list => judgeWith(list, undefined),
    judgeNew: list => judgeWith(list, env),
  }
}

/** Reads the list. @throws {ConfigError} when it does not load */
export function readPartnerFile(list: PartnerFile): Judged {
  return mustLoad(list.judge(parseYaml(list.file, textOf(list))))
}

/**
 * Changes the list, if what comes out would load.
 * @param isTrial true = tells what would come out, and writes nothing
 * @param approve sees what comes out before it is written; where it throws, nothing is
 * @throws {ConfigError} when the list as it stands does not load
 * @throws {FileEditError} when it cannot be written
 */
export async function editPartnerFile(
  list: PartnerFile,
  change: PartnerEdit,
  isTrial = false,
  approve: (outcome: Exclude<EditOutcome, { refusals: unknown }>) => void = () => {},
): Promise<EditOutcome> {
  const text = textOf(list) // which is not empty: that would be a list that was lost, and is not written over
  if (isTrial) return tryEdit(list, text, change)
  let outcome: EditOutcome = { refusals: [] }
  await editFile(list.file, text => {
    const tried = tryEdit(list, text, change)
    outcome = tried
    if (!('text' in tried)) return undefined
    if (tried.text !== text) approve(tried)
    return tried.text
  })
  return outcome
}

/** Why a list must not be written, as it was judged. */
export function refusalsOf({ entries, problems }: Judged, settles: ReadonlySet<Domain>): Refusal[] {
  const errors = problems.filter(({ severity }) => severity === 'error')
  return [
    ...errors.map(problem => {
      const [, index, key = ''] = /^partners\[(\d+)\]\.?(.*)$/.exec(problem.key) ?? []
      const partner = entries.find(entry => entry.index === Number(index))?.written['primaryDomain'] ?? ''
      return {
        partner: String(partner),
        message: key === '' ? problem.message : `${key}: ${problem.message}`,
      }
    }),
    ...entries.flatMap(({ sound: { primaryDomain, partnerType, ...entry } }) => {
      if (primaryDomain === undefined || partnerType === undefined || !settles.has(primaryDomain)) return []
      const message = judgeNewSettings(negotiationOf({ ...entry, partnerType }))
      return message === undefined ? [] : [{ partner: primaryDomain, message }]
    }),
  ]
}

function tryEdit(list: PartnerFile, text: string, { edit, settles }: PartnerEdit): EditOutcome {
  const source = parseYaml(list.file, text)
  const before = mustLoad(list.judge(source))
  const edited = edit(source, before)
  if ('refusals' in edited) return edited
  const after = list.judgeNew(edited)
  const refusals = refusalsOf(after, settles)
  if (refusals.length > 0) return { refusals }
  return { was: text, text: edited.text, before, after }
}

function textOf({ file }: PartnerFile): string {
  const read = readText(file)
  if ('fault' in read) throw new ConfigError([unreadable(file, noListFault(read.fault))])
  return read.text
}

function mustLoad(judged: Judged): Judged {
  if (judged.problems.some(({ severity }) => severity === 'error')) throw new ConfigError(judged.problems)
  return judged
}
