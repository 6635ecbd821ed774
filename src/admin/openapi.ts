import { z } from 'zod'
import { linesType, needsBody, nothing, type Route } from './api.ts'
import { errorJson } from './reply.ts'

/** With which statuses every route may refuse, and why. */
const commonRefusals = {
  400: 'What is asked, or how, is wrong; the message says what.',
  401: 'There is no token, or it is not known.',
  403: 'The token may look only; or the request comes from the page of another site.',
  421: 'The request asks for another host.',
  429: 'Too many wrong tokens were tried; `retry-after` says when to try again.',
} as const

const bodyRefusals = {
  413: 'The body is too long.',
  415: 'The body is not declared as JSON in UTF-8, as it is.',
} as const

/** Describes routes as OpenAPI 3.1 has it, with the three paths that are open to all. */
export function describeApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = { ...openPaths }
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse API',
      version,
      description: 'What operators ask of a running gateway, at the admin port. docs/api.md tells more.',
    },
    servers: [{ url: 'http://127.0.0.1:5280' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Made by `gatehouse admin token --role …`.' },
      },
      schemas: { Error: schemaOf(errorJson, 'output') },
      responses: {
        Error: { description: 'Refused, or failed; the message says why.', content: content(error) },
      },
    },
  }
}

const error = { $ref: '#/components/schemas/Error' }

function operationOf({ path, summary, role, query, body, answers, line, refusals }: Route): object {
  const hasBody = body !== nothing
  const refused = { ...commonRefusals, ...(hasBody ? bodyRefusals : {}), ...refusals }
  return {
    summary,
    'x-role': role,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(hasBody
      ? { requestBody: { required: needsBody(body), content: content(schemaOf(body, 'input')) } }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(refused).map(([status, description]) => [
          status,
          { description, content: content(error) },
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(answers).map(([status, schema]) => [
          status,
          { description: outcomes[status] ?? 'Done.', content: content(schemaOf(schema, 'output')) },
        ]),
      ),
      ...(line === undefined
        ? {}
        : { 200: { description: 'Line by line.', content: content(schemaOf(line, 'output'), linesType) } }),
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

const outcomes: Readonly<Record<string, string>> = {
  201: 'Made anew.',
  409: 'Nothing has changed; the problems say why.',
  422: 'Nothing has changed; the refusals say why.',
}

function content(schema: object, type = 'application/json'): object {
  return { [type]: { schema } }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' })
  return described
}

function pathParameters(path: string): object[] {
  return Array.from(path.matchAll(/\{(.+?)\}/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input', target: 'draft-2020-12' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

function openPath(summary: string, answers: Readonly<Record<number, object>>): Record<string, object> {
  const responses = Object.entries(answers).map(([status, held]) => [
    status,
    { description: summary, content: held },
  ])
  return { get: { summary, security: [], responses: Object.fromEntries(responses) } }
}

const readinessSchema = schemaOf(z.strictObject({ ready: z.boolean(), detail: z.string() }), 'output')
const openPaths: Readonly<Record<string, Record<string, object>>> = {
  '/healthz': openPath('Whether it is alive.', {
    200: content(schemaOf(z.strictObject({ status: z.literal('alive') }), 'output')),
  }),
  '/readyz': openPath('Whether it does its work, and if not, why.', {
    200: content(readinessSchema),
    503: content(readinessSchema),
  }),
  '/metrics': openPath('Metrics for Prometheus.', { 200: content({ type: 'string' }, 'text/plain') }),
}
