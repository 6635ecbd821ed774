import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configFolder, leastConfig } from '../support/config-folder.ts'
import { freePorts } from '../support/server-process.ts'
import { describeWith } from './tools.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname

/** A daemon that is not read: how to start it, and what it says over HTTP and does with strangers. */
async function scene() {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const settings = `listen: [{ address: 127.0.0.1, port: ${port} }]
admin: { port: ${adminPort} }
trust: { system: false }
log: { bufferBytes: 10000 }
`
  const { file } = configFolder({ 'config/gatehouse.yaml': leastConfig + settings })
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
  }
  const isUp = () => metric('gatehouse_log_lines_lost_total').catch(() => undefined)
  /** One who is no XMPP server: a line or two in the log. */
  const stranger = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    socket.end('x')
    socket.resume()
    await once(socket, 'close')
  }
  return { file, metric, isUp, stranger }
}

async function stopped(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code] = (await ended) as [number | null]
  clearTimeout(killer)
  return code
}

describe('a daemon whose log nobody reads', () => {
  test('serves on, counts the lines that are lost, and stops in good order', async () => {
    const { file, metric, isUp, stranger } = await scene()
    const child = spawn(process.execPath, [main, 'run', '--config', file], {
      cwd: dirname(file),
      stdio: ['ignore', 'pipe', 'inherit'], // a pipe of 64 KiB that is never read
    })
    try {
      child.stdout?.pause()
      await expect.poll(isUp, { timeout: 20_000 }).toBe(0)
      for (let count = 0; count < 2000 && !((await isUp()) ?? 0); count += 1) await stranger()
      expect(await metric('gatehouse_log_lines_lost_total')).toBeGreaterThan(0)
    } finally {
      expect(await stopped(child)).toBe(0)
    }
  }, 60_000)
})

describeWith(['root', 'namespaces'], 'a daemon whose log goes to a disk', () => {
  test('that is full serves on, and writes again once there is space', async () => {
    const { file, metric, isUp, stranger } = await scene()
    const disk = join(dirname(file), 'disk')
    mkdirSync(disk)
    const script = `mount -t tmpfs -o size=32k tmpfs '${disk}' && exec "$0" '${main}' run --config '${file}' > '${disk}/log'`
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, process.execPath], { stdio: 'inherit' })
    const seen = `/proc/${child.pid}/root${disk}/log`
    try {
      await expect.poll(isUp, { timeout: 20_000 }).toBe(0)
      for (let count = 0; count < 2000 && !((await isUp()) ?? 0); count += 1) await stranger()
      expect(await metric('gatehouse_log_lines_lost_total')).toBeGreaterThan(0)
      const grow = spawn('nsenter', [
        '--target',
        String(child.pid),
        '--mount',
        'mount',
        '-o',
        'remount,size=1m',
        disk,
      ])
      expect((await once(grow, 'exit'))[0]).toBe(0)
      const told = async () => {
        await stranger()
        return readFileSync(seen, 'utf8').includes('"msg":"log lines were lost"')
      }
      await expect.poll(told, { timeout: 10_000 }).toBe(true)
      const whole = readFileSync(seen, 'utf8').split('\n').slice(0, -1)
      expect(whole.map(line => typeof JSON.parse(line).level)).toEqual(whole.map(() => 'string')) // none is cut
    } finally {
      expect(await stopped(child)).toBe(0)
    }
  }, 60_000)
})
