import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../telemetry/log.ts'
import type { Route } from './api.ts'
import { answerHealth, type HealthSources } from './health.ts'
import { closeServer, listenForHttp } from './http.ts'
import { failure, type Reply, wrongMethod } from './reply.ts'
import { openAdminSocket } from './socket.ts'

export type AdminOptions = {
  readonly address: string
  /** 0 = any free port. */
  readonly port: number
  /** Where the local commands speak to the daemon. */
  readonly socket: string
  readonly health: HealthSources
  /** What the API can do. */
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
  const { health, log, routes } = options
  const socket = await openAdminSocket(options.socket, routes, log)
  try {
    const at = { host: options.address, port: options.port }
    const server = await listenForHttp(at, request => replyTo(request, health), log)
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

function replyTo(request: IncomingMessage, health: HealthSources): Reply {
  if (request.method !== 'GET' && request.method !== 'HEAD') return wrongMethod(['GET', 'HEAD'])
  const path = (request.url ?? '/').split('?', 1)[0]!
  return answerHealth(path, health) ?? failure(404, 'not found')
}
