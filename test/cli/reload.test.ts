import { writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ReloadOutcome, reloadRoutes } from '../../src/admin/reload.ts'
import { openAdminSocket } from '../../src/admin/socket.ts'
import { memoryAudit } from '../support/audit.ts'
import { runCommand } from '../support/command-host.ts'
import type { ConfigFolder } from '../support/config-folder.ts'
import { silentLog } from '../support/log.ts'
import { partnerCommand, partnerFolder, partnersIn } from '../support/partner-command.ts'

describe('a gateway that runs', () => {
  /** Answers reloads on the socket of a folder. */
  async function asDaemon(folder: ConfigFolder, answer: () => Promise<ReloadOutcome>): Promise<void> {
    const { close } = await openAdminSocket(
      folder.at('data/gatehouse.sock'),
      reloadRoutes(answer, memoryAudit()),
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
    writeFileSync(folder.file, 'admin: 5\n')
    expect(await runCommand(['reload', '--config', folder.file])).toMatchObject({ status: 1, out: '' })
  })
})
