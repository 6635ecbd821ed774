import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { newToken } from '../../src/admin/token-hash.ts'
import { keepToken, type Role } from '../../src/config/tokens.ts'
import type { RunningGateway } from './running-gateway.ts'

/** What came back. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Its JSON; the text, where it is none. */
  readonly value: unknown
}

export type AskOptions = {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly socketPath?: string
}

/** Makes a token for a gateway. */
export async function tokenFor(gateway: RunningGateway, role: Role, name?: string): Promise<string> {
  const { token, kept } = await newToken(name, role, new Date())
  await keepToken(gateway.folder.at('data/tokens.yaml'), kept)
  return token
}

/** Asks over HTTP, each time on a connection of its own. */
export async function ask(
  port: number,
  method: string,
  path: string,
  options: AskOptions = {},
): Promise<Answer> {
  const { body, headers = {}, socketPath } = options
  const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const typed = sent === undefined ? {} : { 'content-type': 'application/json' }
  const to = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }
  const asked = request({ ...to, method, path, headers: { ...typed, ...headers }, agent: false })
  // Whoever is refused for what he declares need not send it.
  if ('content-length' in headers) asked.flushHeaders()
  else asked.end(sent)
  const [response] = await once(asked, 'response')
  const said = await text(response)
  asked.on('error', () => {}).destroy()
  return { status: response.statusCode, headers: response.headers, value: parsed(said) }
}

/** Asks with a token. */
export function asking(gateway: RunningGateway, token: string) {
  return (method: string, path: string, body?: unknown): Promise<Answer> =>
    ask(gateway.gatehouse.admin.port, method, path, { body, headers: { authorization: `Bearer ${token}` } })
}

/** Sends bytes as they are, and no more, and returns what comes back until the end. */
export async function exchange(
  to: { port: number } | { path: string },
  bytes: string | Buffer,
): Promise<string> {
  const socket = connect('port' in to ? { host: '127.0.0.1', ...to } : to)
  try {
    await once(socket, 'connect')
    socket.on('error', () => {}) // it may be closed before all is written
    socket.end(bytes)
    return await text(socket).catch(() => '')
  } finally {
    socket.destroy()
  }
}

function parsed(said: string): unknown {
  try {
    return JSON.parse(said)
  } catch {
    return said
  }
}
