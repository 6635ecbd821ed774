import { chmodSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { answerApi } from '../../src/admin/api.ts'
import { partnerRoutes } from '../../src/admin/partners.ts'
import { reloadRoutes } from '../../src/admin/reload.ts'
import { reloadGateway } from '../../src/cli/run.ts'
import type { Gatehouse } from '../../src/gatehouse.ts'
import { memoryAudit } from '../support/audit.ts'
import { configFolder } from '../support/config-folder.ts'
import { silentLog } from '../support/log.ts'

function newApi() {
  const folder = configFolder({ 'config/open': 'hush', 'config/words': 'no certificate' })
  chmodSync(folder.at('config/open'), 0o644)
  const audit = memoryAudit()
  const gatehouse = { reload: async () => [] } as unknown as Gatehouse
  const reload = () => reloadGateway(gatehouse, folder.file, { env: {} }, silentLog)
  const routes = [
    ...partnerRoutes({ configFile: () => folder.file, env: {}, reload, audit }),
    ...reloadRoutes(reload, audit),
  ]
  /** What is said by the port, or by the socket, but for the partner itself. */
  const ask = async (from: string, method: string, url: string, body?: unknown) => {
    const caller = { name: 'panel', role: 'administrator', from } as const
    const reply = await answerApi(routes, caller, { method, url, readBody: async () => body })
    return { status: reply.status, text: reply.body }
  }
  const put = (from: string, more: object) =>
    ask(from, 'PUT', '/partners/a.b', { partnerType: 'federated', ...more })
  return { folder, ask, put }
}

const port = '192.0.2.1'

describe('what an entry names', () => {
  test.each<[string, object[], RegExp]>([
    [
      'trust anchors',
      ['/nowhere', '/etc', 'words'].map(file => ({ trustAnchors: [file] })),
      /no such file|not a regular file|holds no PEM/,
    ],
    [
      'a secret',
      [{ file: '/nowhere' }, { file: '/etc' }, { env: 'NOPE_X' }].map(componentSecret => ({
        componentSecret,
      })),
      /no such file|not a regular file|is not set/,
    ],
  ])('is told by the socket in detail, by the port in one way: %s', async (_name, entries, details) => {
    const { put, ask } = newApi()
    const heard = new Set<string>()
    for (const entry of entries) {
      const { status, text } = await put(port, entry)
      expect([status, text]).toEqual([
        422,
        expect.stringMatching(/cannot be used as (PEM certificates|a secret)/),
      ])
      heard.add(text)
      expect(await put('local', entry)).toMatchObject({ status: 422, text: expect.stringMatching(details) })
      const whole = { primaryDomain: 'a.b', partnerType: 'federated', ...entry }
      expect((await ask(port, 'POST', '/partners/validate', whole)).text).not.toMatch(details)
    }
    expect([...heard]).toHaveLength(1)
  })

  test('is told where it is a secret that everybody can read in the list itself', async () => {
    const { folder, put, ask } = newApi()
    const entry = { componentSecret: 'hush' }
    expect((await put(port, entry)).text).not.toContain('written in place')
    chmodSync(folder.at('config/partners.yaml'), 0o644)
    for (const from of [port, 'local']) {
      const { status, text } = await put(from, { ...entry, description: from })
      const { warnings, reload } = JSON.parse(text)
      const open =
        /is written in place, and \S+partners\.yaml is open to every user of this machine \(mode 0644\)/
      expect([status, warnings]).toEqual([200, expect.arrayContaining([expect.stringMatching(open)])])
      expect(reload.warnings).toEqual(expect.arrayContaining([expect.stringMatching(open)]))
      expect((await ask(from, 'POST', '/reload')).text).toMatch(open)
    }
  })

  test('is not told by warnings, nor by a reload', async () => {
    const { folder, put, ask } = newApi()
    const entry = { componentSecret: { file: 'open' } }
    expect((await put('local', entry)).text).toContain('mode 0644')
    expect(await put(port, entry)).toMatchObject({ status: 200, text: expect.not.stringContaining('0644') })
    expect((await ask(port, 'POST', '/reload')).text).not.toContain('0644')
    const list =
      'partners:\n  - { primaryDomain: a.b, partnerType: federated, trustAnchors: [words, "/x: y"] }\n'
    writeFileSync(folder.at('config/partners.yaml'), list)
    for (const [method, url] of [
      ['POST', '/reload'],
      ['GET', '/partners'],
    ] as const) {
      const { status, text } = await ask(port, method, url)
      expect(status).toBe(409)
      expect(text).toMatch(/trustAnchors\[1\]: cannot be used as PEM certificates/)
      expect(text).not.toMatch(/no such file|holds no PEM/)
      expect((await ask('local', method, url)).text).toMatch(/no such file/)
    }
  })
})
