import { once } from 'node:events'
import { lstatSync } from 'node:fs'
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { reason } from '../config/files.ts'
import { makeFolder } from '../files/own-files.ts'
import type { Log } from '../telemetry/log.ts'
import { answerApi, type Caller, type Route } from './api.ts'
import { closeServer, listenForHttp, readJson } from './http.ts'
import { targetOf } from './origin.ts'

/** Whoever may open the socket is the user that the gateway runs as, or root. */
export const localOperator: Caller = { name: 'local operator', role: 'administrator', from: 'local' }

/** How a command says by the socket who runs it, in the encoding of URLs: the user, and who has called him by sudo. */
export const userHeaders = { user: 'gatehouse-user', sudoUser: 'gatehouse-sudo-user' } as const

/** The admin socket, listening. */
export type AdminSocket = { readonly close: () => Promise<void> }

/**
 * Opens the admin socket: the API for local commands, mode 0600. What a dead gateway has left there is replaced.
 * @throws {Error} when the path is too long or taken, or another gateway answers there
 */
export async function openAdminSocket(
  path: string,
  routes: readonly Route[],
  log: Log,
): Promise<AdminSocket> {
  const fault = socketPathFault(path)
  if (fault !== undefined) throw new Error(fault)
  const folder = await stagingFolder(path)
  try {
    const staged = join(folder, stagedName)
    const respond = async (request: IncomingMessage) => {
      const { method = '', headers } = request
      const { url } = targetOf(request.url ?? '')
      const readBody = (mostBytes: number) => readJson(request, mostBytes)
      return await answerApi(routes, operatorOf(headers), { method, url, readBody })
    }
    const server = await listenForHttp({ path: staged }, respond, log)
    try {
      await chmod(staged, 0o600)
      const { ino } = await lstat(staged)
      await rename(staged, path)
      return {
        close: async () => {
          // First, so that it is still ours: nobody takes the place of a gateway that answers.
          if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) await rm(path, { force: true })
          await closeServer(server)
        },
      }
    } catch (error) {
      await closeServer(server)
      throw error
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Made where nobody else gets in, and moved to its place once only the owner may connect. */
async function stagingFolder(path: string): Promise<string> {
  try {
    makeFolder(dirname(path))
    await mustBeFree(path)
    return await mkdtemp(join(dirname(path), stagingPrefix))
  } catch (error) {
    if (!isNodeError(error)) throw error
    const remedy =
      'its folder has to be one that the user who runs the gateway may write; else give admin.socket another path'
    throw new Error(`the admin socket ${path} cannot be made: ${reason(error)}; ${remedy}`, { cause: error })
  }
}

/** Whoever may open the socket may say who he is: he could as well write to the files. */
function operatorOf(headers: IncomingHttpHeaders): Caller {
  const [user, sudoUser] = [userHeaders.user, userHeaders.sudoUser].map(name => nameIn(headers[name]))
  if (user === undefined) return localOperator
  return { ...localOperator, os: { user, ...(sudoUser === undefined ? {} : { sudoUser }) } }
}

function nameIn(header: string | readonly string[] | undefined): string | undefined {
  try {
    const name = typeof header === 'string' ? decodeURIComponent(header) : ''
    return /^\P{C}{1,64}$/u.test(name) ? name : undefined
  } catch {
    return undefined
  }
}

/** Does anybody answer at this socket? @throws the error of the socket, such as EACCES, where that cannot be told */
export async function isAnswered(path: string): Promise<boolean> {
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    if (isNodeError(error) && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')) return false
    throw error
  } finally {
    socket.destroy()
  }
}

/** What is wrong with a socket's path, and what to do about it; undefined = nothing. */
export function socketPathFault(path: string): string | undefined {
  const staged = join(dirname(path), `${stagingPrefix}XXXXXX`, stagedName)
  const longest = Math.max(Buffer.byteLength(path), Buffer.byteLength(staged))
  if (longest <= mostPathBytes) return undefined
  const tooMany = longest - mostPathBytes
  return `the path of the admin socket is too long for this system by ${tooMany} bytes: ${path}; give admin.socket a shorter one`
}

/** The same, and what is wrong with what stands there. */
export function socketFault(path: string): string | undefined {
  const fault = socketPathFault(path)
  if (fault !== undefined) return fault
  try {
    const there = lstatSync(path, { throwIfNoEntry: false })
    return there === undefined || there.isSocket() ? undefined : takenFault(path)
  } catch (error) {
    return `cannot look at ${path}: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** `sun_path` of unix(7), without the byte that ends it. */
const mostPathBytes = 107
const stagingPrefix = '.gh-'
const stagedName = 's'

async function mustBeFree(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) throw new Error(takenFault(path))
  if (!(await isAnswered(path))) return
  throw new Error(
    `another gateway is running with this socket: ${path}; stop it, or give admin.socket another path`,
  )
}

function takenFault(path: string): string {
  return `the admin socket cannot be made: ${path} is there, and is no socket; give admin.socket another path`
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}
