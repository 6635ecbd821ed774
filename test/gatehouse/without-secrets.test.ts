import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { probeOf, whyOf } from '../support/broken-partners.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import { serve } from '../support/profiled-peer.ts'
import { startGateway } from '../support/running-gateway.ts'

// As under systemd: credentials and environment are the daemon's, and it does not run.
const credential = (name: string) => `{ file: /run/credentials/nowhere.service/${name} }`
const inside = `internal: { connector: component, secret: ${credential('component')} }`
const dialback = `dialback: { secret: ${credential('dialback')} }`
const accepting = { tls: 'required', certificate: 'valid', external: 'accepted', dialback: false } as const

const bare = () =>
  configFolder({
    'config/gatehouse.yaml': `domains: { contoso.com: { certificate: not-there.crt, key: not-there.key } }\n${inside}\n${dialback}\n`,
    'config/partners.yaml':
      'partners: [{ primaryDomain: fabrikam.com, partnerType: federated, componentSecret: { env: NOT_HERE } }]\n',
  })

describe('without the daemon, its secrets and its certificates', () => {
  test('why reads the journal', async () => {
    const { file } = bare()
    expect(await runCommand(['why', 'fabrikam.com', '--config', file])).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^fabrikam\.com: a partner, federated\nNow +the gateway does not run\n/),
      err: '',
    })
  })

  test('contact lists, allows and revokes', async () => {
    const { file } = bare()
    const contact = (...argv: readonly string[]) => runCommand(['contact', ...argv, '--config', file])
    const pair = ['romeo@contoso.com', 'juliet@fabrikam.com'] as const
    expect(await contact('list')).toEqual({ status: 0, out: 'no authorised contacts\n', err: '' })
    expect((await contact('allow', ...pair)).status).toBe(0)
    expect((await contact('list')).out).toContain('juliet@fabrikam.com')
    expect((await contact('revoke', ...pair)).status).toBe(0)
    expect(await contact('allow', 'romeo@contoso.com', 'a@stranger.example')).toMatchObject({ status: 1 })
  })

  test('what is wrong in the text of the configuration, or in the partner list, is told', async () => {
    const { file, at } = bare()
    writeFileSync(at('config/partners.yaml'), 'partners: [{ primaryDomain: fabrikam.com }]\n')
    const { status, err } = await runCommand(['contact', 'list', '--config', file])
    expect([status, err]).toEqual([1, expect.stringMatching(/partners\.yaml:1:.*partnerType/)])
  })
})

test('a probe without the daemon and its secrets is made, with the certificates', async () => {
  const gateway = await startGateway()
  await gateway.gatehouse.stop()
  await serve(gateway, gateway.identity(), accepting)
  const { file } = gateway.folder
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  const secret = { file: '/run/credentials/nowhere.service/secret' }
  writeFileSync(
    file,
    JSON.stringify({ ...config, internal: { connector: 'component', secret }, dialback: { secret } }),
  )
  const { status, lines, err } = await probeOf(gateway, 'fabrikam.com')
  expect([status, err]).toEqual([0, ''])
  expect(lines.at(-1)).toMatchObject({ outcome: { outcome: { method: 'sasl-external-tls' } } })
  expect((await whyOf(gateway, 'fabrikam.com')).state).toBeNull()
})
