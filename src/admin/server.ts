import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenFault } from '../telemetry/listen-fault.ts'
import type { Log } from '../telemetry/log.ts'
import { Access } from './access.ts'
import { answerApi, type Route } from './api.ts'
import { answerHealth, type HealthSources } from './health.ts'
import { closeServer, listenForHttp, readJson } from './http.ts'
import { refuseForeign, targetOf } from './origin.ts'
import { type Reply, wrongMethod } from './reply.ts'
import { openAdminSocket } from './socket.ts'

export type AdminOptions = {
  readonly address: string
  /** 0 = any free port. */
  readonly port: number
  /** Where the local commands speak to the daemon. */
  readonly socket: string
  /** The file of tokens that the port asks for. */
  readonly tokens: string
  /** More names that the port goes by, in lower case. */
  readonly hosts: readonly string[]
  readonly health: HealthSources
  /** What the API can do, at the port as at the socket. */
  readonly routes: readonly Route[]
  readonly log: Log
}

/** The admin port and the admin socket, listening. */
export type AdminServer = {
  readonly address: string
  readonly port: number
  /** Stops listening and drops what is connected. */
  readonly close: () => Promise<void>
}

/**
 * Opens the admin socket and the admin port.
 * @throws {Error} when either cannot be had, such as EADDRINUSE; nothing is left open
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const { log, routes } = options
  const socket = await openAdminSocket(options.socket, routes, log)
  try {
    const access = new Access(options.tokens, log)
    const at = { host: options.address, port: options.port }
    const server = await listenForHttp(at, request => replyTo(request, access, options), log).catch(
      (error: NodeJS.ErrnoException) => {
        throw listenFault({ address: options.address, port: options.port, setting: 'admin.port' }, error)
      },
    )
    const { address, port } = server.address() as AddressInfo
    return {
      address,
      port,
      close: async () => {
        await Promise.all([socket.close(), closeServer(server)])
      },
    }
  } catch (error) {
    await socket.close()
    throw error
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Nothing but the paths of monitoring is answered to a stranger, and nothing that he sends is read. */
async function replyTo(
  request: IncomingMessage,
  access: Access,
  { health, hosts: names, routes }: AdminOptions,
): Promise<Reply> {
  const { method = '', headers, socket } = request
  const { url, host } = targetOf(request.url ?? '/')
  const open = answerHealth(url.split('?', 1)[0]!, health)
  if (open !== undefined) return method === 'GET' || method === 'HEAD' ? open : wrongMethod(['GET'])
  if (!methods.includes(method)) return wrongMethod(methods)
  const { localAddress: arrivedAt = '', remoteAddress = '' } = socket
  const hosts = host === undefined ? (request.headersDistinct['host'] ?? []) : [host]
  const addressed = { hosts, origin: headers.origin, arrivedAt }
  const refusal = refuseForeign(addressed, names)
  if (refusal !== undefined) return refusal
  const caller = await access.identify(headers.authorization, remoteAddress)
  if ('status' in caller) return caller
  return await answerApi(routes, caller, {
    method,
    url,
    readBody: mostBytes => readJson(request, mostBytes),
  })
}
