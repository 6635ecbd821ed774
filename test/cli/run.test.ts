import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { answerTheEnd } from '../gatehouse/numbered.ts'
import { createSelfSigned } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'
import { InsideServer } from '../support/inside-server.ts'
import { partnerCommand } from '../support/partner-command.ts'

function daemonFolder(inside: InsideServer, ...partners: readonly string[]): ConfigFolder {
  return configFolder({
    'config/gatehouse.yaml': JSON.stringify({
      listen: [{ address: '127.0.0.1', port: 0 }],
      domains: { 'contoso.com': { selfSigned: true } },
      internal: { connector: 'component', host: '127.0.0.1', port: inside.port, secret: inside.secret },
      trust: { system: false },
      admin: { port: 0 },
      log: { level: 'error' },
    }),
    'config/partners.yaml': listOf(...partners),
  })
}

function listOf(...partners: readonly string[]): string {
  return JSON.stringify({
    partners: partners.map(primaryDomain => ({ primaryDomain, partnerType: 'federated' })),
  })
}

/** Runs the daemon in this process; `listeners` are those of its signals. */
function start(folder: ConfigFolder) {
  const listeners = new Map<string, () => void>()
  const status = run(folder.file, {
    env: {},
    out: () => undefined,
    err: () => undefined,
    onSignal: (signal, listener) => {
      listeners.set(signal, listener)
      return () => listeners.delete(signal)
    },
    stdout: new PassThrough().resume(),
    leave: () => undefined,
    figures: process,
    pid: process.pid,
    goOnAs: () => false,
  })
  return { listeners, status }
}

describe('the daemon', () => {
  test('uses a partner that a command has added, and leaves one that it has removed', async () => {
    const inside = await InsideServer.start()
    const folder = daemonFolder(inside, 'fabrikam.com')
    const { listeners, status } = start(folder)
    const fabrikam = await inside.component('fabrikam.com') // the admin socket is there before
    const done = { status: 0, out: expect.stringMatching(/\nthe gateway has reloaded its configuration\n$/) }
    expect(await partnerCommand(folder, 'add', 'litware.com', '--type', 'federated')).toMatchObject(done)
    answerTheEnd(await inside.component('litware.com'))
    answerTheEnd(fabrikam)
    expect(await partnerCommand(folder, 'remove', 'fabrikam.com')).toMatchObject(done)
    await fabrikam.streamEnd(20_000)

    const started = JSON.parse(readFileSync(folder.file, 'utf8'))
    const waiting = { ...started, admin: { port: 0, hosts: ['gateway.contoso.com'] }, limits: { depth: 65 } }
    writeFileSync(folder.file, JSON.stringify(waiting))
    expect(await runCommand(['reload', '--config', folder.file])).toEqual({
      status: 0,
      out: 'the gateway has reloaded its configuration\n',
      err: expect.stringMatching(/^warning: admin: changed, but only a restart puts it into force\n/m),
    })

    writeFileSync(folder.file, 'domains: {}\n')
    const { status: failed, err } = await runCommand(['reload', '--config', folder.file])
    expect(failed).toBe(1)
    expect(err).toMatch(/gatehouse\.yaml:1:1: domains: expected at least one local domain\n/)
    listeners.get('SIGTERM')?.()
    expect(await status).toBe(0)
  })

  test('that gets SIGHUP while it starts reloads once it has started', async () => {
    const inside = await InsideServer.start()
    const folder = daemonFolder(inside)
    const { listeners, status } = start(folder)
    const hangup = listeners.get('SIGHUP') // it has read its files, and nothing else has happened yet
    expect(hangup).toBeTypeOf('function')
    writeFileSync(folder.at('config/partners.yaml'), listOf('fabrikam.com'))
    hangup?.()
    answerTheEnd(await inside.component('fabrikam.com'))
    listeners.get('SIGTERM')?.()
    expect(await status).toBe(0)
    expect(listeners.size).toBe(0)
  })

  test('makes its self-signed certificate from the key that cert request has made, and keeps that', async () => {
    const inside = await InsideServer.start()
    const folder = daemonFolder(inside, 'fabrikam.com')
    const [key, certificate] = [folder.at('certs/contoso.com.key'), folder.at('certs/contoso.com.crt')]
    const argv = ['cert', 'request', '--yes', '--config', folder.file, '--out', folder.at('certs')]
    expect(await runCommand(argv)).toMatchObject({ status: 0 })
    const requested = readFileSync(key, 'utf8')
    const { listeners, status } = start(folder)
    answerTheEnd(await inside.component('fabrikam.com'))
    expect(readFileSync(key, 'utf8')).toBe(requested)
    const made = new X509Certificate(readFileSync(certificate))
    expect(made.checkPrivateKey(createPrivateKey(requested))).toBe(true)

    writeFileSync(key, createSelfSigned().keyPem)
    const { status: failed, err } = await runCommand(['reload', '--config', folder.file])
    expect([failed, err]).toEqual([
      1,
      expect.stringMatching(/selfSigned: \S+contoso\.com\.key is not the key of/),
    ])
    rmSync(key)
    expect((await runCommand(['reload', '--config', folder.file])).err).toMatch(/and its key \S+ is not: put/)
    expect(readFileSync(certificate, 'utf8')).toBe(made.toString())
    listeners.get('SIGTERM')?.()
    expect(await status).toBe(0)
  })
})
