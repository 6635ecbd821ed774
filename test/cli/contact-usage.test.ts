import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'

describe.each([
  ['config', /gatehouse\.yaml:1:1: cannot read/],
  ['admin: { socket: 1 }\n', /gatehouse\.yaml:1:10: admin\.socket: expected a file name, not 1/],
  ['admin: { port: 5280, sockets: x }\n', /:1:22: admin\.sockets: unknown key; accepted here: .*socket/],
  ['admin: [\n', /gatehouse\.yaml:\d+:\d+: /],
  [
    `admin: { socket: /${'s'.repeat(120)} }\n`,
    /admin socket is too long .* give admin\.socket a shorter one/,
  ],
])('contact with %j', (text, expected) => {
  test('is told where the mistake is', async () => {
    const folder = configFolder({ 'config/gatehouse.yaml': text, 'config/partners.yaml': 'partners: []\n' })
    const file = text === 'config' ? '/nowhere/gatehouse.yaml' : folder.file
    const { status, err } = await runCommand(['contact', 'list', '--config', file])
    expect(status).toBe(1)
    expect(err).toMatch(expected)
  })
})

describe('wrong usage of contact', () => {
  test.each([
    ['contact'],
    ['contact', 'allow', 'romeo@contoso.com'],
    ['contact', 'drop'],
    ['contact', 'revoke', 'romeo@contoso.com', 'juliet@fabrikam.com', 'x'],
  ])('is exit status 2: %s %s', async (...argv) => {
    expect(await runCommand(argv)).toMatchObject({ status: 2, out: '' })
  })
})
