import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { defineRoute } from '../../src/admin/api.ts'
import { type AdminSocket, isAnswered, openAdminSocket, socketPathFault } from '../../src/admin/socket.ts'
import { memoryLog } from '../support/log.ts'

const routes = [
  defineRoute({
    method: 'PUT',
    path: '/echo',
    role: 'administrator',
    summary: 'answers what it was told',
    body: z.unknown(),
    answers: { 200: z.unknown() },
    handle: ({ caller, body }) => [200, { by: caller.name, os: caller.os, body }],
  }),
  defineRoute({
    method: 'GET',
    path: '/broken',
    role: 'viewer',
    summary: 'fails',
    answers: {},
    handle: () => {
      throw new Error('broken')
    },
  }),
]

/** A path in a folder of the test's own. */
function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-socket-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data/gatehouse.sock')
}

async function open(path: string, log = memoryLog()): Promise<AdminSocket> {
  const socket = await openAdminSocket(path, routes, log)
  onTestFinished(() => socket.close())
  return socket
}

/** A socket whose listener is gone, as after kill -9. */
async function deadSocket(path: string): Promise<void> {
  mkdirSync(dirname(path))
  const server = createServer().listen(`${path}.first`)
  await once(server, 'listening')
  renameSync(`${path}.first`, path) // else it would go with its server
  server.close()
  await once(server, 'close')
}

/** Sends bytes as they are and returns what comes back until the end. */
async function exchange(path: string, bytes: string): Promise<string> {
  const socket = connect({ path })
  await once(socket, 'connect')
  socket.write(bytes)
  return await text(socket)
}

const put = (body: string, headers = '') =>
  `PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

describe('the admin socket', () => {
  test('is for the owner alone, and nothing else is left beside it', async () => {
    const path = newPath()
    const { close } = await open(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(path, '..'))).toEqual(['gatehouse.sock'])
    expect(await isAnswered(path)).toBe(true)
    await close()
    expect(readdirSync(join(path, '..'))).toEqual([])
    expect(await isAnswered(path)).toBe(false)
  })

  test('is not taken from a gateway that answers', async () => {
    const path = newPath()
    await open(path)
    await expect(open(path)).rejects.toThrow(`another gateway is running with this socket: ${path}; stop it`)
    expect(await isAnswered(path)).toBe(true)
  })

  test('takes the place of one that nobody answers at', async () => {
    const path = newPath()
    await deadSocket(path)
    expect([existsSync(path), await isAnswered(path)]).toEqual([true, false])
    await open(path)
    expect(await isAnswered(path)).toBe(true)
  })

  test('does not take the place of a file', async () => {
    const path = join(newPath(), '../../gatehouse.db')
    writeFileSync(path, 'precious')
    await expect(open(path)).rejects.toThrow(`${path} is there, and is no socket`)
    expect(statSync(path).size).toBe(8)
  })

  test('says what to do about a folder that cannot be made', async () => {
    const path = join(newPath(), '../../taken')
    writeFileSync(path, '')
    await expect(open(join(path, 'socket'))).rejects.toThrow(
      /^the admin socket .*taken\/socket cannot be made: .*; its folder has to be .* give admin\.socket another path$/,
    )
  })

  test('leaves in its place what is no longer its own', async () => {
    const path = newPath()
    const { close } = await open(path)
    rmSync(path)
    writeFileSync(path, 'another')
    await close()
    expect(existsSync(path)).toBe(true)
  })

  test('says so where its path is too long', async () => {
    const folder = '/nowhere/'
    expect(socketPathFault(folder + 's'.repeat(107 - folder.length))).toBeUndefined()
    const long = folder + 's'.repeat(110 - folder.length)
    expect(socketPathFault(long)).toMatch(
      /too long .* by 3 bytes: \/nowhere\/s+; give admin.socket a shorter/,
    )
    await expect(open(long)).rejects.toThrow('too long')
    // The longest that is allowed can be had indeed, whichever of its two names is the longer.
    const base = newPath().slice(0, -'/data/gatehouse.sock'.length)
    for (const name of ['s', 'gatehouse.sock']) {
      const spare = 107 - Math.max(name.length + 2, '/.gh-XXXXXX/s'.length + 1) - base.length
      const path = join(base, 'd'.repeat(spare), name)
      expect(socketPathFault(path)).toBeUndefined()
      await open(path)
    }
  })
})

describe('a request on the admin socket', () => {
  test('is that of the local operator', async () => {
    const path = newPath()
    await open(path)
    const answer = await exchange(path, put('{"a":"ü"}'))
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"by":"local operator","body":\{"a":"ü"\}\}\n$/)
  })

  test.each([
    [
      'who says so',
      'gatehouse-user: j%C3%BCrgen\r\nGatehouse-Sudo-User: anna',
      { user: 'jürgen', sudoUser: 'anna' },
    ],
    ['who says no more', 'Gatehouse-User: root', { user: 'root' }],
    ['with a line break in his name', 'Gatehouse-User: a%0Ab', undefined],
    ['with a name in no encoding', 'Gatehouse-User: %', undefined],
    ['with too long a name', `Gatehouse-User: ${'x'.repeat(65)}`, undefined],
    ['who says whom he is for alone', 'Gatehouse-Sudo-User: anna', undefined],
  ])('knows the user of the system %s', async (_, header, os) => {
    const path = newPath()
    await open(path)
    const answer = await exchange(path, put('{}').replace('\r\n\r\n', `\r\n${header}\r\n\r\n`))
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({ by: 'local operator', os, body: {} })
  })

  test.each([
    ['that is not JSON', put('{"a":'), 400],
    ['of another type', put('{}').replace('application/json', 'text/plain'), 415],
    ['in another encoding', put('{}').replace('/json', '/json; charset=utf-16'), 415],
    ['of a type that begins alike', put('{}').replace('/json', '/json5'), 415],
    ['that is compressed', put('{}', 'Content-Encoding: gzip\r\n'), 415],
    ['that is too long', put('').replace('Length: 0', 'Length: 65537'), 413],
    [
      'that is too long, and does not say so',
      `${put('').replace('Content-Length: 0', 'Transfer-Encoding: chunked')}10001\r\n${'x'.repeat(65_537)}`,
      413,
    ],
    ['at a path that there is not', put('{}').replace('/echo', '/else'), 404],
    ['by another method', put('{}').replace('PUT', 'POST'), 405],
    ['with headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}`, 431],
    ['that is no HTTP', 'hello\r\n\r\n', 400],
  ])('%s is refused', async (_, bytes, status) => {
    const path = newPath()
    const log = memoryLog()
    await open(path, log)
    expect(await exchange(path, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(await isAnswered(path)).toBe(true)
    expect(log.lines).toEqual([])
  })

  test.each(['application/json;charset=UTF-8', 'Application/JSON ; charset="utf-8"', 'application/json;'])(
    'of type %s is taken',
    async type => {
      const path = newPath()
      await open(path)
      const headers = 'Content-Encoding: identity\r\n'
      const answer = await exchange(path, put('{}', headers).replace('application/json', type))
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    },
  )

  test('with bytes that are not UTF-8 is refused', async () => {
    const path = newPath()
    await open(path)
    const socket = connect({ path })
    await once(socket, 'connect')
    socket.write(put('"xy"').slice(0, -4))
    socket.write(Buffer.from([0x22, 0xff, 0xfe, 0x22]))
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*not JSON in UTF-8/)
  })

  test('that ends before its time is none', async () => {
    const path = newPath()
    const log = memoryLog()
    await open(path, log)
    const socket = connect({ path })
    await once(socket, 'connect')
    socket.end(put('{"a":1}').slice(0, -3))
    expect(await text(socket)).not.toMatch(/ 200 /)
    expect(await exchange(path, put('1'))).toMatch(/ 200 /)
    expect(log.lines).toEqual([])
  })

  test('that meets a fault of the gateway is told so, and the log knows it', async () => {
    const path = newPath()
    const log = memoryLog()
    await open(path, log)
    const answer = await exchange(path, 'GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 500 [\s\S]*internal error, see the log/)
    expect(log.lines).toMatchObject([{ level: 'error', fields: { err: new Error('broken') } }])
  })
})
