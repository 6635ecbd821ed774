import { isDeepStrictEqual } from 'node:util'
import type { Domain } from '../xmpp/address.ts'
import { canonical, changedLists, type ListChanges } from './list-changes.ts'
import { domainsOf, takenDomains } from './partner-claims.ts'
import { partnerSchema } from './schema.ts'
import {
  appendItems,
  appendItemsAt,
  appendKey,
  cutItemsAt,
  cutKeyAt,
  linesOfItem,
  replaceAt,
} from './yaml-edit.ts'
import { isRecord, parseYaml, type YamlSource } from './yaml-source.ts'
import type { Written } from './yaml-written.ts'

/** A key of an entry. */
export type PartnerKey = keyof typeof partnerSchema.shape

/** Keys of an entry, as they are written in the file. */
export type WrittenPartner = { readonly [K in PartnerKey]?: Written | undefined }

/** Why nothing is written; `partner` is the entry it concerns, empty for the list as a whole. */
export type Refusal = { readonly partner: string; readonly message: string }

/** The new list, or why there is none. */
export type Edited = YamlSource | { readonly refusals: readonly Refusal[] }

/** Adds entries at the end of the list. The list is not judged here, neither before nor after. */
export function addPartners(list: YamlSource, added: readonly WrittenPartner[]): Edited {
  if (added.length === 0) return list
  const inOrder = added.map(entry => {
    const keys = Object.keys(partnerSchema.shape) as PartnerKey[]
    return Object.fromEntries(keys.flatMap(key => (entry[key] === undefined ? [] : [[key, entry[key]]])))
  })
  const before = entriesOf(list)
  const after = [...before, ...inOrder]
  const refusals = takenDomains(after, [...after.keys()].slice(before.length))
  if (refusals.length > 0) return { refusals }
  const names = inOrder.map(entry => String(entry['primaryDomain'])).join(', ')
  const text = appendItems(list.text, 'partners', inOrder, list.root)
  return held(list, text, after, names)
}

/** Changes single keys of a partner's entry; in lists, what stays keeps its place and its comment. */
export function changePartner(
  list: YamlSource,
  domain: Domain,
  {
    set,
    clear,
    lists = {},
  }: { readonly set: WrittenPartner; readonly clear: readonly PartnerKey[]; readonly lists?: ListChanges },
): Edited {
  const entries = entriesOf(list)
  const found = findEntry(entries, domain)
  if ('refusals' in found) return found
  const changed = changedLists(entries[found.index]!, lists)
  if ('refusals' in changed) return changed
  const { text, at, whole } = apart(list, found.index)
  const path = ['partners', at]
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
    edited = cutKeyAt(edited, [...path, key])
  }
  const after = entries.with(found.index, entry)
  const refusals = takenDomains(after, [found.index])
  return refusals.length > 0 ? { refusals } : held(list, whole(edited), after, domain)
}

/** Takes a partner's entry out of the list. */
export function removePartner(list: YamlSource, domain: Domain): Edited {
  const entries = entriesOf(list)
  const found = findEntry(entries, domain)
  if ('refusals' in found) return found
  const text = cutItemsAt(list.text, ['partners'], [found.index], list.root)
  return held(list, text, entries.toSpliced(found.index, 1), domain)
}

type Entry = Readonly<Record<string, unknown>>

function entriesOf({ value }: YamlSource): readonly Entry[] {
  const entries = value['partners']
  return Array.isArray(entries) ? entries.map(entry => (isRecord(entry) ? entry : {})) : []
}

function findEntry(
  entries: readonly Entry[],
  domain: Domain,
): { readonly index: number } | Exclude<Edited, YamlSource> {
  const index = entries.findIndex(entry => domainsOf(entry)[0] === domain)
  if (index >= 0) return { index }
  const owner = entries.find(entry => domainsOf(entry).includes(domain))?.['primaryDomain']
  const message =
    owner === undefined
      ? 'is not in the partner list'
      : `is an additional domain of the partner ${owner}; name that one`
  return { refusals: [{ partner: domain, message }] }
}

/** An entry in a list of its own, where it has lines of its own: each step of an edit reads that, and not hundreds of others. */
function apart(
  list: YamlSource,
  index: number,
): { readonly text: string; readonly at: number; readonly whole: (edited: string) => string } {
  const { text } = list
  const lines = linesOfItem(list, 'partners', index)
  if (lines === undefined) return { text, at: index, whole: edited => edited }
  const [from, to] = lines
  const head = 'partners:\n'
  return {
    text: head + text.slice(from, to),
    at: 0,
    whole: edited => text.slice(0, from) + edited.slice(head.length) + text.slice(to),
  }
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
  const gone = [...before.keys()].filter(at => !wanted.has(canonical(key, before[at]!)))
  entry[key] = [...kept, ...added]
  return cutItemsAt(appendItemsAt(text, [...path, key], added), [...path, key], gone)
}

/** The new list, if it holds what was meant: anchors and rare ways of writing can make it hold something else. */
function held({ file }: YamlSource, text: string, meant: readonly Entry[], partner: string): Edited {
  const edited = parseYaml(file, text)
  if (edited.problems.length === 0 && isDeepStrictEqual(edited.value['partners'], meant)) return edited
  const message =
    'cannot be changed by a command, because of the way the file is written there (an anchor, an alias, or something else that is rare); edit it by hand'
  return { refusals: [{ partner, message }] }
}
