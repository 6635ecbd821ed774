import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configFolder } from '../support/config-folder.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname
const nobody = 65_534

/** A folder of data that belongs to the user of the gateway, within one of root's; and a command that root runs on it. */
function scene() {
  const folder = configFolder({
    'config/partners.yaml': 'partners:\n  - { primaryDomain: fabrikam.com, partnerType: federated }\n',
  })
  // Whoever the command goes on as has to find his way to the data.
  chmodSync(dirname(dirname(folder.file)), 0o755)
  mkdirSync(folder.at('data'), { mode: 0o700 })
  mkdirSync(folder.at('roots'), { mode: 0o700 })
  const gatehouse = (...argv: readonly string[]) =>
    spawnSync(process.execPath, [main, ...argv, '--config', folder.file], { encoding: 'utf8' })
  const hand = () => chownSync(folder.at('data'), nobody, nobody)
  return { folder, gatehouse, hand }
}

const allow = ['contact', 'allow', 'romeo@contoso.com', 'juliet@fabrikam.com'] as const

describe.skipIf(process.getuid?.() !== 0)(
  'a command that root runs on the data of the gateway (it needs root)',
  () => {
    test('leaves it to the user of the gateway', () => {
      const { folder, gatehouse, hand } = scene()
      hand()
      expect(gatehouse(...allow)).toMatchObject({ status: 0, stderr: '' })
      const owners = readdirSync(folder.at('data')).map(name => [
        name,
        lstatSync(folder.at(`data/${name}`)).uid,
      ])
      expect(owners).toEqual([
        ['audit.log', nobody],
        ['gatehouse.db', nobody],
      ])
    })

    test('warns of a key that the user of the gateway cannot read', () => {
      const { folder, gatehouse, hand } = scene()
      gatehouse('cert', 'self-signed', 'contoso.com', '--out', folder.at('config/certs'))
      const named =
        'domains: { contoso.com: { certificate: certs/contoso.com.crt, key: certs/contoso.com.key } }'
      writeFileSync(folder.file, `${named}\ninternal: { connector: embedded }\n`)
      hand()
      const key = folder.at('config/certs/contoso.com.key')
      const told = `domains.contoso.com.key: warning: ${key} is not readable to the user whose ${folder.at('data')} is (uid ${nobody})`
      expect(gatehouse('check').stderr).toContain(told)
      chownSync(key, 0, nobody)
      chmodSync(key, 0o640)
      expect(gatehouse('check').stderr).not.toContain('not readable')
      chmodSync(folder.at('config/certs'), 0o700)
      expect(gatehouse('check').stderr).toContain(told)
    })

    test.each(['gatehouse.db', 'gatehouse.db-wal', 'audit.log'])(
      'makes nothing where a link of his leads, who has no right to: %s',
      name => {
        const { folder, gatehouse, hand } = scene()
        symlinkSync(folder.at('roots/evil'), folder.at(`data/${name}`))
        hand()
        gatehouse(...allow)
        expect(existsSync(folder.at('roots/evil'))).toBe(false)
      },
    )
  },
)

test.skipIf(process.getuid?.() !== 0)('a user without a name may check, too (it needs root)', () => {
  const { folder } = scene()
  const argv = ['--reuid', '54321', '--regid', '54321', '--clear-groups', process.execPath, main]
  const { status, stdout, stderr } = spawnSync('setpriv', [...argv, 'check', '--config', folder.file], {
    encoding: 'utf8',
  })
  expect(stderr).not.toContain('Error')
  expect(status).toBeLessThan(2)
  expect(stdout).toMatch(/: \d+ errors?, \d+ warnings?\n$/)
})
