import type { Readable } from 'node:stream'
import { z } from 'zod'
import { type Domain, parseDomain } from '../xmpp/address.ts'

/** What every refusal says. */
export const errorJson = z.strictObject({ error: z.strictObject({ message: z.string() }) })

/** An answer over HTTP. */
export type Reply = {
  readonly status: number
  readonly type: string
  readonly body: string
  /** What follows on the body, as it comes. */
  readonly lines?: Readable
  /** The methods that there are, where another one was asked for. */
  readonly allow?: readonly string[]
  /** More headers. */
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer in JSON. */
export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}

/** An answer that says what is wrong, and what to do about it. */
export function failure(status: number, message: string): Reply {
  return json(status, { error: { message } })
}

/** The domain that a request names. @throws {RequestError} 400 where it is none */
export function requestedDomain(text: string): Domain {
  const domain = parseDomain(text)
  if (domain !== undefined) return domain
  throw new RequestError(400, `${JSON.stringify(text)} is not a domain`)
}

/** There are other methods. */
export function wrongMethod(methods: readonly string[]): Reply {
  const allow = [...new Set(methods.flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method])))]
  return { ...failure(405, `this can be asked for by ${allow.join(' or ')} only`), allow }
}

/** A request that is refused; raised where it is found. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
