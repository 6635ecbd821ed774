import { type Domain, parseDomain } from '../xmpp/address.ts'
import type { Refusal } from './partner-list.ts'

/** The domains of an entry, the primary one first; undefined = what stands there is none. */
export function domainsOf({
  primaryDomain,
  additionalDomains,
}: Readonly<Record<string, unknown>>): readonly (Domain | undefined)[] {
  const additional: readonly unknown[] = Array.isArray(additionalDomains) ? additionalDomains : []
  return [primaryDomain, ...additional].map(name =>
    typeof name === 'string' ? parseDomain(name) : undefined,
  )
}

/** Why entries cannot stand in the list as they are given anew: each of their domains that is another's already, or their own. */
export function takenDomains(
  entries: readonly Readonly<Record<string, unknown>>[],
  given: readonly number[],
): readonly Refusal[] {
  const isGiven = new Set(given)
  const standing = [...entries.keys()].filter(index => !isGiven.has(index))
  const owners = new Map<Domain, { readonly index: number; readonly primary: Domain | undefined }>()
  const refusals: Refusal[] = []
  for (const index of [...standing, ...given]) {
    const [primary, ...additional] = domainsOf(entries[index]!)
    for (const [at, domain] of [primary, ...additional].entries()) {
      if (domain === undefined) continue
      const owner = owners.get(domain)
      if (owner === undefined) owners.set(domain, { index, primary })
      else if (isGiven.has(index)) {
        const key = at === 0 ? '' : `additionalDomains: ${domain} `
        const already = `is in the list already${placeOf(domain, owner.primary, at === 0)}`
        const why = owner.index === index ? 'is given twice' : already
        refusals.push({ partner: primary ?? '', message: key + why })
      }
    }
  }
  return refusals
}

function placeOf(domain: Domain, owner: Domain | undefined, isPartner: boolean): string {
  if (owner !== domain) return `, as an additional domain of ${owner ?? 'another partner'}`
  return isPartner ? '' : ', as a partner of its own'
}
