import { dirname } from 'node:path'
import type { Caller } from '../admin/api.ts'
import { auditFile } from '../admin/audit.ts'
import { RequestError } from '../admin/reply.ts'
import { newToken } from '../admin/token-hash.ts'
import { type AdminFiles, readAdminFiles } from '../config/admin-files.ts'
import { FileEditError } from '../config/edit-file.ts'
import { ConfigError } from '../config/problems.ts'
import { dropToken, type KeptToken, keepToken, type Role, readTokens } from '../config/tokens.ts'
import { ownerOf } from '../files/own-files.ts'
import type { CommandOptions, Host } from './host.ts'
import { operatorOf } from './operator.ts'
import { formatJson, formatProblems, formatTable, tellError } from './output.ts'

/** What a token is for. */
export type TokenWish = { readonly role: Role; readonly name: string | undefined }

/** `admin token add`: a new token, which is shown this once. */
export function addToken({ role, name }: TokenWish, options: CommandOptions, host: Host): Promise<number> {
  return onFiles(options, host, async ({ tokens, audit }, operator) => {
    const { token, kept } = await newToken(name, role, new Date())
    const taken = new FileEditError(
      `there is a token ${kept.name} already; revoke it first, or take another name`,
    )
    if (readTokens(tokens).some(other => other.name === kept.name)) throw taken
    const change = { action: 'token.add', subject: kept.name, before: null, after: shown(kept) }
    await auditFile(audit).record(operator, change, async () => {
      if (!(await keepToken(tokens, kept))) throw taken
    })
    if (options.json) return host.out(formatJson({ ...shown(kept), token }))
    // By itself, so that TOKEN=$(…) takes it and nothing else.
    host.out(`${token}\n`)
    host.err(`token ${kept.name} (${role}); keep it now, it is not shown again\n`)
  })
}

/** `admin token list`: who has a token, and what for. */
export function listTokens(options: CommandOptions, host: Host): Promise<number> {
  return onFiles(options, host, async ({ tokens }) => {
    const kept = readTokens(tokens).map(shown)
    if (options.json) return host.out(formatJson(kept))
    if (kept.length === 0) return host.out('no tokens\n')
    const rows = kept.map(({ name, role, created, id }) => [name, role, created.replace(/\.\d+Z$/, 'Z'), id])
    host.out(formatTable([['name', 'role', 'created', 'id'], ...rows]))
  })
}

/** `admin token revoke`: the token is refused from the next request on. */
export function revokeToken(name: string, options: CommandOptions, host: Host): Promise<number> {
  return onFiles(options, host, async ({ tokens, audit }, operator) => {
    const missing = new FileEditError(`there is no token ${JSON.stringify(name)}`)
    const kept = readTokens(tokens).find(token => token.name === name)
    if (kept === undefined) throw missing
    const change = { action: 'token.revoke', subject: name, before: shown(kept), after: null }
    await auditFile(audit).record(operator, change, async () => {
      if (!(await dropToken(tokens, name))) throw missing
    })
    host.out(options.json ? formatJson(shown(kept)) : `token ${name} is revoked\n`)
  })
}

/** A token without what it is recognised by. */
function shown({ name, role, created, id }: KeptToken): Pick<KeptToken, 'name' | 'role' | 'created' | 'id'> {
  return { name, role, created, id }
}

async function onFiles(
  { config }: CommandOptions,
  host: Host,
  work: (files: AdminFiles, operator: Caller) => Promise<void>,
): Promise<number> {
  try {
    const files = readAdminFiles(config)
    const operator = operatorOf(host)
    host.goOnAs(ownerOf(dirname(files.tokens)))
    await work(files, operator)
    return 0
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems, host))
    else if (error instanceof FileEditError || error instanceof RequestError)
      tellError(`gatehouse: ${error.message}`, host)
    else throw error
    return 1
  }
}
