import {
  type ContactChangeJson,
  type ContactJson,
  type ContactsJson,
  mostContacts,
} from '../admin/contacts.ts'
import { good, withApi } from './api-answer.ts'
import { openGatewayApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatTable } from './output.ts'

/** Whose contacts are listed: a user's, or those of a domain's users; everybody's where neither is given. */
export type ContactFilterOptions = { readonly local?: string; readonly remote?: string }

/** A local user and a partner's, as given. */
export type PairArguments = { readonly local: string; readonly remote: string }

/** `contact list`: who may reach whom, since when and why. */
export async function listContacts(
  filter: ContactFilterOptions,
  options: CommandOptions,
  host: Host,
): Promise<number> {
  return await withApi(openGatewayApi(options.config, false, host), host, async api => {
    const contacts: ContactJson[] = []
    let after: string | null = null
    do {
      const query = new URLSearchParams({ ...filter, limit: String(mostContacts) })
      if (after !== null) query.set('after', after)
      const page = (await good(api.ask({ method: 'GET', url: `/contacts?${query}` }))) as ContactsJson
      contacts.push(...page.contacts)
      after = page.next
    } while (after !== null)
    if (options.json) host.out(formatJson(contacts))
    else host.out(contacts.length === 0 ? 'no authorised contacts\n' : formatContacts(contacts))
  })
}

/** `contact allow`: authorises by command. */
export async function allowContact(
  pair: PairArguments & { readonly reason: string | undefined },
  options: CommandOptions,
  host: Host,
): Promise<number> {
  return await withApi(openGatewayApi(options.config, true, host), host, async api => {
    const body = pair.reason === undefined ? {} : { reason: pair.reason }
    const answer = await good(api.ask({ method: 'PUT', url: pathOf(pair), body }))
    const change = answer as ContactChangeJson
    const since = change.changed ? 'now' : 'already'
    tell(change, `${change.remote} is ${since} an authorised contact of ${change.local}`, options, host)
  })
}

/** `contact revoke`: ends an authorisation, whatever it came from, and a subscription that the gateway has approved. */
export async function revokeContact(
  pair: PairArguments,
  options: CommandOptions,
  host: Host,
): Promise<number> {
  return await withApi(openGatewayApi(options.config, false, host), host, async api => {
    const change = (await good(api.ask({ method: 'DELETE', url: pathOf(pair) }))) as ContactChangeJson
    tell(change, `${change.remote} is no longer an authorised contact of ${change.local}`, options, host)
  })
}

function pathOf({ local, remote }: PairArguments): string {
  return `/contacts/${encodeURIComponent(local)}/${encodeURIComponent(remote)}`
}

function tell(change: ContactChangeJson, text: string, { json }: CommandOptions, { out }: Host): void {
  out(json ? formatJson(change) : `${text}\n`)
}

function formatContacts(contacts: readonly ContactJson[]): string {
  return formatTable([
    ['local user', "partner's user", 'since', 'by', 'reason'],
    ...contacts.map(({ local, remote, since, words, operator, approved, reason }) => [
      local,
      remote,
      since.replace(/\.\d+Z$/, 'Z'),
      [operator ?? [], words, approved ? 'approved by the gateway' : []].flat().join(', '),
      reason ?? '',
    ]),
  ])
}
