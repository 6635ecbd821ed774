import type { Element } from '../xml/element.ts'
import { ns } from '../xmpp/namespaces.ts'
import type { PartnerType } from './partner.ts'

/** What the server inside lets the component of a partner's domain do with the users of one of its domains (XEP-0356). */
export type Privileges = {
  /** Hear the presence of each user. */
  readonly presence: boolean
  /** Read the roster of each user. */
  readonly roster: boolean
}

/** What a component may do that was told nothing. */
export const noPrivileges: Privileges = { presence: false, roster: false }

/** The values of `type` that grant something we can use; `none` and all others do not. */
const presenceTypes: readonly string[] = ['managed_entity', 'roster']
const rosterTypes: readonly string[] = ['get', 'both']

/**
 * What an advertisement grants (XEP-0356 §4.2).
 * @returns undefined where the message is none
 */
export function privilegesIn(message: Element): Privileges | undefined {
  const told =
    message.getChild('privilege', ns.privilege) ?? message.getChild('privilege', ns.privilegeBefore)
  if (told === undefined) return undefined
  const grants = (access: string, types: readonly string[]) =>
    told
      .getChildren('perm')
      .some(({ attrs }) => attrs['access'] === access && types.includes(attrs['type'] ?? ''))
  return { presence: grants('presence', presenceTypes), roster: grants('roster', rosterTypes) }
}

/** Does the gateway approve subscriptions of this partner's users in the name of ours (contract §3)? */
export function needsNoWord(partnerType: PartnerType | undefined): boolean {
  return partnerType === 'federated' || partnerType === 'publicVerified'
}
