import { isDeepStrictEqual } from 'node:util'
import type { Domain } from '../xmpp/address.ts'
import { canonical, changedLists, type ListChanges } from './list-changes.ts'
import { domainsOf, takenDomains } from './partner-claims.ts'
import { partnerSchema } from './schema.ts'
import { appendItem, appendItems, appendKey, cutAt, replaceAt, type Written } from './yaml-edit.ts'
import { isRecord, parseYaml } from './yaml-source.ts'

/** A key of an entry. */
export type PartnerKey = keyof typeof partnerSchema.shape

/** Keys of an entry, as they are written in the file. */
export type WrittenPartner = { readonly [K in PartnerKey]?: Written | undefined }

/** Why nothing is written; `partner` is the entry it concerns, empty for the list as a whole. */
export type Refusal = { readonly partner: string; readonly message: string }

/** The new text, or why there is none. */
export type Edited = { readonly text: string } | { readonly refusals: readonly Refusal[] }

/** Adds entries at the end of the list. The text is not judged here, neither before nor after. */
export function addPartners(text: string, added: readonly WrittenPartner[]): Edited {
  if (added.length === 0) return { text }
  const inOrder = added.map(entry => {
    const keys = Object.keys(partnerSchema.shape) as PartnerKey[]
    return Object.fromEntries(keys.flatMap(key => (entry[key] === undefined ? [] : [[key, entry[key]]])))
  })
  const before = entriesOf(text)
  const after = [...before, ...inOrder]
  const refusals = takenDomains(after, [...after.keys()].slice(before.length))
  if (refusals.length > 0) return { refusals }
  const names = inOrder.map(entry => String(entry['primaryDomain'])).join(', ')
  return held(appendItems(text, 'partners', inOrder), after, names)
}

/** Changes single keys of a partner's entry; in lists, what stays keeps its place and its comment. */
export function changePartner(
  text: string,
  domain: Domain,
  {
    set,
    clear,
    lists = {},
  }: { readonly set: WrittenPartner; readonly clear: readonly PartnerKey[]; readonly lists?: ListChanges },
): Edited {
  const entries = entriesOf(text)
  const found = findEntry(entries, domain)
  if ('refusals' in found) return found
  const changed = changedLists(entries[found.index]!, lists)
  if ('refusals' in changed) return changed
  const path = ['partners', found.index]
  const entry: Record<string, unknown> = { ...entries[found.index] }
  let edited = text
  for (const [key, value] of Object.entries({ ...set, ...changed.set }) as [PartnerKey, Written][]) {
    const before = entry[key]
    if (isDeepStrictEqual(before, value)) continue
    const change =
      Array.isArray(before) && before.length > 0 && Array.isArray(value) ? mergeLists : replaceValue
    edited = change(edited, path, key, entry, value)
  }
  for (const key of clear) {
    if (!(key in entry)) continue
    delete entry[key]
    edited = cutAt(edited, [...path, key])
  }
  const after = entries.with(found.index, entry)
  const refusals = takenDomains(after, [found.index])
  return refusals.length > 0 ? { refusals } : held(edited, after, domain)
}

/** Takes a partner's entry out of the list. */
export function removePartner(text: string, domain: Domain): Edited {
  const entries = entriesOf(text)
  const found = findEntry(entries, domain)
  if ('refusals' in found) return found
  return held(cutAt(text, ['partners', found.index]), entries.toSpliced(found.index, 1), domain)
}

type Entry = Readonly<Record<string, unknown>>

function entriesOf(text: string): readonly Entry[] {
  const entries = parseYaml('', text).value['partners']
  return Array.isArray(entries) ? entries.map(entry => (isRecord(entry) ? entry : {})) : []
}

function findEntry(
  entries: readonly Entry[],
  domain: Domain,
): { readonly index: number } | Exclude<Edited, { text: string }> {
  const index = entries.findIndex(entry => domainsOf(entry)[0] === domain)
  if (index >= 0) return { index }
  const owner = entries.find(entry => domainsOf(entry).includes(domain))?.['primaryDomain']
  const message =
    owner === undefined
      ? 'is not in the partner list'
      : `is an additional domain of the partner ${owner}; name that one`
  return { refusals: [{ partner: domain, message }] }
}

type Path = readonly (string | number)[]

function replaceValue(
  text: string,
  path: Path,
  key: PartnerKey,
  entry: Record<string, unknown>,
  value: Written,
): string {
  const isThere = key in entry
  entry[key] = value
  return isThere ? replaceAt(text, [...path, key], value) : appendKey(text, path, key, value)
}

function mergeLists(
  text: string,
  path: Path,
  key: PartnerKey,
  entry: Record<string, unknown>,
  value: Written,
): string {
  const before = entry[key] as readonly Written[]
  const wanted = new Set((value as readonly Written[]).map(item => canonical(key, item)))
  const kept = before.filter(item => wanted.has(canonical(key, item)))
  const keptAs = new Set(kept.map(item => canonical(key, item)))
  const added = (value as readonly Written[]).filter(item => !keptAs.has(canonical(key, item)))
  let edited = text
  for (const item of added) edited = appendItem(edited, [...path, key], item)
  for (const [at, item] of [...before.entries()].reverse()) {
    if (!kept.includes(item)) edited = cutAt(edited, [...path, key, at])
  }
  entry[key] = [...kept, ...added]
  return edited
}

/** The new text, if it holds what was meant: anchors and rare ways of writing can make it hold something else. */
function held(text: string, meant: readonly Entry[], partner: string): Edited {
  const source = parseYaml('', text)
  if (source.problems.length === 0 && isDeepStrictEqual(source.value['partners'], meant)) return { text }
  const message =
    'cannot be changed by a command, because of the way the file is written (an anchor or an alias?); edit it by hand'
  return { refusals: [{ partner, message }] }
}
