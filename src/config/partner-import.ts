import type { Domain } from '../xmpp/address.ts'
import type { ExportedPartner } from './lync-export.ts'
import { type Judged, type PartnerFile, refusalsOf } from './partner-file.ts'
import { addPartners, type Edited, type Refusal } from './partner-list.ts'
import type { YamlSource } from './yaml-source.ts'

/** Who of an export is in the list already, and what cannot be taken over. */
export type Sorted = { readonly existing: readonly string[]; readonly refusals: readonly Refusal[] }

/**
 * Works out what an export adds to the list.
 * @param skipInvalid takes over what is right, where something is not
 */
export function sortOut(
  list: PartnerFile,
  { source, before }: { readonly source: YamlSource; readonly before: Judged },
  exported: readonly ExportedPartner[],
  skipInvalid: boolean,
): Sorted & { readonly edited: Edited } {
  const listed = new Set<unknown>(before.entries.map(({ partner }) => partner?.primaryDomain))
  const known = exported.filter(({ entry }) => listed.has(entry.primaryDomain))
  const existing = [...new Set(known.map(({ entry }) => String(entry.primaryDomain)))]
  const fresh = exported.filter(({ entry }) => !listed.has(entry.primaryDomain))
  const refusals: Refusal[] = fresh.flatMap(({ name, refusals }) =>
    refusals.map(message => ({ partner: name, message })),
  )
  const candidates = fresh.filter(one => one.refusals.length === 0)
  const first = added(source, candidates)
  if ('refusals' in first) refusals.push(...first.refusals)
  const free = 'refusals' in first ? without(candidates, first.refusals) : candidates
  // What concerns none of them alone is not mended by leaving one out.
  const whole = free.length < candidates.length ? added(source, free) : first
  if ('refusals' in whole) return { existing, refusals, edited: whole }
  refusals.push(...refusalsOf(list.judgeNew(whole), domainsOf(free)))
  if (refusals.length === 0) return { existing, refusals, edited: whole }
  if (!skipInvalid) return { existing, refusals, edited: { refusals } }
  return { existing, refusals, edited: added(source, without(free, refusals)) }
}

function added(source: YamlSource, exported: readonly ExportedPartner[]): Edited {
  return addPartners(
    source,
    exported.map(({ entry }) => entry),
  )
}

function without(exported: readonly ExportedPartner[], refusals: readonly Refusal[]): ExportedPartner[] {
  const wrong = new Set<unknown>(refusals.map(({ partner }) => partner))
  return exported.filter(({ name, entry }) => !wrong.has(name) && !wrong.has(entry.primaryDomain))
}

/** Whose settings an export gives. */
export function domainsOf(exported: readonly ExportedPartner[]): ReadonlySet<Domain> {
  return new Set(exported.flatMap(({ entry }) => (entry.primaryDomain as Domain | undefined) ?? []))
}
