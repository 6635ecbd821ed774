import { mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { apiDescription } from '../../src/api-description.ts'
import { type AskOptions, ask, tokenFor } from '../support/api-client.ts'
import { ApiDescription, type Operation } from '../support/api-description.ts'
import { probeOf } from '../support/broken-partners.ts'
import { startGateway } from '../support/running-gateway.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com'
const contact = `/contacts/${encodeURIComponent(romeo)}/${encodeURIComponent(juliet)}`
const federated = { partnerType: 'federated' }
const invalid = { ...federated, saslNegotiation: 'notSupported' }
const exported = { Domain: 'imported.example', PartnerType: 'Federated', TlsNegotiation: 'Required' }

test('docs/openapi.json is that of the source; `node src/api-description.ts` renews it', () => {
  expect(new ApiDescription().text).toBe(apiDescription())
})

test('the API answers as it is described: each path, method and status', { timeout: 60_000 }, async () => {
  const description = new ApiDescription()
  const gateway = await startGateway({ partners: [{ primaryDomain: 'fabrikam.com' }] })
  const { port } = gateway.gatehouse.admin
  const [administrator, viewer] = [
    await tokenFor(gateway, 'administrator'),
    await tokenFor(gateway, 'viewer'),
  ]
  const bearing = (token: string, more = {}) => ({ headers: { authorization: `Bearer ${token}`, ...more } })
  const held = async (method: string, path: string, status: number, options: AskOptions = {}) => {
    const answer = await ask(port, method, path, options)
    expect([method, path, answer.status, answer.value]).toEqual([method, path, status, answer.value])
    description.check(method, path, answer)
    return answer.value
  }
  const does = (method: string, path: string, status: number, body?: unknown) =>
    held(method, path, status, { body, ...bearing(administrator) })
  const list = gateway.folder.at('config/partners.yaml')
  const audit = gateway.folder.at('data/audit.log')
  /** While the list reads otherwise. */
  const withList = async (text: string, work: () => Promise<unknown>) => {
    const before = readFileSync(list, 'utf8')
    writeFileSync(list, text)
    await work()
    expect(readFileSync(list, 'utf8')).toBe(text)
    writeFileSync(list, before)
  }

  // What every path has in common.
  const secured = description.operations.filter(({ role }) => role !== undefined)
  expect(secured.length).toBeGreaterThan(10)
  for (const operation of secured) {
    const { method, role, hasBody } = operation
    const path = pathOf(operation)
    const body = hasBody ? {} : undefined
    await held(method, path, 401, { body })
    await held(method, path, 403, { body, ...bearing(administrator, { origin: 'http://evil.example' }) })
    await held(method, path, 421, { body, ...bearing(administrator, { host: 'evil.example' }) })
    await held(method, `${path}?nonsense=1`, 400, { body, ...bearing(administrator) })
    if (role === 'administrator') await held(method, path, 403, { body, ...bearing(viewer) })
    if (!hasBody) continue
    await held(method, path, 413, { body, ...bearing(administrator, { 'content-length': '4194305' }) })
    await held(method, path, 415, { body, ...bearing(administrator, { 'content-type': 'text/plain' }) })
  }

  for (const path of ['/health', '/certificates', '/inside', '/contacts', '/partners', '/sessions']) {
    await held('GET', path, 200, bearing(viewer))
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) await held('GET', path, 200)

  await does('PUT', contact, 201, { reason: 'ticket 4711' })
  await does('PUT', contact, 200)
  await does('PUT', contact.replace('fabrikam', 'northwind'), 422)
  await does('GET', '/contacts', 200)

  await does('GET', '/partners/fabrikam.com', 200)
  await does('GET', '/partners/northwind.example', 404)
  await does('GET', '/sessions?domain=!!', 400)
  await does('GET', '/attempts?limit=0x10', 400)
  expect(await does('PUT', '/partners/northwind.example', 201, federated)).toMatchObject({
    partner: { primaryDomain: 'northwind.example', notes: [] },
    reload: { reloaded: true },
  })
  const risky = { ...federated, tlsNegotiation: 'optional' }
  expect(await does('PUT', '/partners/northwind.example', 200, risky)).toMatchObject({
    partner: { notes: [expect.stringMatching(/SASL requires TLS/)] },
    warnings: [expect.stringMatching(/SASL requires TLS/)],
  })
  await does('PUT', '/partners/northwind.example', 422, invalid)
  await does('PATCH', '/partners/northwind.example', 200, { tlsNegotiation: null, description: 'ours' })
  await does('PATCH', '/partners/northwind.example', 422, { saslNegotiation: 'notSupported' })
  await does('PATCH', '/partners/tailspin.example', 404, { keepAlive: true })
  expect(
    await does('POST', '/partners/validate', 200, { primaryDomain: 'new.example', ...invalid }),
  ).toMatchObject({
    valid: false,
    refusals: [
      { partner: 'new.example', message: expect.stringContaining('SASL or dialback must be enabled') },
    ],
  })
  expect(
    await does('POST', '/partners/validate', 200, { primaryDomain: 'new.example', ...risky }),
  ).toMatchObject({
    valid: true,
    partner: { notes: [expect.stringMatching(/SASL requires TLS/)] },
  })
  await does('POST', '/partners/import?dryRun=true', 200, exported)
  await does('POST', '/partners/import', 422, [exported, { Domain: 'no domain', PartnerType: 'Federated' }])
  expect(await does('POST', '/partners/import', 200, exported)).toMatchObject({
    written: true,
    added: [{ partner: { primaryDomain: 'imported.example' } }],
  })
  expect(gateway.folder.load().partners.all.map(({ primaryDomain }) => primaryDomain)).toEqual([
    'fabrikam.com',
    'northwind.example',
    'imported.example',
  ])
  await withList('partners: [1]\n', async () => {
    await does('GET', '/partners', 409)
    await does('GET', '/partners/fabrikam.com', 409)
    await does('PUT', '/partners/new.example', 409, federated)
    await does('PATCH', '/partners/fabrikam.com', 409, {})
    await does('DELETE', '/partners/fabrikam.com', 409)
    await does('POST', '/partners/validate', 409, { primaryDomain: 'new.example', ...federated })
    await does('POST', '/partners/import', 409, exported)
    await does('POST', '/reload', 409)
  })
  const anchored = `partners:
  - { primaryDomain: fabrikam.com, partnerType: &type federated }
  - { primaryDomain: northwind.example, partnerType: *type }
`
  await withList(anchored, () => does('DELETE', '/partners/fabrikam.com', 422))

  await does('POST', '/probe', 200, { domain: 'stranger.example' })
  await probeOf(gateway, 'fabrikam.com')
  expect(await does('GET', '/attempts?domain=fabrikam.com', 200)).toMatchObject({
    attempts: [{ purpose: 'probe', outcome: { is: 'failed', code: 'dns-no-service' } }],
  })
  expect(await held('GET', '/why?domain=fabrikam.com', 200, bearing(viewer))).toMatchObject({
    failures: [{ code: 'dns-no-service', count: 1 }],
  })

  await gateway.connect()
  const { sessions } = (await does('GET', '/sessions', 200)) as { sessions: { id: string }[] }
  const session = `/sessions/${sessions[0]!.id}`
  await does('DELETE', '/sessions/0-0', 404)

  renameSync(audit, `${audit}.1`)
  mkdirSync(audit)
  const unrecorded = readFileSync(list, 'utf8')
  await does('PUT', contact.replace('juliet', 'nurse'), 503)
  await does('DELETE', contact, 503)
  await does('PUT', '/partners/new.example', 503, federated)
  await does('PATCH', '/partners/fabrikam.com', 503, { keepAlive: true })
  await does('DELETE', '/partners/fabrikam.com', 503)
  await does('POST', '/partners/import', 503, { ...exported, Domain: 'another.example' })
  await does('DELETE', session, 503)
  await does('POST', '/reload', 503)
  expect(readFileSync(list, 'utf8')).toBe(unrecorded)
  expect(await does('GET', '/contacts', 200)).toMatchObject({ contacts: [{ remote: juliet }] })
  expect(await does('GET', '/sessions', 200)).toMatchObject({ sessions: [{ state: 'negotiating' }] })
  rmdirSync(audit)

  await does('DELETE', session, 200)
  await does('DELETE', contact, 200)
  await does('DELETE', contact, 404)
  await does('DELETE', '/partners/northwind.example', 200)
  await does('DELETE', '/partners/northwind.example', 404)
  await does('POST', '/reload', 200)

  const guess = (at: number) => viewer.slice(0, 16) + String(at).padStart(64, '0')
  for (let at = 0; at < 10; at++) await held('GET', '/health', 401, bearing(guess(at)))
  for (const operation of secured) await held(operation.method, pathOf(operation), 429, bearing(guess(99)))

  const inside = { connector: 'component', host: '127.0.0.1', port: 9, secret: 'nobody is there' }
  const waiting = await startGateway({ settings: { internal: inside } })
  const answer = await ask(waiting.gatehouse.admin.port, 'GET', '/readyz')
  description.check('GET', '/readyz', answer)

  expect([...description.seen].sort()).toEqual(description.all.sort())
  const lines = [
    ...readFileSync(`${audit}.1`, 'utf8').split('\n'),
    ...readFileSync(audit, 'utf8').split('\n'),
  ]
  const actions = lines.filter(Boolean).map(line => JSON.parse(line).action)
  expect(actions).toEqual([
    'contact.allow',
    'partner.add',
    'partner.change',
    'partner.change',
    'partner.import',
    'reload',
    'reload',
    'session.close',
    'contact.revoke',
    'partner.remove',
    'reload',
  ])
})

/** A path with something in the place of its braces. */
function pathOf({ path }: Operation): string {
  return path
    .replaceAll('{local}', romeo)
    .replaceAll('{remote}', juliet)
    .replaceAll(/\{.*?\}/g, 'fabrikam.com')
}
