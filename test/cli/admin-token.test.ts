import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isToken } from '../../src/admin/token-hash.ts'
import { readTokens } from '../../src/config/tokens.ts'
import { type CommandResult, runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'

function token(folder: ConfigFolder, ...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(['admin', 'token', ...argv, '--config', folder.file])
}

const kept = (folder: ConfigFolder) => readTokens(folder.at('data/tokens.yaml'))
const audited = (folder: ConfigFolder) =>
  readFileSync(folder.at('data/audit.log'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

describe('admin token', () => {
  test('makes one, shows it once, lists and revokes it', async () => {
    const folder = configFolder()
    expect(await token(folder, 'list')).toEqual({ status: 0, out: 'no tokens\n', err: '' })
    const made = await token(folder, 'add', '--role', 'viewer', '--name', 'grafana')
    expect(made).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^gh_[0-9a-f]{12}_[0-9a-f]{64}\n$/),
      err: 'token grafana (viewer); keep it now, it is not shown again\n',
    })
    const [one] = kept(folder)
    expect(await isToken(made.out.trim(), one!)).toBe(true)
    const list = await token(folder, 'list')
    expect(list.out).toMatch(
      /^name {5}role {4}created {15}id\ngrafana {2}viewer {2}20\d\d-\S+Z {2}[0-9a-f]{12}\n$/,
    )
    expect(await token(folder, 'revoke', 'grafana')).toEqual({
      status: 0,
      out: 'token grafana is revoked\n',
      err: '',
    })
    expect(kept(folder)).toEqual([])
    expect(audited(folder)).toMatchObject([
      {
        by: 'local operator',
        action: 'token.add',
        subject: 'grafana',
        before: null,
        after: { role: 'viewer' },
      },
      { action: 'token.revoke', subject: 'grafana', before: { role: 'viewer' }, after: null },
    ])
    const secret = made.out.trim().split('_')[2]!
    for (const name of ['data/audit.log', 'data/tokens.yaml'])
      expect(readFileSync(folder.at(name), 'utf8')).not.toContain(secret)
    expect(readFileSync(folder.at('data/audit.log'), 'utf8')).not.toMatch(/hash|salt/)
  })

  test('without more than a role names the token by itself', async () => {
    const folder = configFolder()
    const { status, out } = await token(folder, '--role', 'administrator', '--json')
    const made = JSON.parse(out)
    expect(status).toBe(0)
    expect(made).toEqual({
      name: `administrator-${made.id}`,
      role: 'administrator',
      created: expect.any(String),
      id: made.token.split('_')[1],
      token: made.token,
    })
    expect(JSON.parse((await token(folder, 'list', '--json')).out)).toEqual([
      { name: made.name, role: 'administrator', created: made.created, id: made.id },
    ])
  })

  test.each<[number, readonly string[], RegExp]>([
    [2, [], /required option '--role <role>' not specified/],
    [2, ['--role', 'root'], /Allowed choices are viewer, administrator/],
    [2, ['--role', 'viewer', '--name', 'local operator'], /Letters, digits, dots/],
    [2, ['revoke'], /missing required argument 'name'/],
    [2, ['make'], /too many arguments|unknown command|required option/],
    [1, ['revoke', 'nobody'], /there is no token "nobody"/],
    [1, ['--role', 'viewer', '--name', 'taken'], /there is a token taken already; revoke it first/],
  ])('refuses with %i: %j', async (status, argv, expected) => {
    const folder = configFolder()
    await token(folder, '--role', 'viewer', '--name', 'taken')
    const before = kept(folder)
    const result = await token(folder, ...argv)
    expect(result).toMatchObject({ status, out: '', err: expect.stringMatching(expected) })
    expect(kept(folder)).toEqual(before)
    expect(audited(folder)).toHaveLength(1)
  })

  test('makes none that cannot be put on record', async () => {
    const folder = configFolder()
    mkdirSync(folder.at('data/audit.log'), { recursive: true })
    const result = await token(folder, '--role', 'viewer')
    expect(result).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringMatching(/audit log cannot be written/),
    })
    expect(existsSync(folder.at('data/tokens.yaml'))).toBe(false)
  })

  test('leaves a file that check looks at', async () => {
    const folder = configFolder()
    await token(folder, '--role', 'viewer')
    const check = async () =>
      (await runCommand(['check', '--config', folder.file])).err
        .split('\n')
        .filter(line => /token/.test(line))
    expect(await check()).toEqual([])
    chmodSync(folder.at('data/tokens.yaml'), 0o644)
    expect(await check()).toEqual([
      expect.stringMatching(/warning: .*tokens\.yaml is open to every user .* 0644/),
    ])
    writeFileSync(folder.at('data/tokens.yaml'), 'tokens: [1]\n')
    expect(await check()).toContainEqual(
      expect.stringMatching(/tokens\.yaml:1:10: tokens\[0\]: expected a mapping/),
    )
  })

  test('tells what is wrong with the files', async () => {
    const folder = configFolder({ 'data/tokens.yaml': 'tokens: [1]\n' })
    expect(await token(folder, 'list')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/tokens\.yaml:1:10: /),
    })
    const wrong = configFolder({ 'config/gatehouse.yaml': 'admin: { tokens: 1 }\n' })
    expect(await token(wrong, 'list')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/admin\.tokens/),
    })
  })
})
