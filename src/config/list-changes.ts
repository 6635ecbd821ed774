import type { PartnerKey, Refusal } from './partner-list.ts'
import { partnerSchema } from './schema.ts'
import type { Written } from './yaml-written.ts'

/** The keys of an entry that hold lists. */
export const listKeys = ['additionalDomains', 'trustAnchors', 'pinnedCertificates'] as const

export type ListKey = (typeof listKeys)[number]

/** What is to come into a list, and what is to go. */
export type ListChange = { readonly add: readonly string[]; readonly remove: readonly string[] }

/** By key. */
export type ListChanges = { readonly [K in ListKey]?: ListChange }

/** What an entry's lists come to by these changes; what is to go has to be there. */
export function changedLists(
  entry: Readonly<Record<string, unknown>>,
  changes: ListChanges,
):
  | { readonly set: { readonly [K in ListKey]?: readonly Written[] } }
  | { readonly refusals: readonly Refusal[] } {
  const refusals: Refusal[] = []
  const set: { [K in ListKey]?: readonly Written[] } = {}
  for (const [key, { add, remove }] of Object.entries(changes) as [ListKey, ListChange][]) {
    const before = itemsOf(entry, key)
    const has = (items: readonly Written[], item: Written) =>
      items.some(one => canonical(key, one) === canonical(key, item))
    for (const item of remove.filter(item => !has(before, item))) {
      refusals.push({ partner: String(entry['primaryDomain']), message: `${key}: ${item} is not among them` })
    }
    const kept = before.filter(item => !has(remove, item))
    set[key] = [...kept, ...add.filter(item => !has(kept, item))]
  }
  return refusals.length > 0 ? { refusals } : { set }
}

/** What has come into a list, and what has gone from it, by key. */
export type ListDifferences = {
  readonly [K in ListKey]?: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

/** What has come into the lists of an entry, and what has gone from them; a list that is as it was is left out. */
export function listDifferences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): ListDifferences {
  const differences = listKeys.flatMap(key => {
    const [old, now] = [itemsOf(before, key), itemsOf(after, key)]
    const without = (items: readonly Written[], others: readonly Written[]) => {
      const known = new Set(others.map(item => canonical(key, item)))
      return items.filter(item => !known.has(canonical(key, item))).map(String)
    }
    const [added, removed] = [without(now, old), without(old, now)]
    return added.length + removed.length === 0 ? [] : [[key, { added, removed }]]
  })
  return Object.fromEntries(differences)
}

/** What two items have in common that mean the same; what is no valid item stands for itself. */
export function canonical(key: PartnerKey, item: Written): unknown {
  const read = partnerSchema.shape[key].safeParse([item])
  return read.success && Array.isArray(read.data) ? read.data[0] : item
}

function itemsOf(entry: Readonly<Record<string, unknown>>, key: ListKey): readonly Written[] {
  const items = entry[key]
  return Array.isArray(items) ? items : []
}
