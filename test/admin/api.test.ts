import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { answerApi, type Caller, defineRoute, pageLimit } from '../../src/admin/api.ts'
import { RequestError } from '../../src/admin/reply.ts'

const administrator: Caller = { name: 'root', role: 'administrator', from: 'local' }
const viewer: Caller = { name: 'guest', role: 'viewer', from: '127.0.0.1' }

const routes = [
  defineRoute({
    method: 'GET',
    path: '/things',
    role: 'viewer',
    summary: 'lists',
    query: z.strictObject({ most: z.coerce.number().int().default(3) }),
    answers: { 200: z.unknown() },
    handle: ({ query }) => [200, query],
  }),
  defineRoute({
    method: 'GET',
    path: '/pages',
    role: 'viewer',
    summary: 'lists',
    query: z.strictObject({ limit: pageLimit(100, 50) }),
    answers: { 200: z.unknown() },
    handle: ({ query }) => [200, query],
  }),
  defineRoute({
    method: 'PUT',
    path: '/perhaps',
    role: 'administrator',
    summary: 'makes',
    body: z.strictObject({ size: z.int().optional() }).default({}),
    answers: { 200: z.unknown() },
    handle: ({ body }) => [200, body],
  }),
  defineRoute({
    method: 'PUT',
    path: '/things/{name}',
    role: 'administrator',
    summary: 'makes',
    body: z.strictObject({ size: z.int() }),
    answers: { 201: z.unknown() },
    handle: ({ parameters, body, caller }) => [201, { ...parameters, ...body, by: caller.name }],
  }),
  defineRoute({
    method: 'DELETE',
    path: '/things/{name}',
    role: 'administrator',
    summary: 'removes',
    answers: {},
    handle: () => {
      throw new RequestError(409, 'is in use')
    },
  }),
]

/** The status and the JSON of an answer. */
async function ask(
  method: string,
  url: string,
  body?: unknown,
  caller = administrator,
): Promise<[number, unknown]> {
  const { status, body: text } = await answerApi(routes, caller, { method, url, readBody: async () => body })
  return [status, JSON.parse(text)]
}

/** Of a request whose body nobody may read. */
const readBody = async () => {
  throw new Error('the body is read')
}

const message = (text: unknown) => ({ error: { message: text } })

describe('the API', () => {
  test.each<[string, string, unknown, number, unknown]>([
    ['GET', '/things', undefined, 200, { most: 3 }],
    ['GET', '/things?most=5', undefined, 200, { most: 5 }],
    ['GET', '/pages', undefined, 200, { limit: 50 }],
    ['GET', '/pages?limit=100', undefined, 200, { limit: 100 }],
    ['PUT', '/perhaps', undefined, 200, {}],
    ['PUT', '/things/a', { size: 1 }, 201, { name: 'a', size: 1, by: 'root' }],
    ['PUT', '/things/a%2F%40%C3%BC', { size: 1 }, 201, { name: 'a/@ü', size: 1, by: 'root' }],
    ['PUT', '/things/', { size: 1 }, 201, { name: '', size: 1, by: 'root' }],
    ['DELETE', '/things/a', undefined, 409, message('is in use')],
  ])('answers %s %s by its route', async (method, url, body, status, value) => {
    expect(await ask(method, url, body)).toEqual([status, value])
  })

  test.each([
    '/',
    '',
    '*',
    '/thing',
    '/thing/',
    '/things/a/b',
    '//things',
    '/things/%E0%A4%A',
    '/%74hings',
    'http://gateway/things',
  ])('has nothing at %j', async url => {
    expect(await ask('GET', url)).toEqual([404, message('there is nothing here')])
  })

  test.each([
    ['POST', '/things', ['GET', 'HEAD']],
    ['get', '/things', ['GET', 'HEAD']],
    ['GET', '/things/a', ['PUT', 'DELETE']],
  ])('does not do %s at %s', async (method, url, allow) => {
    expect(await answerApi(routes, administrator, { method, url, readBody })).toMatchObject({
      status: 405,
      allow,
    })
  })

  test.each<readonly [string, string, unknown, RegExp]>([
    ['GET', '/things?most=many', undefined, /^query\.most: /],
    ['GET', '/things?least=1', undefined, /^query: .*least/],
    ['GET', '/things?__proto__=1', undefined, /^query: .*__proto__/],
    ['GET', '/things', { size: 1 }, /^body: .*size/],
    ['GET', '/things?most=5&most=6', undefined, /^query\.most: is given more than once/],
    ...['-1', '0x10', '1e2', '+5', ' 5', '5.0', '', '0', '101'].map(
      most => ['GET', `/pages?limit=${encodeURIComponent(most)}`, undefined, /^query\.limit: /] as const,
    ),
    ['PUT', '/things/a', undefined, /^this needs a body, in JSON/],
    ['PUT', '/things/a', null, /^body: /],
    ['PUT', '/things/a', [], /^body: /],
    ['PUT', '/things/a', { size: '1', more: 2 }, /body\.size: .*; body: .*more/],
    ['PUT', '/things/a?most=1', { size: 1 }, /^query: .*most/],
  ])('refuses what does not belong there: %s %s %j', async (method, url, body, expected) => {
    expect(await ask(method, url, body)).toEqual([400, message(expect.stringMatching(expected))])
  })

  test('lets a viewer look, and change nothing', async () => {
    expect((await ask('GET', '/things', undefined, viewer))[0]).toBe(200)
    for (const method of ['PUT', 'DELETE']) {
      expect(await ask(method, '/things/a', { size: 1 }, viewer)).toEqual([
        403,
        message('guest may look, and change nothing'),
      ])
    }
  })
})
