import { z } from 'zod'
import { failure, type Reply, RequestError, wrongMethod } from './reply.ts'

/** What somebody may do: look, or change as well. */
export type Role = 'viewer' | 'administrator'

/** Who asks. */
export type Caller = { readonly name: string; readonly role: Role }

/** A request to the API; `body` is what its JSON says, undefined where there is none. */
export type ApiRequest = {
  readonly method: string
  /** The path, with its query. */
  readonly url: string
  readonly body?: unknown
}

type Parameters = Readonly<Record<string, string>>

/** One thing that the API can do. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** A step in braces fits anything, the empty text too, and names it for `answer`: `/contacts/{local}`. */
  readonly path: string
  /** The least that a caller has to be. */
  readonly role: Role
  readonly answer: (
    caller: Caller,
    parameters: Parameters,
    query: Parameters,
    body: unknown,
  ) => Reply | Promise<Reply>
}

const nothing = z.strictObject({})

/**
 * Makes a route whose query and body are checked before `handle` sees them.
 * @param route `query` and `body` where there may be any
 */
export function defineRoute<
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>(
  route: Pick<Route, 'method' | 'path' | 'role'> & {
    readonly query?: Query
    readonly body?: Body
    readonly handle: (call: {
      readonly caller: Caller
      readonly parameters: Parameters
      readonly query: z.output<Query>
      readonly body: z.output<Body>
    }) => Reply | Promise<Reply>
  },
): Route {
  const { method, path, role, query = nothing, body = nothing, handle } = route
  return {
    method,
    path,
    role,
    answer: (caller, parameters, givenQuery, givenBody) =>
      handle({
        caller,
        parameters,
        query: check(query, 'query', givenQuery) as z.output<Query>,
        body: check(body, 'body', givenBody === undefined ? {} : givenBody) as z.output<Body>,
      }),
  }
}

/**
 * Answers a request by the route for its path and method.
 * @throws whatever else than a `RequestError` the route raises
 */
export async function answerApi(
  routes: readonly Route[],
  caller: Caller,
  { method, url, body }: ApiRequest,
): Promise<Reply> {
  const path = url.split('?', 1)[0]!
  const query = new URLSearchParams(url.slice(path.length + 1))
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
  try {
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

function check(schema: z.ZodType, where: string, value: unknown): unknown {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const faults = checked.error.issues.map(({ path, message }) => `${[where, ...path].join('.')}: ${message}`)
  throw new RequestError(400, faults.join('; '))
}
