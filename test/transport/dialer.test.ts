import { describe, expect, test } from 'vitest'
import type { Domain } from '../../src/xmpp/address.ts'
import type { AttemptStep } from '../../src/xmpp/attempt.ts'
import { dialerOver } from './dialer-fixture.ts'

const domain = 'fabrikam.com' as Domain
const plain = '_xmpp-server._tcp.fabrikam.com SRV'
const direct = '_xmpps-server._tcp.fabrikam.com SRV'
const never = new AbortController().signal
const srv = [{ port: 5269, target: 'xmpp.fabrikam.com' }]
const none = [{ port: 0, target: '.' }]

describe("a partner's targets", () => {
  test('are its proxy alone, and DNS is not asked', async () => {
    const { dialer, zone } = await dialerOver({ [plain]: srv })
    expect(await dialer.targets(domain, { host: 'edge.fabrikam.com', port: 5555 }, never)).toEqual([
      { host: 'edge.fabrikam.com', port: 5555, directTls: false, source: 'proxy' },
    ])
    expect(zone.queries).toEqual([])
  })

  test('are what both SRV services say', async () => {
    const { dialer, zone } = await dialerOver()
    zone.federate('fabrikam.com', { port: 5269, directTlsPort: 5270 })
    expect(await dialer.targets(domain, undefined, never)).toEqual([
      { host: 'xmpp.fabrikam.com', port: 5270, directTls: true, source: 'srv', priority: 0, weight: 0 },
      { host: 'xmpp.fabrikam.com', port: 5269, directTls: false, source: 'srv', priority: 0, weight: 0 },
    ])
  })

  test('are the domain itself where there is no SRV record', async () => {
    const { dialer } = await dialerOver({ 'fabrikam.com A': ['127.0.0.1'] })
    expect(await dialer.targets(domain, undefined, never)).toEqual([
      { host: 'fabrikam.com', port: 5269, directTls: false, source: 'fallback' },
    ])
  })

  test('do not exist where the domain says it has no such service', async () => {
    const { dialer } = await dialerOver({ [plain]: none })
    await expect(dialer.targets(domain, undefined, never)).rejects.toMatchObject({
      name: 'DialError',
      condition: 'remote-server-not-found',
      message: 'fabrikam.com publishes that it has no XMPP server',
    })
  })

  test.each([
    [
      'no host name',
      [
        { port: 5269, target: '192.0.2.9' },
        { priority: 1, port: 5269, target: 'a b' },
      ],
      ': 0 0 5269 192.0.2.9, and 1 more',
      ['0 0 5269 192.0.2.9', '1 0 5269 a\\032b'],
    ],
    ['port 0', [{ port: 0, target: 'a.example' }], ': 0 0 0 a.example', ['0 0 0 a.example']],
  ])('are none where the records lead to %s, which is told', async (_, answer, told, records) => {
    const { dialer } = await dialerOver({ [plain]: answer })
    const steps: AttemptStep[] = []
    await expect(dialer.targets(domain, undefined, never, step => steps.push(step))).rejects.toMatchObject({
      condition: 'remote-server-not-found',
      message: `fabrikam.com publishes SRV records, but none that leads to a server${told}`,
    })
    expect(steps).toContainEqual(expect.objectContaining({ question: plain, outcome: 'records', records }))
  })

  test.each([
    [plain, direct],
    [direct, plain],
  ] as const)('are half of them where DNS fails for the other half (%s)', async (failing, working) => {
    const { dialer } = await dialerOver({ [failing]: 'SERVFAIL', [working]: srv })
    expect(await dialer.targets(domain, undefined, never)).toMatchObject([
      { host: 'xmpp.fabrikam.com', directTls: working === direct, source: 'srv' },
    ])
  })

  test.each([
    ['for both', { [plain]: 'SERVFAIL', [direct]: 'SERVFAIL' }],
    ['for one and the other has none', { [plain]: 'SERVFAIL' }],
    ['for direct TLS and the other has none', { [direct]: 'REFUSED' }],
    ['for one and the other is "."', { [plain]: 'SERVFAIL', [direct]: none }],
    ['for direct TLS and the other is "."', { [direct]: 'SERVFAIL', [plain]: none }],
    ['in silence', { [plain]: 'drop' }],
  ] as const)('are unknown, and never guessed, where DNS fails %s', async (_, table) => {
    const { dialer } = await dialerOver({ 'fabrikam.com A': ['127.0.0.1'], ...table }, { dnsMs: 600 })
    await expect(dialer.targets(domain, undefined, never)).rejects.toMatchObject({
      name: 'DialError',
      condition: 'remote-server-timeout',
      message: expect.stringContaining('.fabrikam.com SRV: 127.0.0.1 port'),
    })
  })

  test('are no longer looked for once the signal is aborted', async () => {
    const { dialer } = await dialerOver({ [plain]: 'drop', [direct]: 'drop' })
    const controller = new AbortController()
    const looking = dialer.targets(domain, undefined, controller.signal)
    const reason = new Error('shutdown')
    controller.abort(reason)
    await expect(looking).rejects.toBe(reason)
  })
})
