import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ReloadOutcome, reloadRoutes } from '../../src/admin/reload.ts'
import { openAdminSocket } from '../../src/admin/socket.ts'
import { memoryAudit } from '../support/audit.ts'
import type { ConfigFolder } from '../support/config-folder.ts'
import { silentLog } from '../support/log.ts'
import { partnerCommand, partnerFolder, partnersIn, twoPartners } from '../support/partner-command.ts'

/** A gateway that has a configuration to load, and none of the variables that it may name. */
async function asDaemon(folder: ConfigFolder, beforeReload = () => {}): Promise<void> {
  const answer = async (): Promise<ReloadOutcome> => {
    beforeReload()
    const problems = folder.problems().filter(problem => problem.includes(' error '))
    const told = problems.map(problem => problem.replace(' error ', ': '))
    return { reloaded: told.length === 0, problems: told, warnings: [] }
  }
  const routes = reloadRoutes(answer, memoryAudit())
  const { close } = await openAdminSocket(folder.at('data/gatehouse.sock'), routes, silentLog)
  onTestFinished(close)
}

const add = ['add', 'a.b', '--type', 'federated', '--component-secret', 'env:NOPE_X']

describe('an edit that the running gateway cannot use', () => {
  test('is taken back, and both are on record', async () => {
    const folder = partnerFolder()
    await asDaemon(folder)
    const { status, out, err } = await partnerCommand(folder, ...add)
    expect({ status, out, err }).toEqual({
      status: 1,
      out: '',
      err: expect.stringMatching(
        /NOPE_X is not set, or empty\ngatehouse: the gateway cannot use this, so the partner list is put back as it was\n$/,
      ),
    })
    expect(partnersIn(folder)).toBe(twoPartners)
    const audit = readFileSync(folder.at('data/audit.log'), 'utf8').trimEnd().split('\n')
    expect(audit.map(line => JSON.parse(line))).toMatchObject([
      { action: 'partner.add', subject: 'a.b', before: null },
      { action: 'partner.undo', subject: 'a.b', after: null },
    ])
    const json = await partnerCommand(folder, ...add, '--json')
    expect([json.status, JSON.parse(json.out)]).toMatchObject([
      1,
      { change: null, reload: { outcome: 'refused', undone: true } },
    ])
  })

  test('stays where somebody else has changed the list since', async () => {
    const folder = partnerFolder()
    const file = folder.at('config/partners.yaml')
    await asDaemon(folder, () => writeFileSync(file, `${partnersIn(folder)}# by hand\n`))
    const { status, err } = await partnerCommand(folder, ...add)
    expect([status, err]).toEqual([1, expect.stringMatching(/goes on with the old one\n$/)])
    expect(partnersIn(folder)).toMatch(/NOPE_X.*\n# by hand\n$/)
  })

  test('is refused before, where a file of it cannot be read', async () => {
    const folder = partnerFolder()
    const { status, err } = await partnerCommand(folder, ...add.with(-1, 'file:/nowhere/secret'))
    expect([status, err]).toEqual([
      1,
      'gatehouse: a.b: componentSecret: cannot read /nowhere/secret: no such file\n',
    ])
    expect(partnersIn(folder)).toBe(twoPartners)
  })
})
