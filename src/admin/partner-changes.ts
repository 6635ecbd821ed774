import {
  type EditOutcome,
  editPartnerFile,
  type PartnerEdit,
  type PartnerFile,
} from '../config/partner-file.ts'
import type { Caller } from './api.ts'
import type { Audit } from './audit.ts'

/** How a change of the partner list goes on record. */
export type OnRecord = {
  /** A function is asked once the list has been read. */
  readonly action: string | (() => string)
  readonly by: Caller
  readonly audit: Audit
}

/**
 * Changes the partner list, if what comes out would load and the change can be put on record.
 * @param isTrial true = tells what would come out; nothing is written, nor recorded
 * @throws {RequestError} 503 when it cannot be put on record
 * @throws {ConfigError | FileEditError} as `editPartnerFile` does
 */
export async function changePartners(
  list: PartnerFile,
  change: PartnerEdit,
  { action, by, audit }: OnRecord,
  isTrial = false,
): Promise<EditOutcome> {
  let fail = (_: unknown): void => {}
  try {
    return await editPartnerFile(list, change, isTrial, outcome => {
      const [before, after] = [entriesOf(outcome.before), entriesOf(outcome.after)]
      const gone = without(before, after)
      const made = without(after, before)
      const names = new Set([...gone, ...made].map(entry => String(entry['primaryDomain'])))
      const subject = [...names].join(' ') || list.file
      const named = typeof action === 'string' ? action : action()
      fail = audit.note(by, { action: named, subject, before: whole(gone), after: whole(made) })
    })
  } catch (error) {
    fail(error)
    throw error
  }
}

type Entry = Readonly<Record<string, unknown>>

function entriesOf({
  entries,
}: {
  readonly entries: readonly { readonly written: Entry }[]
}): readonly Entry[] {
  return entries.map(({ written }) => written)
}

function without(entries: readonly Entry[], others: readonly Entry[]): readonly Entry[] {
  const known = new Set(others.map(entry => JSON.stringify(entry)))
  return entries.filter(entry => !known.has(JSON.stringify(entry)))
}

/** One entry as such, several as a list, none as null. */
function whole(entries: readonly Entry[]): unknown {
  const shown = entries.map(entry =>
    typeof entry['componentSecret'] === 'string' ? { ...entry, componentSecret: '[hidden]' } : entry,
  )
  return shown.length > 1 ? shown : (shown[0] ?? null)
}
