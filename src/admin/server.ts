import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../telemetry/log.ts'
import { answerHealth, type HealthSources, json, type Reply } from './health.ts'

export type AdminOptions = {
  readonly address: string
  /** 0 = any free port. */
  readonly port: number
  readonly health: HealthSources
  readonly log: Log
}

/** The admin port, listening. */
export type AdminServer = {
  readonly address: string
  readonly port: number
  /** Stops listening and drops what is connected. */
  readonly close: () => Promise<void>
}

// Whoever reaches the port may talk to it: nothing it sends is kept, and nothing waits for it long.
const bounds = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
} as const
const mostConnections = 64

/**
 * Opens the admin port.
 * @throws the error of the socket, such as EADDRINUSE
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer(bounds, (request, response) => {
    send(request, response, replyTo(request, options))
  })
  server.maxConnections = mostConnections
  server.listen(options.port, options.address)
  await once(server, 'listening')
  server.on('error', error => options.log.error('admin port failed', { err: error }))
  const { address, port } = server.address() as AddressInfo
  return {
    address,
    port,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function replyTo(request: IncomingMessage, { health, log }: AdminOptions): Reply {
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'method not allowed' })
  try {
    const path = (request.url ?? '/').split('?', 1)[0]!
    return answerHealth(path, health) ?? json(404, { error: 'not found' })
  } catch (error) {
    log.error('admin request failed', { err: error })
    return json(500, { error: 'internal error, see the log' })
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Reply): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    // A body that nobody asked for is not read: the connection ends instead.
    ...(request.headers['content-length'] || request.headers['transfer-encoding']
      ? { connection: 'close' }
      : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
