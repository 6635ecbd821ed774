import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Caller } from '../../src/admin/api.ts'
import { auditFault, auditFile } from '../../src/admin/audit.ts'

const grafana: Caller = { name: 'grafana', role: 'administrator', from: '192.0.2.1' }
const change = { action: 'contact.allow', subject: 'a@b c@d', before: null, after: { reason: 'x\ny' } }

function newLog() {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'data/audit.log')
  const audit = auditFile(path, () => new Date('2030-01-01T00:00:00Z'))
  const lines = () =>
    readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
  return { folder, path, audit, lines }
}

const line = {
  time: '2030-01-01T00:00:00.000Z',
  id: expect.stringMatching(/^[0-9a-f]{12}$/),
  by: 'grafana',
  role: 'administrator',
  from: '192.0.2.1',
  ...change,
}

test('to ask whether the audit log can be written makes none', () => {
  const { path } = newLog()
  expect(auditFault(path)).toBeUndefined()
  expect(auditFault(join(path, 'deeper/audit.log'))).toBeUndefined()
  expect(existsSync(path)).toBe(false)
})

describe('the audit log', () => {
  test('has a change before it is made', async () => {
    const { path, audit, lines } = newLog()
    const made = await audit.record(grafana, change, () => lines())
    expect(made).toEqual([line])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await audit.record(grafana, change, async () => {})
    expect(lines()).toEqual([line, line])
  })

  test('says where a change has failed', async () => {
    const { audit, lines } = newLog()
    const made = audit.record(grafana, change, () => {
      throw new Error('the disk is full')
    })
    await expect(made).rejects.toThrow('the disk is full')
    const [first, second] = lines()
    const { before: _, after: __, ...same } = first
    expect(second).toEqual({ ...same, failed: 'the disk is full' })
  })

  test('may be moved away at any time', async () => {
    const { path, audit, lines } = newLog()
    await audit.record(grafana, change, () => {})
    renameSync(path, `${path}.1`)
    await audit.record(grafana, change, () => {})
    expect(lines()).toEqual([line])
  })

  test('starts a new line behind one that was cut', async () => {
    const { path, audit } = newLog()
    await audit.record(grafana, change, () => {})
    appendFileSync(path, '{"time":"20')
    await audit.record(grafana, change, () => {})
    const [whole, cut, next] = readFileSync(path, 'utf8').split('\n')
    expect([JSON.parse(whole!), cut, JSON.parse(next!)]).toEqual([line, '{"time":"20', line])
  })

  test.each<[string, (path: string, folder: string) => void]>([
    ['is a folder', path => mkdirSync(path, { recursive: true })],
    ['cannot have a folder', (_, folder) => writeFileSync(join(folder, 'data'), '')],
    [
      'is a link to something else',
      (path, folder) => {
        mkdirSync(join(folder, 'data'))
        writeFileSync(join(folder, 'precious'), '')
        symlinkSync(join(folder, 'precious'), path)
      },
    ],
    [
      'is a link to what is not there',
      (path, folder) => {
        mkdirSync(join(folder, 'data'))
        symlinkSync(join(folder, 'elsewhere'), path)
      },
    ],
    [
      'has another name',
      (path, folder) => {
        mkdirSync(join(folder, 'data'))
        writeFileSync(join(folder, 'precious'), '')
        linkSync(join(folder, 'precious'), path)
      },
    ],
  ])('that %s keeps the change from being made', async (_, prepare) => {
    const { folder, path, audit } = newLog()
    prepare(path, folder)
    expect(auditFault(path)).toContain(`nothing is changed: ${path}: `)
    let isMade = false
    const made = audit.record(grafana, change, () => {
      isMade = true
    })
    await expect(made).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining(`the audit log cannot be written, so nothing is changed: ${path}: `),
    })
    expect(isMade).toBe(false)
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
  })
})
