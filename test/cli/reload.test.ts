import { writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Audit, auditFile } from '../../src/admin/audit.ts'
import { type ReloadOutcome, reloadRoutes } from '../../src/admin/reload.ts'
import { openAdminSocket } from '../../src/admin/socket.ts'
import { memoryAudit } from '../support/audit.ts'
import { runCommand } from '../support/command-host.ts'
import type { ConfigFolder } from '../support/config-folder.ts'
import { silentLog } from '../support/log.ts'
import { partnerCommand, partnerFolder, partnersIn } from '../support/partner-command.ts'

describe('a gateway that runs', () => {
  /** Answers reloads on the socket of a folder. */
  async function asDaemon(
    folder: ConfigFolder,
    answer: () => Promise<ReloadOutcome>,
    audit: Audit = memoryAudit(),
  ): Promise<void> {
    const { close } = await openAdminSocket(
      folder.at('data/gatehouse.sock'),
      reloadRoutes(answer, audit),
      silentLog,
    )
    onTestFinished(close)
  }

  test('hears of an edit, once the list is written', async () => {
    const folder = partnerFolder()
    const lists: string[] = []
    await asDaemon(folder, async () => {
      lists.push(partnersIn(folder))
      return { reloaded: true, problems: [], warnings: ['a warning'] }
    })
    const { status, out } = await partnerCommand(folder, 'set', 'fabrikam.com', '--keep-alive')
    expect({ status, out }).toEqual({
      status: 0,
      out: expect.stringMatching(/\nthe gateway has reloaded its configuration\n$/),
    })
    expect(lists).toEqual([expect.stringContaining('keepAlive: true')])
    const { out: json } = await partnerCommand(folder, 'remove', 'fabrikam.com', '--json')
    expect(JSON.parse(json)).toEqual({
      change: 'removed',
      file: folder.at('config/partners.yaml'),
      partner: expect.objectContaining({ primaryDomain: 'fabrikam.com', keepAlive: true }),
      warnings: [],
      reload: { outcome: 'reloaded', problems: [], warnings: ['a warning'] },
    })
  })

  test('that refuses the configuration makes the command fail, and the list stays written', async () => {
    const folder = partnerFolder()
    await asDaemon(folder, async () => ({
      reloaded: false,
      problems: ['gatehouse.yaml:1:1: domains: is wrong'],
      warnings: ['gatehouse.yaml:2:1: admin: is open'],
    }))
    const { status, err } = await partnerCommand(folder, 'set', 'fabrikam.com', '--keep-alive')
    expect({ status, err }).toEqual({
      status: 1,
      err: 'gatehouse.yaml:1:1: domains: is wrong\nwarning: gatehouse.yaml:2:1: admin: is open\ngatehouse: the gateway cannot use this configuration, and goes on with the old one\n',
    })
    expect(partnersIn(folder)).toContain('keepAlive: true')
    const reload = await runCommand(['reload', '--config', folder.file, '--json'])
    expect(reload.status).toBe(1)
    expect(JSON.parse(reload.out)).toEqual({
      outcome: 'refused',
      problems: ['gatehouse.yaml:1:1: domains: is wrong'],
      warnings: ['gatehouse.yaml:2:1: admin: is open'],
    })
  })

  test('is told to reload by the command of that name', async () => {
    const folder = partnerFolder()
    expect(await runCommand(['reload', '--config', folder.file])).toEqual({
      status: 1,
      out: '',
      err: 'gatehouse: the gateway is not running\n',
    })
    await asDaemon(folder, async () => ({ reloaded: true, problems: [], warnings: [] }))
    expect(await runCommand(['reload', '--config', folder.file])).toEqual({
      status: 0,
      out: 'the gateway has reloaded its configuration\n',
      err: '',
    })
    const told = await partnerCommand(folder, 'set', 'fabrikam.com', '--keep-alive')
    expect([told.status, told.err]).toEqual([0, ''])
    writeFileSync(folder.file, 'admin: 5\n')
    expect(await runCommand(['reload', '--config', folder.file])).toMatchObject({ status: 1, out: '' })
  })

  test('that has reloaded is heard with its warnings, those of other entries by `reload` alone', async () => {
    const folder = partnerFolder()
    const ofList = 'partners.yaml:7:5: partners[1].saslNegotiation: is weak'
    const waiting = 'listen: changed, but only a restart puts it into force'
    await asDaemon(folder, async () => ({ reloaded: true, problems: [], warnings: [ofList, waiting] }))
    const { err, status } = await runCommand(['reload', '--config', folder.file])
    expect([status, err]).toEqual([0, `warning: ${ofList}\nwarning: ${waiting}\n`])
    const edit = await partnerCommand(folder, 'set', 'fabrikam.com', '--keep-alive')
    expect([edit.status, edit.err]).toEqual([0, `warning: ${waiting}\n`])
  })

  test('is told of in colours, on a terminal', async () => {
    const folder = partnerFolder()
    const coloured = { isColoured: () => true }
    const reload = () => runCommand(['reload', '--config', folder.file], {}, undefined, coloured)
    const [red, yellow, end] = ['\x1b[31m', '\x1b[33m', '\x1b[39m']
    expect((await reload()).err).toBe(`${red}gatehouse: the gateway is not running${end}\n`)
    await asDaemon(folder, async () => ({ reloaded: false, problems: ['a', 'b'], warnings: ['c'] }))
    expect((await reload()).err).toBe(
      `${red}a${end}\n${red}b${end}\n${yellow}warning: c${end}\n${red}gatehouse: the gateway cannot use this configuration, and goes on with the old one${end}\n`,
    )
    writeFileSync(folder.file, 'admin: 5\n')
    expect((await reload()).err.startsWith(`${red}${folder.file}:1:`)).toBe(true)
  })

  test('that cannot reload for another reason than the configuration says so', async () => {
    const folder = partnerFolder()
    const good = async () => ({ reloaded: true, problems: [], warnings: [] })
    await asDaemon(folder, good, auditFile(folder.at('config')))
    const { status, err } = await runCommand(['reload', '--config', folder.file])
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(
        /^gatehouse: the gateway has not reloaded its configuration: the audit log cannot be written, [^\n]*\n$/,
      ),
    ])
    const { out } = await runCommand(['reload', '--config', folder.file, '--json'])
    expect(JSON.parse(out)).toMatchObject({
      outcome: 'failed',
      problems: [expect.stringMatching(/^the audit log/)],
    })
  })
})
