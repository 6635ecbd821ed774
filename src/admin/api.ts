import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Role } from '../config/tokens.ts'
import { failure, json, type Reply, RequestError, wrongMethod } from './reply.ts'

/** Who asks. */
export type Caller = {
  readonly name: string
  readonly role: Role
  /** The address that he asks from; `local` = by the socket, or on the files of a gateway that does not run. */
  readonly from: string
  /** The user of the system that runs a command here, as the command says, and who has called him by sudo. */
  readonly os?: { readonly user: string; readonly sudoUser?: string }
}

/** A request to the API. */
export type ApiRequest = {
  readonly method: string
  /** The path, with its query. */
  readonly url: string
  /** Reads what its JSON says, of so many bytes at most; undefined where there is none. */
  readonly readBody: (mostBytes: number) => Promise<unknown>
}

type Parameters = Readonly<Record<string, string>>

/** One thing that the API can do. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** A step in braces fits anything, the empty text too, and names it for `answer`: `/contacts/{local}`. */
  readonly path: string
  /** The least that a caller has to be. */
  readonly role: Role
  /** What it does, in one line. */
  readonly summary: string
  readonly query: z.ZodType
  readonly body: z.ZodType
  readonly bodyBytes: number
  /** What its answers hold, by status. */
  readonly answers: Readonly<Record<number, z.ZodType>>
  /** What each line holds, where the answer comes line by line. */
  readonly line?: z.ZodType
  /** With which statuses it refuses, besides those that every route may refuse with; and why. */
  readonly refusals: Readonly<Record<number, string>>
  readonly answer: (
    caller: Caller,
    parameters: Parameters,
    query: Parameters,
    body: unknown,
  ) => Reply | Promise<Reply>
}

/** The query or the body of a request that has none. */
export const nothing = z.strictObject({})

/** How many a page of a list may hold, as a query says it: in digits. */
export function pageLimit(most: number, preset = 100) {
  const inDigits = (given: unknown) => (/^\d{1,9}$/.test(String(given)) ? Number(given) : given)
  return z.preprocess(inDigits, z.int().min(1).max(most)).default(preset)
}

const mostBodyBytes = 65_536

/**
 * Makes a route whose query and body are checked before `handle` sees them.
 * @param route `query` and `body` where there may be any; a body of 64 KiB at most, where `bodyBytes` says nothing else. Without a body
 * that accepts `undefined`, there has to be one
 */
export function defineRoute<
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
  Answers extends Readonly<Record<number, z.ZodType>> = Readonly<Record<number, z.ZodType>>,
>(
  route: Pick<Route, 'method' | 'path' | 'role' | 'summary'> &
    Partial<Pick<Route, 'bodyBytes' | 'refusals'>> & {
      readonly query?: Query
      readonly body?: Body
      readonly answers: Answers
      readonly handle: (call: {
        readonly caller: Caller
        readonly parameters: Parameters
        readonly query: z.output<Query>
        readonly body: z.output<Body>
        /** The body as it came. */
        readonly given: unknown
      }) => Outcome<NoInfer<Answers>> | Promise<Outcome<NoInfer<Answers>>>
    },
): Route {
  const { query = nothing, body = nothing, bodyBytes = mostBodyBytes, refusals = {}, handle, ...rest } = route
  return {
    ...rest,
    query,
    body,
    bodyBytes,
    refusals,
    answer: async (caller, parameters, givenQuery, givenBody) => {
      const [status, value] = await handle({
        caller,
        parameters,
        query: check(query, 'query', givenQuery) as z.output<Query>,
        body: checkBody(body, givenBody) as z.output<Body>,
        given: givenBody,
      })
      return json(status, value)
    },
  }
}

/**
 * Makes a route whose answer comes line by line, each of JSON.
 * @param route `handle` gives the lines; they are read no longer than somebody wants them
 */
export function defineLines<Body extends z.ZodType>(
  route: Pick<Route, 'method' | 'path' | 'role' | 'summary'> & {
    readonly body: Body
    readonly line: z.ZodType
    readonly handle: (body: z.output<Body>) => Readable
  },
): Route {
  const { body, handle, ...rest } = route
  return {
    ...rest,
    query: nothing,
    body,
    bodyBytes: mostBodyBytes,
    answers: {},
    refusals: {},
    answer: (_, __, givenQuery, givenBody) => {
      check(nothing, 'query', givenQuery)
      const checked = checkBody(body, givenBody) as z.output<Body>
      return { status: 200, type: `${linesType}; charset=utf-8`, body: '', lines: handle(checked) }
    },
  }
}

/** The type of an answer that comes line by line. */
export const linesType = 'application/x-ndjson'

/** A status, and the value that goes with it. */
type Outcome<Answers> = {
  [Status in keyof Answers & number]: readonly [Status, z.input<Answers[Status] & z.ZodType>]
}[keyof Answers & number]

/**
 * Answers a request by the route for its path and method; HEAD as GET. Its body is read once it is clear that somebody wants it.
 * @throws whatever else than a `RequestError` the route raises
 */
export async function answerApi(
  routes: readonly Route[],
  caller: Caller,
  { method: asked, url, readBody }: ApiRequest,
): Promise<Reply> {
  const method = asked === 'HEAD' ? 'GET' : asked
  const path = url.split('?', 1)[0]!
  const query = new URLSearchParams(url.slice(path.length + 1))
  const names = [...query.keys()]
  const twice = names.find((name, at) => names.indexOf(name) < at)
  const found = routes.flatMap(route => {
    const parameters = parametersOf(route.path, path)
    return parameters === undefined ? [] : [{ route, parameters }]
  })
  if (found.length === 0) return failure(404, 'there is nothing here')
  const chosen = found.find(({ route }) => route.method === method)
  if (chosen === undefined) return wrongMethod(found.map(({ route }) => route.method))
  const { route, parameters } = chosen
  if (caller.role !== 'administrator' && route.role === 'administrator') {
    return failure(403, `${caller.name} may look, and change nothing`)
  }
  if (twice !== undefined) return failure(400, `query.${twice}: is given more than once`)
  try {
    const body = await readBody(route.bodyBytes)
    return await route.answer(caller, parameters, Object.fromEntries(query), body)
  } catch (error) {
    if (error instanceof RequestError) return failure(error.status, error.message)
    throw error
  }
}

/** What the steps in braces stand for in this path; undefined where it is another one. */
function parametersOf(pattern: string, path: string): Parameters | undefined {
  const steps = path.split('/')
  const wanted = pattern.split('/')
  if (steps.length !== wanted.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [at, want] of wanted.entries()) {
    const step = steps[at]!
    const name = /^\{(.+)\}$/.exec(want)?.[1]
    if (name === undefined && step !== want) return undefined
    if (name === undefined) continue
    const value = decode(step)
    if (value === undefined) return undefined
    parameters[name] = value
  }
  return parameters
}

function decode(step: string): string | undefined {
  try {
    return decodeURIComponent(step)
  } catch {
    return undefined
  }
}

/** Does a route with this body want one in any case? */
export function needsBody(body: z.ZodType): boolean {
  return body !== nothing && !body.safeParse(undefined).success
}

function checkBody(schema: z.ZodType, given: unknown): unknown {
  if (given !== undefined) return check(schema, 'body', given)
  if (needsBody(schema)) throw new RequestError(400, 'this needs a body, in JSON')
  return schema === nothing ? {} : schema.parse(undefined)
}

function check(schema: z.ZodType, where: string, value: unknown): unknown {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const faults = checked.error.issues.map(({ path, message }) => `${[where, ...path].join('.')}: ${message}`)
  throw new RequestError(400, faults.join('; '))
}
