import { readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import { openssl } from '../support/openssl.ts'

describe('cert self-signed', () => {
  test('makes a certificate that OpenSSL accepts for the domain, and its key', async () => {
    const folder = configFolder()
    const [out, key, crt] = [folder.at('out'), folder.at('out/a.example.key'), folder.at('out/a.example.crt')]
    const result = await runCommand(['cert', 'self-signed', 'a.example', '--out', out, '--days', '7'])
    expect(result).toMatchObject({ status: 0, err: '' })
    expect(result.out).toContain(`${key}\n${crt}\n`)
    const [, fingerprint = 'none'] =
      /=(.*)/.exec(openssl('x509', '-in', crt, '-noout', '-fingerprint', '-sha256')) ?? []
    expect(result.out).toContain(`sha256:${fingerprint}`)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(openssl('verify', '-CAfile', crt, '-verify_hostname', 'a.example', crt)).toMatch(/OK/)
    expect(openssl('x509', '-in', crt, '-noout', '-pubkey')).toBe(openssl('pkey', '-in', key, '-pubout'))
    const days = (seconds: number) => () =>
      openssl('x509', '-in', crt, '-noout', '-checkend', String(seconds * 86_400))
    expect(days(6)).not.toThrow()
    expect(days(8)).toThrow()
  })

  test('overwrites nothing without --force', async () => {
    const folder = configFolder()
    const argv = ['cert', 'self-signed', 'a.example', '--out', folder.at('out')]
    await runCommand(argv)
    const before = readFileSync(folder.at('out/a.example.crt'), 'utf8')
    const { status, err } = await runCommand(argv)
    expect(status).toBe(1)
    expect(err).toMatch(
      /there already, and not overwritten without --force: .*a\.example\.key, .*a\.example\.crt/,
    )
    expect(readFileSync(folder.at('out/a.example.crt'), 'utf8')).toBe(before)
    const { out } = await runCommand([...argv, '--force', '--json'])
    expect(JSON.parse(out)).toMatchObject({
      key: folder.at('out/a.example.key'),
      certificates: [{ subject: 'CN=a.example', daysLeft: 364 }],
    })
    expect(readFileSync(folder.at('out/a.example.crt'), 'utf8')).not.toBe(before)
  })

  test.each([[['a b']], [['a.example', '--days', '0']], [['a.example', '--days', '3651']], [[]]])(
    'is wrong usage with %j',
    async args => {
      expect(await runCommand(['cert', 'self-signed', ...args])).toMatchObject({ status: 2, out: '' })
    },
  )
})
