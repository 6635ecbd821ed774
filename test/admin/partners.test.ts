import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { answerApi, type Caller } from '../../src/admin/api.ts'
import { partnerRoutes } from '../../src/admin/partners.ts'
import { memoryAudit } from '../support/audit.ts'
import { configFolder } from '../support/config-folder.ts'

const panel: Caller = { name: 'panel', role: 'administrator', from: '192.0.2.1' }
const secret = 'hunter2hunter2'

const list = `# ours
partners:
  # the supplier
  - primaryDomain: fabrikam.com # 4711
    additionalDomains: [corp.fabrikam.com]
    partnerType: federated
    keepAlive: true
    componentSecret: ${secret}
`

function newApi(text = list, env: Readonly<Record<string, string>> = {}) {
  const folder = configFolder({ 'config/partners.yaml': text })
  const audit = memoryAudit()
  const reloads: string[] = []
  const reload = async () => {
    reloads.push(readFileSync(folder.at('config/partners.yaml'), 'utf8'))
    return { reloaded: true, problems: [], warnings: [] }
  }
  const routes = partnerRoutes({ configFile: () => folder.file, env, reload, audit })
  const ask = async (method: string, url: string, given?: unknown) => {
    const reply = await answerApi(routes, panel, { method, url, readBody: async () => given })
    expect(reply.body).not.toContain(secret)
    return { status: reply.status, value: JSON.parse(reply.body) }
  }
  return { ask, audit, reloads, text: () => readFileSync(folder.at('config/partners.yaml'), 'utf8') }
}

describe('partners by the API', () => {
  test('are shown as they are in force, without their secrets', async () => {
    const { ask } = newApi()
    const shown = {
      primaryDomain: 'fabrikam.com',
      additionalDomains: ['corp.fabrikam.com'],
      tlsNegotiation: 'required',
      fromType: ['tlsNegotiation', 'saslNegotiation', 'dialbackNegotiation'],
      methods: ['sasl-external-tls'],
      componentSecret: true,
    }
    expect(await ask('GET', '/partners')).toMatchObject({ status: 200, value: { partners: [shown] } })
    expect(await ask('GET', '/partners/CORP.fabrikam.com')).toMatchObject({ status: 200, value: shown })
    expect((await ask('GET', '/partners/x.fabrikam.com')).status).toBe(404)
    expect((await ask('GET', '/partners/a%20b')).status).toBe(400)
  })

  test('are replaced as a whole by PUT; the file keeps its comments', async () => {
    const { ask, audit, text } = newApi()
    const { status, value } = await ask('PUT', '/partners/fabrikam.com', { partnerType: 'publicVerified' })
    expect([status, value.partner.partnerType, value.partner.keepAlive]).toEqual([
      200,
      'publicVerified',
      false,
    ])
    expect(value.reload).toEqual({ reloaded: true, problems: [], warnings: [] })
    expect(text()).toBe(
      '# ours\npartners:\n  # the supplier\n  - primaryDomain: fabrikam.com # 4711\n    partnerType: publicVerified\n',
    )
    const was = { primaryDomain: 'fabrikam.com', keepAlive: true, componentSecret: '[hidden]' }
    expect(audit.changes).toMatchObject([
      { by: 'panel', action: 'partner.change', subject: 'fabrikam.com', before: was },
    ])
    expect(audit.changes[0]!.after).toEqual({ primaryDomain: 'fabrikam.com', partnerType: 'publicVerified' })
  })

  test('are changed in single settings by PATCH', async () => {
    const { ask, audit, text } = newApi()
    const { value } = await ask('PATCH', '/partners/fabrikam.com', {
      keepAlive: null,
      connectionLimit: 5,
      componentSecret: 'another secret',
    })
    expect(value.partner).toMatchObject({ keepAlive: false, connectionLimit: 5, componentSecret: true })
    expect(text()).toContain('connectionLimit: 5')
    expect(text()).not.toContain('keepAlive')
    expect(JSON.stringify(audit.changes)).not.toMatch(/hunter2|another secret/)
    expect(audit.changes).toMatchObject([{ after: { componentSecret: '[hidden]', connectionLimit: 5 } }])
  })

  test('are neither written, nor recorded, nor reloaded where nothing changes', async () => {
    const { ask, audit, reloads, text } = newApi()
    const same = {
      partnerType: 'federated',
      additionalDomains: ['CORP.fabrikam.com'],
      keepAlive: true,
      componentSecret: secret,
    }
    for (const [method, body] of [
      ['PATCH', {}],
      ['PATCH', { keepAlive: true, proxy: null }],
      ['PUT', same],
    ] as const) {
      expect(await ask(method, '/partners/fabrikam.com', body)).toMatchObject({
        status: 200,
        value: { partner: { keepAlive: true }, reload: null },
      })
    }
    expect([text(), audit.changes, reloads]).toEqual([list, [], []])
    await ask('PATCH', '/partners/fabrikam.com', { keepAlive: false })
    expect(reloads).toEqual([text()])
  })

  test('come page by page, by their names', async () => {
    const names = ['b.example', 'c.example', 'a.example', 'd.example']
    const entries = names.map(name => `  - { primaryDomain: ${name}, partnerType: federated }\n`)
    const { ask } = newApi(`partners:\n${entries.join('')}`)
    const page = async (query: string) => {
      const { value } = await ask('GET', `/partners${query}`)
      return [value.partners.map((one: { primaryDomain: string }) => one.primaryDomain), value.next]
    }
    expect(await page('')).toEqual([names.toSorted(), null])
    expect(await page('?limit=3')).toEqual([['a.example', 'b.example', 'c.example'], 'c.example'])
    expect(await page('?limit=3&after=c.example')).toEqual([['d.example'], null])
    // Also where that one is gone meanwhile.
    expect(await page('?limit=2&after=bb.example')).toEqual([['c.example', 'd.example'], null])
    expect(await page('?after=d.example')).toEqual([[], null])
  })

  test('are judged as they stand when it is their turn: of many that add one, one has added it', async () => {
    const { ask, audit } = newApi()
    const puts = Array.from({ length: 8 }, () =>
      ask('PUT', '/partners/new.example', { partnerType: 'federated' }),
    )
    const statuses = (await Promise.all(puts)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([...Array(7).fill(200), 201])
    expect(audit.changes.map(({ action }) => action)).toEqual(['partner.add'])
    const gone = [
      ...Array.from({ length: 4 }, () => ask('DELETE', '/partners/new.example')),
      ask('PATCH', '/partners/new.example', { keepAlive: true }),
    ]
    const ended = (await Promise.all(gone)).map(({ status }) => status)
    expect(ended.slice(0, 4).toSorted()).toEqual([200, 404, 404, 404])
    expect(ended[4]).toBeOneOf([200, 404])
  })

  test('are changed at once, however many and however much: the gateway stands still meanwhile', async () => {
    const others = Array.from(
      { length: 500 },
      (_, at) => `  - primaryDomain: p${at}.example\n    partnerType: federated\n`,
    )
    const { ask, text } = newApi(list + others.join(''))
    const domains = Array.from({ length: 1000 }, (_, at) => `d${at}.fabrikam.com`)
    const before = performance.now()
    await ask('PATCH', '/partners/fabrikam.com', { additionalDomains: domains })
    expect(text()).toContain(`additionalDomains: [${domains.join(', ')}]`)
    const half = domains.filter((_, at) => at % 2 === 0)
    await ask('PATCH', '/partners/fabrikam.com', { additionalDomains: half })
    expect(text()).toContain(`additionalDomains: [${half.join(', ')}]`)
    // It was minutes when each of them was edited by itself.
    expect(performance.now() - before).toBeLessThan(5000)
  })

  test.each([
    ['additionalDomains', Array.from({ length: 1001 }, (_, at) => `d${at}.fabrikam.com`), 1000],
    ['pinnedCertificates', Array.from({ length: 1001 }, () => `sha256:${'0'.repeat(64)}`), 1000],
    ['trustAnchors', Array(65).fill('a.pem'), 64],
  ])('have no end of %s', async (key, many, most) => {
    const { ask, text } = newApi()
    const { status, value } = await ask('PATCH', '/partners/fabrikam.com', { [key]: many })
    expect([status, value.error.message]).toEqual([
      400,
      expect.stringMatching(`^body.${key}: expected at most ${most} `),
    ])
    expect(text()).toBe(list)
  })

  test('come 5000 at a time by an import', async () => {
    const { ask, text } = newApi()
    const many = Array.from({ length: 5001 }, (_, at) => ({
      Domain: `p${at}.example`,
      PartnerType: 'Federated',
    }))
    for (const body of [many, { value: many, Count: many.length }])
      expect(await ask('POST', '/partners/import', body)).toEqual({
        status: 400,
        value: { error: { message: 'an import may have 5000 entries, this one has 5001' } },
      })
    expect(await ask('POST', '/partners/import')).toMatchObject({
      status: 400,
      value: { error: { message: 'this needs a body, in JSON' } },
    })
    expect(text()).toBe(list)
  })

  test('are put on record, too, where only a secret has changed', async () => {
    const { ask, audit } = newApi()
    await ask('PATCH', '/partners/fabrikam.com', { componentSecret: 'another secret' })
    expect(audit.changes).toMatchObject([
      {
        subject: 'fabrikam.com',
        before: { componentSecret: '[hidden]' },
        after: { componentSecret: '[hidden]' },
      },
    ])
  })

  test.each<[string, string, unknown, number, RegExp]>([
    ['PUT', '/partners/new.example', {}, 400, /body\.partnerType: is required/],
    [
      'PUT',
      '/partners/new.example',
      { partnerType: 'federated', more: 1 },
      400,
      /unknown key; accepted|more/,
    ],
    [
      'PUT',
      '/partners/new.example',
      { partnerType: 'federated', primaryDomain: 'b.example' },
      400,
      /primaryDomain/,
    ],
    [
      'PUT',
      '/partners/new.example',
      { partnerType: 'federated', componentSecret: { env: secret, x: 1 } },
      400,
      /body\.componentSecret: /,
    ],
    [
      'PUT',
      '/partners/new.example',
      { partnerType: 'federated', description: '\u001b[2J' },
      400,
      /without control characters/,
    ],
    ['PUT', '/partners/contoso.com', { partnerType: 'federated' }, 422, /is a local domain/],
    [
      'PUT',
      '/partners/corp.fabrikam.com',
      { partnerType: 'federated' },
      422,
      /is in the list already, as an additional domain of fabrikam\.com/,
    ],
    [
      'PUT',
      '/partners/new.example',
      { partnerType: 'federated', tlsNegotiation: 'notSupported', dialbackNegotiation: true },
      422,
      /SASL requires TLS; set TLS/,
    ],
    [
      'PUT',
      '/partners/new.example',
      { partnerType: 'federated', trustAnchors: ['/etc/hostname'] },
      422,
      /trustAnchors/,
    ],
    ['PATCH', '/partners/fabrikam.com', { partnerType: null }, 400, /partnerType/],
    ['PATCH', '/partners/fabrikam.com', { tlsNegotiation: 'sometimes' }, 400, /one of required, optional/],
    ['PATCH', '/partners/corp.fabrikam.com', { keepAlive: false }, 404, /not the primary domain/],
    ['DELETE', '/partners/corp.fabrikam.com', undefined, 404, /not the primary domain/],
    ['POST', '/partners/import', 'x', 400, /body/],
  ])('are not changed by what is wrong: %s %s %j', async (method, url, body, status, expected) => {
    const { ask, audit, text } = newApi()
    const answer = await ask(method, url, body)
    expect([answer.status, answer.value.error.message]).toEqual([status, expect.stringMatching(expected)])
    expect(text()).toBe(list)
    expect(audit.changes).toEqual([])
  })

  test('are not written with a secret that the gateway would not find', async () => {
    const { ask, audit, text } = newApi(list, { THERE: 'hush' })
    const put = (componentSecret: unknown) =>
      ask('PUT', '/partners/new.example', { partnerType: 'federated', componentSecret })
    for (const missing of [{ env: 'NOPE_X' }, { file: '/nowhere/secret' }]) {
      expect(await put(missing)).toMatchObject({
        status: 422,
        value: {
          refusals: [{ partner: 'new.example', message: expect.stringMatching(/^componentSecret: /) }],
        },
      })
    }
    expect([text(), audit.changes]).toEqual([list, []])
    expect((await put({ env: 'THERE' })).status).toBe(201)
  })

  test('can be mended, and looked at, while one has a secret that is not there', async () => {
    const broken = `${list}  - { primaryDomain: a.b, partnerType: federated, componentSecret: { env: NOPE_X } }\n`
    const { ask, text } = newApi(broken)
    expect((await ask('GET', '/partners/a.b')).status).toBe(200)
    expect((await ask('DELETE', '/partners/a.b')).status).toBe(200)
    expect(text()).toBe(list)
  })

  test('that a PATCH does not concern may stay as they are, though nobody could choose that now', async () => {
    const old = `partners:
  - { primaryDomain: fabrikam.com, partnerType: federated, tlsNegotiation: notSupported, dialbackNegotiation: true }
`
    const { ask } = newApi(old)
    const { status, value } = await ask('PATCH', '/partners/fabrikam.com', { keepAlive: true })
    expect([status, value.partner.notes]).toEqual([
      200,
      [expect.stringMatching(/SASL requires TLS/), expect.stringMatching(/Full trust over clear text/)],
    ])
    expect((await ask('PATCH', '/partners/fabrikam.com', { partnerType: 'federated' })).status).toBe(422)
  })
})
