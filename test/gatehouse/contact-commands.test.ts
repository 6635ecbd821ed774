import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CommandResult, runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder, leastConfig } from '../support/config-folder.ts'
import { startGateway } from '../support/running-gateway.ts'
import { bounceOf } from './numbered.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com'
const partners = [{ primaryDomain: 'fabrikam.com', partnerType: 'publicUnverified' }]
const main = new URL('../../src/main.ts', import.meta.url).pathname

function contact(folder: ConfigFolder, ...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(['contact', ...argv, '--config', folder.file], { SUDO_USER: 'anna' })
}

describe('a gateway that runs', () => {
  test('sees at once what is allowed and revoked by command', async () => {
    const gateway = await startGateway({ inside: 'component', partners })
    const { folder } = gateway
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    const sender = await gateway.connect()
    await sender.authenticates()
    const write = (id: string) =>
      sender.send(`<message from='${juliet}/balcony' to='${romeo}' id='${id}'><body>hi</body></message>`)

    write('before')
    const receiver = await server.next()
    await receiver.accepts()
    expect(bounceOf(await receiver.next('message'))).toMatchObject({ id: 'before', condition: 'forbidden' })

    const allowed = await contact(folder, 'allow', romeo, juliet, '--reason', 'ticket 4711')
    expect(allowed).toMatchObject({ status: 0, err: '' })
    for (const id of ['allowed', 'again']) {
      write(id)
      expect((await inside.next('message')).attributes['id']).toBe(id)
    }

    expect(await contact(folder, 'revoke', romeo, juliet)).toMatchObject({ status: 0, err: '' })
    write('revoked')
    expect(bounceOf(await receiver.next('message'))).toMatchObject({ id: 'revoked', condition: 'forbidden' })
    expect(inside.untaken).toEqual([])

    const record = readFileSync(folder.at('data/audit.log'), 'utf8').trimEnd().split('\n')
    const os = { by: 'local operator', from: 'local', user: userInfo().username, sudoUser: 'anna' }
    expect(record.map(line => JSON.parse(line))).toMatchObject([
      { ...os, action: 'contact.allow' },
      { ...os, action: 'contact.revoke' },
    ])

    const who = { local: romeo, remote: juliet, by: 'local operator' }
    expect(gateway.events('contact.allowed')).toEqual([
      { event: 'contact.allowed', ...who, reason: 'ticket 4711' },
    ])
    expect(gateway.events('contact.revoked')).toEqual([{ event: 'contact.revoked', ...who }])
  })

  test('judges addresses by the partners of its last reload', async () => {
    const gateway = await startGateway({ partners })
    const { folder } = gateway
    expect((await contact(folder, 'allow', romeo, 'a@northwind.example')).err).toMatch(/no partner's domain/)
    const { partners: list } = folder.load()
    await gateway.gatehouse.reload({
      ...folder.load(),
      partners: { ...list, find: () => list.all[0] },
    })
    expect(await contact(folder, 'allow', romeo, 'a@northwind.example')).toMatchObject({ status: 0 })
  })

  test('takes its socket away when it stops', async () => {
    const gateway = await startGateway()
    const path = gateway.folder.at('data/gatehouse.sock')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await gateway.gatehouse.stop()
    expect(existsSync(path)).toBe(false)
  })
})

describe('a gateway that is killed', () => {
  test('has kept what was allowed; its socket is in nobody’s way', async () => {
    const folder = configFolder({
      'config/gatehouse.yaml': `${leastConfig}listen: [{ address: 127.0.0.1, port: 0 }]\ntrust: { system: false }\nadmin: { port: 0 }\n`,
      'config/partners.yaml': JSON.stringify({ partners }),
    })
    const first = await startDaemon(folder)
    expect(await contact(folder, 'allow', romeo, juliet)).toMatchObject({ status: 0, err: '' })
    first.kill('SIGKILL')
    await once(first, 'exit')
    expect(existsSync(folder.at('data/gatehouse.sock'))).toBe(true)
    expect((await contact(folder, 'list')).out).toMatch(/^romeo@contoso\.com {2}juliet@fabrikam\.com /m)
    expect(await contact(folder, 'allow', romeo, 'nurse@fabrikam.com')).toMatchObject({ status: 0, err: '' })
    await startDaemon(folder)
    expect(JSON.parse((await contact(folder, 'list', '--json')).out)).toMatchObject([
      { remote: juliet },
      { remote: 'nurse@fabrikam.com' },
    ])
  })
})

/** The daemon as a process of its own, ready; it ends with the test. */
async function startDaemon(folder: ConfigFolder): Promise<ReturnType<typeof spawn>> {
  const daemon = spawn(process.execPath, [main, 'run', '--config', folder.file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
  })
  for await (const line of createInterface(daemon.stdout)) if (line.includes('"event":"ready"')) return daemon
  throw new Error('the daemon has ended before it was ready')
}
