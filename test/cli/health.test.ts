import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Readiness } from '../../src/admin/health.ts'
import { startAdminServer } from '../../src/admin/server.ts'
import { readAdminAddress } from '../../src/config/admin-address.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder, leastConfig } from '../support/config-folder.ts'
import { silentLog } from '../support/log.ts'
import { freePorts } from '../support/server-process.ts'

async function answering(readiness: Readiness, port = 0): Promise<string> {
  const health = { readiness: () => readiness, metrics: () => '' }
  const { at } = configFolder()
  const files = { socket: at('gatehouse.sock'), tokens: at('tokens.yaml') }
  const around = { ...files, hosts: [], routes: [], log: silentLog, health }
  const server = await startAdminServer({ address: '127.0.0.1', port, ...around })
  onTestFinished(() => server.close())
  return configOf(server.port)
}

function configOf(port: number): string {
  return configFolder({ 'config/gatehouse.yaml': `${leastConfig}admin: { port: ${port} }\n` }).file
}

describe('health', () => {
  test.each([
    [{ ready: true, detail: 'listening' }, 'alive, ready: listening\n'],
    [{ ready: false, detail: 'the inside is away' }, 'alive, not ready: the inside is away\n'],
  ])('of a daemon that answers %j is good', async (readiness, out) => {
    const config = await answering(readiness)
    expect(await runCommand(['health', '-c', config])).toEqual({ status: 0, out, err: '' })
    const json = await runCommand(['health', '-c', config, '--json'])
    expect(JSON.parse(json.out)).toEqual({ alive: true, ...readiness })
    const coloured = await runCommand(['health', '-c', config], {}, undefined, { isColoured: () => true })
    expect(coloured.out).toBe(`\x1b[${readiness.ready ? 32 : 33}m${out.trimEnd()}\x1b[39m\n`)
  })

  test('of nobody is not', async () => {
    const [port = 0] = await freePorts(1)
    const { status, out, err } = await runCommand(['health', '-c', configOf(port)])
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toBe(
      `no answer from http://127.0.0.1:${port}/readyz: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    )
  })

  test('of a configuration that is not there is none, whoever answers at the default port', async () => {
    expect(await runCommand(['health', '-c', '/nowhere/gatehouse.yaml'])).toEqual({
      status: 1,
      out: '',
      err: 'gatehouse: cannot read /nowhere/gatehouse.yaml: no such file\n',
    })
  })

  test('asks the default port where no configuration is named, nor there', () => {
    const main = new URL('../../src/main.ts', import.meta.url).pathname
    const cwd = configFolder().at('config')
    const { stderr } = spawnSync(process.execPath, [main, 'health'], { cwd, encoding: 'utf8' })
    expect(stderr).toMatch(
      /^gatehouse: there is no config\/gatehouse\.yaml here; the default port is asked\n/,
    )
  })

  test('of somebody else on the port is not', async () => {
    const server = createServer((_, response) => response.end('{"status":"fine"}')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close().closeAllConnections())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { status, err } = await runCommand(['health', '-c', configOf(port)])
    expect({ status, err }).toMatchObject({ status: 1, err: expect.stringContaining('somebody else') })
  })

  test('with --wait is that of a daemon that comes later', async () => {
    const [port = 0] = await freePorts(1)
    const asking = runCommand(['health', '-c', configOf(port), '--wait', '10s'])
    await answering({ ready: true, detail: 'listening' }, port)
    expect(await asking).toMatchObject({ status: 0 })
  })

  test('wants a duration to wait', async () => {
    const { status, err } = await runCommand(['health', '--wait', 'long'])
    expect({ status, err }).toMatchObject({ status: 2, err: expect.stringContaining('with its unit') })
  })
})

describe('the address it asks', () => {
  test.each([
    ['', { address: '127.0.0.1', port: 5280 }],
    ['admin: { address: "::1", port: 5281 }', { address: '::1', port: 5281 }],
    ['admin: { port: 5281 }\nlimits: { depth: 1 }\ndomains:', { address: '127.0.0.1', port: 5281 }],
    ['admin: { port: 5281 }\nlog: { level: [', { address: '127.0.0.1', port: 5281 }],
    ['admin: { port: many }', { address: '127.0.0.1', port: 5280 }],
  ])('is read out of a file that may be wrong otherwise: %j', (text, address) => {
    const { file } = configFolder({ 'config/gatehouse.yaml': text })
    expect(readAdminAddress(file)).toMatchObject(address)
  })

  test('is none without a file', () => {
    const fault = 'cannot read /nowhere/gatehouse.yaml: no such file'
    expect(readAdminAddress('/nowhere/gatehouse.yaml')).toEqual({ fault })
  })
})
