import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'

const [romeo, juliet] = ['romeo@contoso.com', 'juliet@fabrikam.com']
const partner = ['partner', 'add', 'northwind.example', '--type', 'federated'] as const

function newFolder(): ConfigFolder {
  return configFolder({
    'config/partners.yaml': 'partners:\n  - { primaryDomain: fabrikam.com, partnerType: federated }\n',
  })
}

function run(folder: ConfigFolder, ...argv: readonly string[]) {
  return runCommand([...argv, '--config', folder.file], { SUDO_USER: 'anna' })
}

describe('a command on the files of a gateway that does not run', () => {
  test('is put on record with what was and what is', async () => {
    const folder = newFolder()
    await run(folder, 'contact', 'allow', romeo, juliet, '--reason', 'ticket 4711')
    await run(folder, 'contact', 'allow', romeo, juliet)
    await run(folder, 'contact', 'revoke', romeo, juliet)
    await run(folder, ...partner)
    await run(folder, 'partner', 'set', 'northwind.example', '--keep-alive')
    await run(folder, 'partner', 'remove', 'northwind.example')
    const lines = readFileSync(folder.at('data/audit.log'), 'utf8').split('\n').slice(0, -1)
    const who = {
      by: 'local operator',
      role: 'administrator',
      from: 'local',
      user: userInfo().username,
      sudoUser: 'anna',
    }
    const northwind = { primaryDomain: 'northwind.example', partnerType: 'federated' }
    const [pair, name] = [{ subject: `${romeo} ${juliet}` }, { subject: 'northwind.example' }]
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { ...who, ...pair, action: 'contact.allow', before: null, after: { reason: 'ticket 4711' } },
      { ...who, ...pair, action: 'contact.revoke', before: { reason: 'ticket 4711' }, after: null },
      { ...who, ...name, action: 'partner.add', before: null, after: northwind },
      {
        ...who,
        ...name,
        action: 'partner.change',
        before: northwind,
        after: { ...northwind, keepAlive: true },
      },
      { ...who, ...name, action: 'partner.remove', after: null },
    ])
  })

  test('is refused where it cannot be put on record', async () => {
    const folder = newFolder()
    mkdirSync(folder.at('data/audit.log'), { recursive: true })
    const list = readFileSync(folder.at('config/partners.yaml'), 'utf8')
    for (const argv of [
      ['contact', 'allow', romeo, juliet],
      partner,
      ['partner', 'remove', 'fabrikam.com'],
    ]) {
      expect(await run(folder, ...argv)).toMatchObject({
        status: 1,
        out: '',
        err: expect.stringMatching(/audit log cannot be written, so nothing is changed/),
      })
    }
    expect(readFileSync(folder.at('config/partners.yaml'), 'utf8')).toBe(list)
    expect(existsSync(folder.at('config/partners.yaml.lock'))).toBe(false)
    expect((await run(folder, 'contact', 'list')).out).toBe('no authorised contacts\n')
  })
})
