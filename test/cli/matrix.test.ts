import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'

const { rows: specified, notes } = JSON.parse(
  readFileSync(new URL('../policy/negotiation-matrix.json', import.meta.url), 'utf8'),
)

describe('matrix --json', () => {
  test('prints the rows as they stand in the specification', async () => {
    const { status, out, err } = await runCommand(['matrix', '--json'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(JSON.parse(out)).toStrictEqual(specified)
  })

  test('needs no configuration', async () => {
    const { status } = await runCommand(['matrix', '--json', '--config', '/nowhere/gatehouse.yaml'])
    expect(status).toBe(0)
  })
})

describe('matrix', () => {
  const file = (partners: string): string => configFolder({ 'config/partners.yaml': partners }).file

  test('prints a line for each row, its columns aligned', async () => {
    const { status, out } = await runCommand(['matrix', '--config', file('partners: []\n')])
    const lines = out.trimEnd().split('\n')
    expect(status).toBe(0)
    expect(lines).toHaveLength(19)
    const methodsAt = lines[0]!.indexOf('methods')
    for (const [at, row] of specified.entries()) {
      const line = lines[at + 1]!
      expect(line.slice(0, methodsAt).trim().split(/\s+/)).toEqual([
        row.tls,
        row.sasl,
        String(row.dialback),
        row.valid ? 'yes' : 'no',
      ])
      expect(line.slice(methodsAt)).toMatch(new RegExp(`^${row.methods.join(', ') || '-'}  `))
      for (const note of row.notes) expect(line).toContain(notes[note])
    }
  })

  test('tells which partners use a row', async () => {
    const list = `partners:
  - { primaryDomain: fabrikam.com, partnerType: federated }
  - { primaryDomain: litware.com, partnerType: publicVerified }
  - { primaryDomain: tailspin.com, partnerType: publicUnverified }
`
    const { out } = await runCommand(['matrix', '--config', file(list)])
    expect(out).toMatch(/^required +required +false .* fabrikam\.com$/m)
    expect(out).toMatch(/^required +optional +true .* litware\.com, tailspin\.com$/m)
  })

  test('needs no key and no secret of the daemon’s', async () => {
    const { file } = configFolder({
      'config/gatehouse.yaml':
        'domains: { contoso.com: { certificate: none.crt, key: none.key } }\n' +
        'internal: { connector: component, secret: { env: NOT_SET } }\n',
      'config/partners.yaml': 'partners: [{ primaryDomain: fabrikam.com, partnerType: federated }]\n',
    })
    const { status, out, err } = await runCommand(['matrix', '--config', file])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/^required +required +false .* fabrikam\.com$/m)
  })

  test('still prints the table where the configuration is faulty, and tells its errors', async () => {
    const faulty = file('partners: 5\n')
    const { status, out, err } = await runCommand(['matrix', '--config', faulty])
    expect(status).toBe(1)
    expect(out.split('\n')).toHaveLength(20)
    expect(err).toContain('partners.yaml:1:1: partners: expected a list')
  })
})
