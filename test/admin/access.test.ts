import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Access } from '../../src/admin/access.ts'
import { newToken } from '../../src/admin/token-hash.ts'
import { dropToken, keepToken, type Role } from '../../src/config/tokens.ts'
import { memoryLog } from '../support/log.ts'

const address = '192.0.2.1'

function newAccess() {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-access-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'tokens.yaml')
  const log = memoryLog()
  const clock = { ms: 1000 }
  const access = new Access(file, log, () => clock.ms)
  const make = async (name: string, role: Role = 'viewer') => {
    const { token, kept } = await newToken(name, role, new Date())
    await keepToken(file, kept)
    return token
  }
  /** Whom a token is taken for, or the status of the refusal. */
  const identify = async (token: string, from = address) => {
    const found = await access.identify(`Bearer ${token}`, from)
    return 'role' in found ? `${found.role} ${found.name} ${found.from}` : found.status
  }
  return { file, log, clock, access, make, identify }
}

/** A token that nobody has. */
const unknown = `gh_${'0'.repeat(12)}_${'0'.repeat(64)}`

/** The same id with another secret. */
const forged = (token: string, secret = 0) => `${token.slice(0, 16)}${String(secret).padStart(64, '0')}`

describe('access to the API', () => {
  test('is by a token, in a role', async () => {
    const { make, identify } = newAccess()
    const [viewer, administrator] = [await make('grafana'), await make('panel', 'administrator')]
    expect(viewer).toMatch(/^gh_[0-9a-f]{12}_[0-9a-f]{64}$/)
    expect(await identify(viewer)).toBe(`viewer grafana ${address}`)
    expect(await identify(administrator, '::1')).toBe('administrator panel ::1')
  })

  test.each([
    [undefined],
    [''],
    ['Bearer'],
    ['Bearer '],
    ['Basic dXNlcjpwYXNz'],
    ['Bearer a b'],
    [`Token ${unknown}`],
  ])('is refused without one, and costs nothing: %j', async header => {
    const { access } = newAccess()
    const found = await access.identify(header, address)
    expect(found).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="gatehouse"' } })
    expect(access.size).toBe(0)
  })

  test('is refused by a token that is wrong in any way', async () => {
    const { make, identify, log } = newAccess()
    const token = await make('grafana')
    const wrong = [unknown, forged(token), 'x', `${token}0`, token.slice(0, -1), token.toUpperCase()]
    for (const one of wrong) expect([one, await identify(one)]).toEqual([one, 401])
    expect(JSON.stringify(log.lines)).not.toMatch(/gh_|[0-9a-f]{64}/)
    expect(log.lines).toHaveLength(wrong.length)
  })

  test('ends with the token, at the next request', async () => {
    const { file, make, identify } = newAccess()
    const token = await make('grafana')
    const other = await make('panel')
    expect([await identify(token), await identify(other)]).toEqual([
      `viewer grafana ${address}`,
      `viewer panel ${address}`,
    ])
    expect(await dropToken(file, 'grafana')).toBe(true)
    expect([await identify(token), await identify(other)]).toEqual([401, `viewer panel ${address}`])
    rmSync(file)
    expect(await identify(other)).toBe(401)
  })

  test('is nobody’s while the file is broken, and the log says so', async () => {
    const { file, log, make, identify } = newAccess()
    const token = await make('grafana')
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    renameSync(file, `${file}.good`)
    writeFileSync(file, 'tokens: [1]\n')
    expect([await identify(token), await identify(token)]).toEqual([401, 401])
    const told = log.lines.filter(({ level }) => level === 'error')
    expect(told).toMatchObject([{ fields: { problems: [expect.stringContaining('tokens.yaml:1:10')] } }])
    renameSync(`${file}.good`, file)
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
  })

  test('is nobody’s while everybody may write to the file, and the log says so once', async () => {
    const { file, log, make, identify } = newAccess()
    const token = await make('grafana')
    chmodSync(file, 0o602)
    expect([await identify(token), await identify(token)]).toEqual([401, 401])
    const told = log.lines.filter(({ level }) => level === 'error')
    expect(told).toMatchObject([{ fields: { problems: [expect.stringContaining('may write to')] } }])
    chmodSync(file, 0o660)
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
  })

  test('is limited for who tries tokens; a good one that is known passes all the same', async () => {
    const { clock, access, make, identify } = newAccess()
    const token = await make('grafana')
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    for (let at = 0; at < 10; at++) expect(await identify(forged(token, at))).toBe(401)
    const refused = await access.identify(`Bearer ${forged(token, 10)}`, address)
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '6' } })
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    expect(await identify(forged(token, 10), '192.0.2.2')).toBe(401)
    clock.ms += 59_000
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    expect(await identify(forged(token, 11))).toBe(401)
  })

  test('asked for by many at once costs one hash for each token, and few wait', async () => {
    const { access, make, identify } = newAccess()
    const token = await make('grafana')
    const good = Array.from({ length: 50 }, (_, at) => identify(token, `192.0.2.${at}`))
    const bad = Array.from({ length: 50 }, (_, at) => identify(forged(token, at), `198.51.100.${at}`))
    expect(await Promise.all(good)).toEqual(good.map((_, at) => `viewer grafana 192.0.2.${at}`))
    const outcomes = await Promise.all(bad)
    expect(outcomes.filter(status => status === 401).length).toBeLessThanOrEqual(16)
    expect(outcomes.filter(status => status === 429).length).toBeGreaterThanOrEqual(34)
    expect(access.size).toBeLessThan(60)
  })

  test('is remembered for a minute', async () => {
    const { clock, make, identify, access } = newAccess()
    const token = await make('grafana')
    await identify(token)
    const atOnce = performance.now()
    for (let at = 0; at < 20; at++) await identify(token)
    const remembered = (performance.now() - atOnce) / 20
    clock.ms += 60_001
    const later = performance.now()
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    expect(performance.now() - later).toBeGreaterThan(3 * remembered)
    expect(access.size).toBe(1)
  })

  test('costs a hash for a wrong secret alone, and once: a client that goes on with one locks nobody out', async () => {
    const { clock, file, make, identify, log } = newAccess()
    const [token, revoked] = [await make('grafana'), await make('old')]
    await dropToken(file, 'old')
    for (let at = 0; at < 100; at++) {
      for (const wrong of [revoked, unknown, 'x', forged(token)]) expect(await identify(wrong)).toBe(401)
    }
    // Ten of an address may fail: of 400, one has counted.
    for (let at = 1; at < 9; at++) expect(await identify(forged(token, at))).toBe(401)
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    expect(await identify(forged(token, 10))).toBe(401)
    expect(await identify(forged(token, 11))).toBe(429)
    expect(log.lines).toHaveLength(10)
    clock.ms += 60_001
    expect(await identify(forged(token))).toBe(401)
  })

  test('is not held up by who guesses at another token, from the same address', async () => {
    const { make, identify } = newAccess()
    const [viewer, administrator] = [await make('grafana'), await make('panel', 'administrator')]
    for (let at = 0; at < 10; at++) expect(await identify(forged(viewer, at))).toBe(401)
    expect(await identify(forged(viewer, 10))).toBe(429)
    expect(await identify(administrator)).toBe(`administrator panel ${address}`)
  })

  test('leaves places for others, however many secrets of one are tried at once', async () => {
    const { make, identify } = newAccess()
    const [viewer, administrator] = [await make('grafana'), await make('panel', 'administrator')]
    const guesses = Array.from({ length: 50 }, (_, at) => identify(forged(viewer, at), `198.51.100.${at}`))
    const panel = identify(administrator)
    expect((await Promise.all(guesses)).filter(status => status === 401)).toHaveLength(4)
    expect(await panel).toBe(`administrator panel ${address}`)
  })

  test('goes on for a token in use, however many others are tried', async () => {
    const { clock, make, identify } = newAccess()
    const token = await make('grafana')
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    clock.ms += 50_000
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
    clock.ms += 50_000
    for (let at = 0; at < 10; at++) expect(await identify(forged(token, at))).toBe(401)
    expect(await identify(forged(token, 10))).toBe(429)
    expect(await identify(token)).toBe(`viewer grafana ${address}`)
  })
})
