import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { HealthSources } from '../../src/admin/health.ts'
import { type AdminServer, startAdminServer } from '../../src/admin/server.ts'
import { type MemoryLog, memoryLog } from '../support/log.ts'

async function startAdmin(
  health: Partial<HealthSources> = {},
): Promise<AdminServer & { log: MemoryLog; url: string }> {
  const log = memoryLog()
  const server = await startAdminServer({
    address: '127.0.0.1',
    port: 0,
    ...newFiles(),
    hosts: [],
    routes: [],
    log,
    health: {
      readiness: () => ({ ready: true, detail: 'all is well' }),
      metrics: () => '# metrics\n',
      ...health,
    },
  })
  onTestFinished(server.close)
  return { ...server, log, url: `http://127.0.0.1:${server.port}` }
}

function newFiles(): { socket: string; tokens: string } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-admin-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return { socket: join(folder, 'gatehouse.sock'), tokens: join(folder, 'tokens.yaml') }
}

/** Sends bytes as they are and returns what comes back until the end. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.write(bytes)
  return await text(socket)
}

describe('the admin port', () => {
  test('is alive', async () => {
    const { url } = await startAdmin()
    const response = await fetch(`${url}/healthz`)
    expect([response.status, await response.json()]).toEqual([200, { status: 'alive' }])
  })

  test.each([
    [true, 200],
    [false, 503],
  ])('is ready or says why not: %s', async (ready, status) => {
    const { url } = await startAdmin({ readiness: () => ({ ready, detail: 'no component stream' }) })
    const response = await fetch(`${url}/readyz?verbose`)
    expect([response.status, await response.json()]).toEqual([
      status,
      { ready, detail: 'no component stream' },
    ])
  })

  test('gives metrics to Prometheus', async () => {
    const { url } = await startAdmin()
    const response = await fetch(`${url}/metrics`)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await response.text()).toBe('# metrics\n')
  })

  test('answers HEAD without a body', async () => {
    const { port } = await startAdmin()
    const answer = await exchange(port, 'HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('content-length: 10\r\n')
    expect(answer).toMatch(/\r\n\r\n$/)
  })

  test.each(['/', '/metrics/', '/healthz/../metrics/x', '//healthz', '/api'])(
    'has nothing at %s for who bears no token',
    async path => {
      const { url } = await startAdmin()
      const response = await fetch(url + path)
      expect([response.status, response.headers.get('www-authenticate'), await response.json()]).toEqual([
        401,
        'Bearer realm="gatehouse"',
        { error: { message: 'this needs a token: Authorization: Bearer TOKEN' } },
      ])
    },
  )

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('does not do %s', async method => {
    const { url } = await startAdmin()
    const response = await fetch(`${url}/healthz`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
    await response.text()
  })

  test('takes a target in absolute form, whose host counts and not that of the header (RFC 9112 §3.2.2)', async () => {
    const { port } = await startAdmin()
    const get = (target: string, host: string) =>
      exchange(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(await get('http://localhost/healthz', 'localhost')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await get('http://localhost/health', 'evil.example')).toMatch(/^HTTP\/1\.1 401 /)
    expect(await get('http://evil.example/health', 'localhost')).toMatch(/^HTTP\/1\.1 421 /)
  })

  test('does not read a body that nobody asked for', async () => {
    const { port } = await startAdmin()
    const answer = await exchange(
      port,
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close/i)
  })

  test('refuses headers without end', async () => {
    const { port } = await startAdmin()
    const answer = await exchange(port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('survives a fault of its own and logs it', async () => {
    const { url, log } = await startAdmin({
      metrics: () => {
        throw new Error('broken')
      },
    })
    const response = await fetch(`${url}/metrics`)
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: { message: 'internal error, see the log' } },
    ])
    expect(log.lines).toMatchObject([{ level: 'error', fields: { err: new Error('broken') } }])
  })

  test('says so when its port is taken', async () => {
    const { port, log } = await startAdmin()
    const health = { readiness: () => ({ ready: true, detail: '' }), metrics: () => '' }
    const files = newFiles()
    await expect(
      startAdminServer({ address: '127.0.0.1', port, ...files, hosts: [], routes: [], log, health }),
    ).rejects.toThrow(/EADDRINUSE; another program listens there already .*change admin\.port$/)
    expect(existsSync(files.socket)).toBe(false)
  })

  test('closes at once, whoever is still connected', async () => {
    const server = await startAdmin()
    const socket = connect({ host: '127.0.0.1', port: server.port })
    await once(socket, 'connect')
    socket.resume()
    await Promise.all([once(socket, 'close'), server.close()])
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  })
})
