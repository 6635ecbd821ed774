import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { random } from '../fuzz/streams.ts'
import { ask, asking, exchange, tokenFor } from '../support/api-client.ts'
import { ApiDescription } from '../support/api-description.ts'
import { startGateway } from '../support/running-gateway.ts'

const juliet = 'juliet@fabrikam.com'
const requests = 3000

describe('an API that is asked by whoever does not know how', () => {
  test('does not break, changes nothing and keeps nothing', { timeout: 60_000 }, async () => {
    const gateway = await startGateway()
    const token = await tokenFor(gateway, 'administrator')
    const get = asking(gateway, token)
    const state = async () => {
      const shown = ['/contacts', '/partners', '/certificates'].map(
        async path => (await get('GET', path)).value,
      )
      return [await Promise.all(shown), readFileSync(gateway.folder.at('config/partners.yaml'), 'utf8')]
    }
    const before = await state()
    const port = gateway.gatehouse.admin.port
    const path = gateway.folder.at('data/gatehouse.sock')
    const fuzz = new Fuzz(token)
    // Once for whatever is made at the first time and then stays.
    await Promise.all(fuzz.batch(20).map(bytes => exchange({ port }, bytes)))
    const held = descriptors()
    const statuses = new Map<string, number>()
    for (let at = 0; at < requests / 20; at++) {
      const to = at % 2 === 0 ? { port } : { path }
      for (const answer of await Promise.all(fuzz.batch(20).map(bytes => exchange(to, bytes)))) {
        const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 'none'
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    await expect.poll(descriptors).toBeLessThanOrEqual(held)
    expect(await state()).toEqual(before)
    expect(existsSync(gateway.folder.at('data/audit.log'))).toBe(false)
    expect(gateway.log.lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(gateway.log.events.filter(({ event }) => event === 'reloaded')).toEqual([])
    for (const status of ['400', '401', '404', '405', '413', '415', '421'])
      expect([status, statuses.get(status) ?? 0]).toEqual([status, expect.toSatisfy(count => count > 0)])
    for (const status of ['201', '500']) expect(statuses.has(status)).toBe(false)
    expect((await ask(port, 'GET', '/healthz')).status).toBe(200)
  })

  test('keeps little of those who try tokens, and goes on for who has one', async () => {
    const gateway = await startGateway()
    const token = await tokenFor(gateway, 'viewer')
    const get = asking(gateway, token)
    expect((await get('GET', '/health')).status).toBe(200)
    const port = gateway.gatehouse.admin.port
    const fuzz = new Fuzz('')
    let hashed = 0
    for (let round = 0; round < 10; round++) {
      const tried = (made: () => string) =>
        Promise.all(
          Array.from({ length: 50 }, () => ({ headers: { authorization: `Bearer ${made()}` } })).map(
            options => ask(port, 'DELETE', '/partners/fabrikam.com', options),
          ),
        )
      const strange = await tried(() => fuzz.token())
      expect(strange.filter(({ status }) => status !== 401)).toEqual([])
      const answers = await tried(() => fuzz.guess(token))
      expect(answers.filter(({ status }) => status !== 401 && status !== 429)).toEqual([])
      hashed += answers.filter(({ status }) => status === 401).length
      expect((await get('GET', '/health')).status).toBe(200)
    }
    // Ten, then one in 6 s.
    expect(hashed).toBeGreaterThan(0)
    expect(hashed).toBeLessThanOrEqual(12)
    const told = gateway.log.lines.filter(({ message }) => message === 'a token is refused')
    expect(told.length).toBeLessThanOrEqual(12)
  })

  test('is not asked a thousand times in one breath: the connection ends', async () => {
    const gateway = await startGateway()
    const { port } = gateway.gatehouse.admin
    const one = 'DELETE /partners/fabrikam.com HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const last = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    expect((await exchange({ port }, one.repeat(10) + last)).match(/^HTTP\/1\.1 (401|200) /gm)).toHaveLength(
      11,
    )
    const answer = await exchange({ port }, one.repeat(1000) + last)
    expect(answer.match(/^HTTP\/1\.1 401 /gm)?.length ?? 0).toBeLessThanOrEqual(16)
    expect((await ask(port, 'GET', '/healthz')).status).toBe(200)
  })

  test('is not asked on and on by who does not read: the connection ends', async () => {
    const gateway = await startGateway()
    const { port } = gateway.gatehouse.admin
    const socket = connect({ host: '127.0.0.1', port })
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    for (let asked = 0; !socket.destroyed; asked++) {
      socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
      if (asked % 10 === 0) await new Promise(setImmediate)
      expect(asked).toBeLessThan(100_000)
    }
    expect((await ask(port, 'GET', '/healthz')).status).toBe(200)
  })
})

describe('connections that never come to an end', () => {
  test('are few, and ended in time; federation goes on meanwhile', { timeout: 30_000 }, async () => {
    const gateway = await startGateway()
    const token = await tokenFor(gateway, 'administrator')
    const port = gateway.gatehouse.admin.port
    const silent = 'GET /health HTTP/1.1\r\nHost: localhost\r\nX-'
    const body =
      'PUT /partners/northwind.example HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Authorization: Bearer ${token}\r\nContent-Length: 100\r\n\r\n{`
    const begunMs = performance.now()
    const slow = await Promise.all(
      Array.from({ length: 100 }, (_, at) => hang(port, at % 2 === 0 ? silent : body)),
    )
    const dropped = slow.slice(64)
    await Promise.all(dropped.map(({ closed }) => closed))
    const sender = await gateway.connect()
    await sender.authenticates()
    await Promise.all(slow.map(({ closed }) => closed))
    expect(performance.now() - begunMs).toBeLessThan(15_000)
    expect(gateway.folder.load().partners.all).toHaveLength(1)
    expect((await asking(gateway, token)('GET', '/health')).status).toBe(200)
    expect(gateway.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})

/** Says something, and then no more. */
async function hang(port: number, bytes: string): Promise<{ closed: Promise<unknown> }> {
  const socket: Socket = connect({ host: '127.0.0.1', port })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  const closed = new Promise(resolve => socket.once('close', resolve))
  await Promise.race([once(socket, 'connect'), closed])
  socket.resume().write(bytes)
  return { closed }
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** Requests that nobody should make: none of them may change anything, whoever makes it. */
class Fuzz {
  readonly #token: string
  readonly #paths = new ApiDescription().operations.map(({ path }) => path)
  readonly #next = random(20_261_120)

  constructor(token: string) {
    this.#token = token
  }

  batch(count: number): Buffer[] {
    return Array.from({ length: count }, () => this.#request())
  }

  /** In the form of a token, or nearly so. */
  token(): string {
    return this.#pick([
      `gh_${this.#hex(12)}_${this.#hex(64)}`,
      `gh_${this.#hex(12)}_${this.#hex(63)}`,
      this.#hex(80),
      this.#hex(9) + 'x'.repeat(4000),
    ])
  }

  /** The id of a token that there is, and another secret. */
  guess(token: string): string {
    return token.slice(0, 16) + this.#hex(64)
  }

  #hex(digits: number): string {
    return Array.from({ length: digits }, () => this.#pick([...'0123456789abcdef'])).join('')
  }

  #request(): Buffer {
    const body = this.#body()
    const framing = this.#pick([
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Content-Length: -1',
      'Content-Length: 99999999999999999999',
      'Content-Length: 5000000',
      `Content-Length: ${Buffer.byteLength(body)}\r\nTransfer-Encoding: chunked`,
      'Transfer-Encoding: chunked, gzip',
    ])
    const lines = [
      `${this.#method()} ${this.#path()} ${this.#pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', ''])}`,
      `Host: ${this.#pick(['localhost', 'localhost', 'localhost', '127.0.0.1', 'evil.example', '', 'a, b'])}`,
      'Connection: close',
      `Content-Type: ${this.#pick(['application/json', 'application/json', 'text/plain', 'application/json;x'])}`,
      `Authorization: ${this.#pick([`Bearer ${this.#token}`, `Bearer ${this.#token}`, 'Bearer x', 'Basic x', '\u00ff'])}`,
      framing,
      ...(this.#next(10) < 1 ? [`X: ${'x'.repeat(20_000)}`] : []),
      ...(this.#next(10) < 1 ? ['Host: localhost'] : []),
      ...(this.#next(10) < 1 ? ['Origin: http://evil.example'] : []),
      ...(this.#next(10) < 2
        ? [`Content-Encoding: ${this.#pick(['gzip', 'br', 'x', 'gzip, gzip', ''])}`]
        : []),
    ]
    return this.#spoil(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  }

  #method(): string {
    const usual = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
    return this.#next(10) < 9
      ? this.#pick(usual)
      : this.#pick(['TRACE', 'OPTIONS', 'CONNECT', 'PURGE', 'get', ''])
  }

  #path(): string {
    const known = this.#pick(this.#paths).replaceAll(/\{.*?\}/g, () =>
      this.#pick([
        'fabrikam.com',
        juliet,
        '%00',
        '%',
        '..',
        '%2e%2e%2f',
        'a'.repeat(2000),
        '',
        '__proto__',
        '%F0%9F%A6%84',
      ]),
    )
    const query = ['?limit=-1', '?limit=1e9', '?after=%00', '?__proto__=1', '?=', '?limit=1&limit=2', '?a&a']
    return this.#next(10) < 8
      ? this.#pick(['', '', '', 'http://localhost', 'https://evil.example', 'http://localhost:0']) +
          known +
          this.#pick(['', '', ...query])
      : this.#pick([
          '/',
          '*',
          'http://evil.example/partners',
          '//partners',
          '/partners/../contacts',
          '/%70artners',
          '',
        ])
  }

  /** JSON that fits nowhere, or none. */
  #body(): string {
    return this.#pick([
      '0',
      '"x"',
      'null',
      '[[[[]]]]',
      '{"__proto__":{"role":"administrator"}}',
      '{"constructor":{"prototype":{}}}',
      '{"partnerType":"root","primaryDomain":"evil.example"}',
      '{"reason":"\\u0000"}',
      '{',
      '[1',
      '\u00ff\u00fe',
      '['.repeat(5000),
      `{"description":"${'x'.repeat(66_000)}"}`,
      `[${'{"Domain":1},'.repeat(50)}0]`,
    ])
  }

  /** Leaves most as they are; some lose a part, some have single bytes changed ahead of their path. */
  #spoil(bytes: Buffer): Buffer {
    if (this.#next(10) < 8) return bytes
    if (this.#next(10) < 5) {
      // It waits for no more: the connection is ended by the bytes that fit nowhere.
      return Buffer.concat([bytes.subarray(0, this.#next(60)), Buffer.from('\0\r\n\r\n\0\r\n\r\n')])
    }
    const spoilt = Buffer.from(bytes)
    for (let at = 0; at < 5; at++) spoilt[this.#next(8)] = this.#next(256)
    return spoilt
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#next(items.length)]!
  }
}
