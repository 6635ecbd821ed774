import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { json as readJson } from 'node:stream/consumers'
import { answerApi, type Caller } from '../admin/api.ts'
import { auditFile } from '../admin/audit.ts'
import { type ContactOrders, contactRoutes } from '../admin/contacts.ts'
import { isAnswered, socketPathFault, userHeaders } from '../admin/socket.ts'
import { readAdminFiles } from '../config/admin-files.ts'
import { readStoreSettings } from '../config/store-settings.ts'
import { ownerOf } from '../files/own-files.ts'
import { ContactStore } from '../store/contacts.ts'
import { StoreError } from '../store/database.ts'
import type { Host } from './host.ts'
import { operatorOf } from './operator.ts'

/** A request to the API; `body` is what its JSON says, undefined where there is none. */
export type ApiRequest = { readonly method: string; readonly url: string; readonly body?: unknown }

/** What the API has answered: its JSON. */
export type ApiAnswer = { readonly status: number; readonly value: unknown }

/** The API of a gateway, whether it runs or not. */
export type GatewayApi = {
  /** @throws {ApiError} when the gateway that runs gives no answer */
  ask(request: ApiRequest): Promise<ApiAnswer>
  close(): void
}

/** The API of a gateway that runs. */
export type RunningApi = GatewayApi & {
  /**
   * Asks for what comes line by line, each of JSON.
   * @returns the answer where it is another one, a refusal
   * @throws {ApiError} when it ends early, or nothing comes for a time
   */
  follow(request: ApiRequest, onLine: (line: unknown) => void): Promise<ApiAnswer | undefined>
}

/** The API cannot be had; the message says why, and what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
}

/**
 * The API of the gateway that runs with this configuration; where none does, the same on its database.
 * @param mayCreate false = a database that is not there yet is not made, and counts as empty
 * @throws {ConfigError | ApiError} when neither can be had
 */
export async function openGatewayApi(config: string, mayCreate: boolean, host: Host): Promise<GatewayApi> {
  const running = await openRunningApi(config, operatorOf(host))
  return running ?? openOnFile(config, mayCreate, host)
}

/**
 * The API of the gateway that runs with this configuration; undefined where none does.
 * @param operator who asks, for the record of what he changes
 * @throws {ConfigError | ApiError} when that cannot be told
 */
export async function openRunningApi(
  config: string,
  operator?: Pick<Caller, 'os'>,
): Promise<RunningApi | undefined> {
  const { socket } = readAdminFiles(config)
  const fault = socketPathFault(socket)
  if (fault !== undefined) throw new ApiError(fault)
  try {
    if (!(await isAnswered(socket))) return undefined
  } catch (error) {
    throw new ApiError(reasonOf(socket, error), { cause: error })
  }
  return {
    ask: request => askSocket(socket, request, headersOf(operator)),
    follow: (request, onLine) => followSocket(socket, request, onLine),
    close: () => {},
  }
}

function openOnFile(file: string, mayCreate: boolean, host: Host): GatewayApi {
  const { socket, audit } = readAdminFiles(file)
  const settings = readStoreSettings(file)
  const { sqlite } = settings.store
  const operator = operatorOf(host)
  const serve = (contacts: ContactOrders, close: () => void): GatewayApi => {
    const routes = contactRoutes(contacts, () => settings, auditFile(audit))
    const ask = async ({ method, url, body }: ApiRequest) => {
      const reply = await answerApi(routes, operator, { method, url, readBody: async () => body })
      return { status: reply.status, value: JSON.parse(reply.body) as unknown }
    }
    return { ask, close }
  }
  if (!mayCreate && !existsSync(sqlite)) return serve(nobody, () => {})
  host.goOnAs(ownerOf(dirname(sqlite)))
  try {
    const store = ContactStore.open(sqlite)
    return serve(store, () => void store.close())
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new ApiError(`no gateway answers at ${socket}, and its database cannot be used: ${error.message}`)
  }
}

/** The contacts of a gateway that has never run. */
const nobody: ContactOrders = {
  has: () => false,
  find: () => undefined,
  list: () => ({ contacts: [], next: undefined }),
  allow: () => false,
  revoke: () => false,
}

const patienceMs = 10_000

function headersOf(operator: Pick<Caller, 'os'> | undefined): Readonly<Record<string, string>> {
  const { user, sudoUser } = operator?.os ?? {}
  return {
    ...(user === undefined ? {} : { [userHeaders.user]: encodeURIComponent(user) }),
    ...(sudoUser === undefined ? {} : { [userHeaders.sudoUser]: encodeURIComponent(sudoUser) }),
  }
}

async function askSocket(
  socketPath: string,
  { method, url: path, body }: ApiRequest,
  who: Readonly<Record<string, string>>,
): Promise<ApiAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>()
  const headers = { ...who, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const signal = AbortSignal.timeout(patienceMs)
  request({ socketPath, method, path, headers, signal, agent: false }, response => {
    const { statusCode: status = 0 } = response
    readJson(response).then(
      value => resolve({ status, value }),
      error => reject(new Error(`the answer (${status}) cannot be read: ${error}`, { cause: error })),
    )
  })
    .on('error', reject)
    .end(body === undefined ? undefined : JSON.stringify(body))
  try {
    return await promise
  } catch (error) {
    throw new ApiError(reasonOf(socketPath, error), { cause: error })
  }
}

async function followSocket(
  socketPath: string,
  { method, url: path, body }: ApiRequest,
  onLine: (line: unknown) => void,
): Promise<ApiAnswer | undefined> {
  const headers = { 'content-type': 'application/json' }
  const asked = request({ socketPath, method, path, headers, timeout: patienceMs, agent: false })
  asked.on('timeout', () => asked.destroy(new Error(`the gateway says nothing for ${patienceMs / 1000} s`)))
  asked.end(JSON.stringify(body))
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const { statusCode: status = 0 } = response
    if (status !== 200) return { status, value: await readJson(response) }
    for await (const line of createInterface(response)) if (line !== '') onLine(JSON.parse(line))
    if (!response.complete) throw new Error('the gateway has ended')
    return undefined
  } catch (error) {
    throw new ApiError(reasonOf(socketPath, error), { cause: error })
  }
}

function reasonOf(socket: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EPERM') {
    return `${socket}: permission denied; run this as the user that the gateway runs as, or as root`
  }
  const why = error instanceof Error ? error.message : String(error)
  const isLate = code === 'ABORT_ERR'
  return `${socket}: ${isLate ? `the gateway gives no answer within ${patienceMs / 1000} s` : why}`
}
