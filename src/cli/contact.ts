import {
  type ContactChangeJson,
  type ContactJson,
  type ContactsJson,
  mostContacts,
} from '../admin/contacts.ts'
import { ConfigError } from '../config/problems.ts'
import { type ApiAnswer, ApiError, type GatewayApi, openGatewayApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, formatTable } from './output.ts'

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
  return await withApi(options, false, host, async api => {
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
  return await withApi(options, true, host, async api => {
    const body = pair.reason === undefined ? {} : { reason: pair.reason }
    const answer = await good(api.ask({ method: 'PUT', url: pathOf(pair), body }))
    const change = answer as ContactChangeJson
    const since = change.changed ? 'now' : 'already'
    tell(change, `${change.remote} is ${since} an authorised contact of ${change.local}`, options, host)
  })
}

/** `contact revoke`: ends an authorisation, whatever it came from. */
export async function revokeContact(
  pair: PairArguments,
  options: CommandOptions,
  host: Host,
): Promise<number> {
  return await withApi(options, false, host, async api => {
    const change = (await good(api.ask({ method: 'DELETE', url: pathOf(pair) }))) as ContactChangeJson
    tell(change, `${change.remote} is no longer an authorised contact of ${change.local}`, options, host)
  })
}

/** The API has refused. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly exitStatus: number

  constructor({ status, value }: ApiAnswer) {
    super((value as { error?: { message?: string } }).error?.message ?? `the gateway answers ${status}`)
    this.exitStatus = status === 400 ? 2 : 1
  }
}

/** What the API says, where it does not refuse. */
async function good(asked: Promise<ApiAnswer>): Promise<unknown> {
  const answer = await asked
  if (answer.status >= 300) throw new Refusal(answer)
  return answer.value
}

async function withApi(
  { config }: CommandOptions,
  mayCreate: boolean,
  host: Host,
  work: (api: GatewayApi) => Promise<void>,
): Promise<number> {
  let api: GatewayApi | undefined
  try {
    api = await openGatewayApi(config, mayCreate, host)
    await work(api)
    return 0
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems))
    else if (error instanceof ApiError || error instanceof Refusal) host.err(`gatehouse: ${error.message}\n`)
    else throw error
    return error instanceof Refusal ? error.exitStatus : 1
  } finally {
    api?.close()
  }
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
    ...contacts.map(({ local, remote, since, words, operator, reason }) => [
      local,
      remote,
      since.replace(/\.\d+Z$/, 'Z'),
      [...(operator === null ? [] : [operator]), ...words].join(', '),
      reason ?? '',
    ]),
  ])
}
