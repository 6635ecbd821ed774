import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ListenOptions, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Log } from '../telemetry/log.ts'
import { Crowd, mostConnections } from './crowd.ts'
import { failure, type Reply, RequestError } from './reply.ts'

// Whoever reaches it may talk to it: little that he sends is kept, and nothing waits for it long.
const bounds = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
} as const
const mostRequestsOfOne = 1000
/** On one connection. Who asks on without reading what he is told loses it: each request costs more memory than its bytes. */
const mostUnanswered = 16
// Whoever does not read his answer is not waited for either.
const mostIdleMs = 30_000

/** Gives the answer to a request; a `RequestError` that it raises is one, too. */
export type Respond = (request: IncomingMessage) => Reply | Promise<Reply>

/**
 * Listens for HTTP, each connection and request within bounds.
 * @param log is told of unexpected errors; the client hears that there was one
 * @throws the error of the socket, such as EADDRINUSE
 */
export async function listenForHttp(at: ListenOptions, respond: Respond, log: Log): Promise<Server> {
  const unanswered = new WeakMap<Socket, number>()
  const server = createServer(bounds, (request, response) => {
    const { socket } = request
    const waiting = (unanswered.get(socket) ?? 0) + 1
    // Of what has come in one piece, the rest is still read when the connection is gone.
    if (socket.destroyed || waiting > mostUnanswered) return void socket.destroy()
    unanswered.set(socket, waiting)
    response.once('close', () => unanswered.set(socket, unanswered.get(socket)! - 1))
    void answer(request, respond, log).then(reply => send(request, response, reply))
  })
  server.maxConnections = mostConnections
  server.maxRequestsPerSocket = mostRequestsOfOne
  const crowd = new Crowd()
  // First of its listeners: nothing is read of a connection that is too many.
  server.prependListener('connection', (socket: Socket) => {
    const leave = crowd.admit(socket.remoteAddress)
    if (leave === undefined) socket.destroy()
    else socket.once('close', leave)
  })
  server.setTimeout(mostIdleMs)
  server.listen(at)
  await once(server, 'listening')
  server.on('error', error => log.error('admin server failed', { err: error }))
  return server
}

/** Stops listening and drops what is connected. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/**
 * Reads the body of a request.
 * @returns what it says in JSON; undefined where there is none
 * @throws {RequestError} where it is longer, or not JSON
 */
export async function readJson(request: IncomingMessage, mostBodyBytes: number): Promise<unknown> {
  const tooLong = new RequestError(413, `the body may have ${mostBodyBytes} bytes at most`)
  if (Number(request.headers['content-length'] ?? 0) > mostBodyBytes) throw tooLong
  const chunks: Buffer[] = []
  let bytes = 0
  // Else the connection would be gone before the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > mostBodyBytes) throw tooLong
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  if (!isJson.test(request.headers['content-type'] ?? '')) {
    throw new RequestError(415, 'the body has to be JSON in UTF-8, content-type: application/json')
  }
  if (!/^(identity)?$/i.test(request.headers['content-encoding'] ?? '')) {
    throw new RequestError(415, 'the body has to come as it is, without a content-encoding')
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    throw new RequestError(400, 'the body is not JSON in UTF-8')
  }
}

// RFC 9110 §5.6.6: parameters may stand in quotes.
const isJson = /^application\/json[ \t]*(;[ \t]*(charset=("?)utf-?8\3[ \t]*)?)*$/i

async function answer(request: IncomingMessage, respond: Respond, log: Log): Promise<Reply> {
  try {
    return await respond(request)
  } catch (error) {
    if (error instanceof RequestError) return failure(error.status, error.message)
    // Who is gone before he has said all has broken nothing.
    const isGone = request.errored !== null || (request.destroyed && !request.complete)
    if (!isGone) log.error('admin request failed', { err: error })
    return failure(500, 'internal error, see the log')
  }
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body, allow, headers, lines }: Reply,
): void {
  response.writeHead(status, {
    'content-type': type,
    ...(lines === undefined ? { 'content-length': Buffer.byteLength(body) } : {}),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    ...(allow === undefined ? {} : { allow: allow.join(', ') }),
    // What was not read of a body is not read any more: the connection ends instead.
    ...(request.complete || !hasBody(request) ? {} : { connection: 'close' }),
  })
  // Who leaves before the end ends what it is made of.
  if (lines !== undefined) pipeline(lines, response).catch(() => {})
  else response.end(request.method === 'HEAD' ? undefined : body)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}
