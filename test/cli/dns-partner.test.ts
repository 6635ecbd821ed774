import { describe, expect, test } from 'vitest'
import { judgeService, type Search } from '../../src/cli/dns-partner.ts'
import type { HostFacts, ServiceFacts } from '../../src/cli/dns-words.ts'
import type { Target } from '../../src/transport/service-records.ts'
import { contoso, host, noDomain, servfail, services, srv, through } from './dns-facts.ts'

const srvTarget = { host: 'a.example', port: 5269, directTls: false, source: 'srv' } as const
const target: Target = { ...srvTarget, priority: 5, weight: 7 }
const good = host('a.example', { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] })
const named = services({ xmpp: srv('5 7 5269 a.example') })

function judge(search: Search, facts: ServiceFacts | undefined, ...hosts: readonly HostFacts[]) {
  const { isServed, findings, trials } = judgeService(contoso, search, facts, hosts)
  return {
    isServed,
    trials,
    findings: findings.map(({ severity, code, name }) => `${severity} ${code} ${name}`),
  }
}

const found: Search = { kind: 'targets', targets: [target] }
const isGood = { isServed: true, findings: [] }

describe('a domain', () => {
  test('is served, by targets with what DNS says of each', () => {
    const facts = services({ xmpp: srv('5 7 5269 a.example'), xmpps: srv('1 2 5269 a.example') })
    const secure: Target = { ...target, directTls: true, priority: 1, weight: 2 }
    const { isServed, findings, trials } = judge({ kind: 'targets', targets: [secure, target] }, facts, good)
    expect({ isServed, findings }).toEqual(isGood)
    const common = {
      ttl: 60,
      alias: null,
      addresses: [
        { address: '2001:db8::1', type: 'AAAA', ttl: 60 },
        { address: '192.0.2.1', type: 'A', ttl: 60 },
      ],
    }
    expect(trials).toEqual([
      { ...secure, ...common },
      { ...target, ...common },
    ])
  })

  test('is served by one host and port under two priorities', () => {
    const facts = services({ xmpp: srv('1 2 5269 a.example', '5 7 5269 a.example') })
    const first = { ...target, priority: 1, weight: 2 }
    const { trials } = judge({ kind: 'targets', targets: [first, target] }, facts, good)
    expect(trials.map(({ priority, weight }) => [priority, weight])).toEqual([
      [1, 2],
      [5, 7],
    ])
  })

  test('is served by its proxy, without a question for its services', () => {
    const { isServed, findings, trials } = judge(
      { kind: 'targets', targets: [{ ...srvTarget, source: 'proxy' }] },
      undefined,
      good,
    )
    expect({ isServed, findings }).toEqual(isGood)
    expect(trials).toMatchObject([{ priority: null, weight: null, ttl: null }])
  })

  test.each<[string, Search, ServiceFacts | undefined, readonly HostFacts[], string[]]>([
    [
      'falls back to its own address',
      { kind: 'targets', targets: [{ ...srvTarget, source: 'fallback', host: contoso }] },
      services(),
      [host(contoso, { A: ['192.0.2.1'] })],
      ['warning fallback _xmpp-server._tcp.contoso.com'],
    ],
    [
      'has half an answer',
      found,
      { ...named, xmpps: servfail },
      [good],
      ['warning dns-servfail _xmpps-server._tcp.contoso.com'],
    ],
    [
      'has a target without an address, and another',
      found,
      named,
      [good, host('b.example', { A: noDomain, AAAA: noDomain })],
      ['warning no-address b.example'],
    ],
    [
      'has a target that is an alias',
      found,
      named,
      [host('a.example', { A: ['192.0.2.1'], alias: 'b.example' })],
      ['warning alias a.example'],
    ],
    [
      'says that there is none, beside saying where',
      found,
      services({ xmpp: srv('5 7 5269 a.example', '0 0 0 .') }),
      [good],
      ['warning no-service _xmpp-server._tcp.contoso.com'],
    ],
    [
      'has records that lead nowhere beside one that is good',
      found,
      services({ xmpp: srv('0 0 5269 192.0.2.9', '5 7 5269 a.example', '0 0 0 b.example') }),
      [good],
      [
        'warning bad-target _xmpp-server._tcp.contoso.com',
        'warning wrong-port _xmpp-server._tcp.contoso.com',
      ],
    ],
    [
      'has one family fail',
      found,
      named,
      [host('a.example', { A: ['192.0.2.1'], AAAA: servfail })],
      ['warning dns-servfail a.example'],
    ],
  ])('is served, though it %s', (_, search, facts, hosts, findings) => {
    expect(judge(search, facts, ...hosts)).toMatchObject({ isServed: true, findings })
  })

  test.each<[string, Search, ServiceFacts | undefined, readonly HostFacts[], string[]]>([
    [
      'it says so',
      { kind: 'no-service', message: 'it says so' },
      services({ xmpp: srv('0 0 0 .') }),
      [],
      ['error no-service _xmpp-server._tcp.contoso.com'],
    ],
    [
      'it does not exist',
      { kind: 'targets', targets: [{ ...srvTarget, source: 'fallback', host: contoso }] },
      services({ xmpp: noDomain, xmpps: noDomain, own: host(contoso, { A: noDomain, AAAA: noDomain }) }),
      [host(contoso, { A: noDomain, AAAA: noDomain })],
      ['error no-domain contoso.com'],
    ],
    [
      'it has neither records nor an address',
      { kind: 'targets', targets: [{ ...srvTarget, source: 'fallback', host: contoso }] },
      services(),
      [host(contoso)],
      ['error no-service _xmpp-server._tcp.contoso.com', 'error no-address contoso.com'],
    ],
    [
      'DNS fails',
      { kind: 'failed', message: 'SERVFAIL' },
      services({ xmpp: servfail }),
      [],
      ['error dns-servfail _xmpp-server._tcp.contoso.com'],
    ],
    [
      'its targets have no address',
      found,
      named,
      [host('a.example')],
      ['error no-service _xmpp-server._tcp.contoso.com', 'error no-address a.example'],
    ],
    [
      "its target's address is of nobody",
      found,
      named,
      [host('a.example', { A: ['0.0.0.0'], scope: 'nobody' })],
      ['error no-service _xmpp-server._tcp.contoso.com', 'error unusable-address a.example'],
    ],
    [
      "its proxy's address is not known",
      { kind: 'targets', targets: [{ ...srvTarget, source: 'proxy' }] },
      undefined,
      [host('a.example', { A: servfail })],
      ['error dns-servfail a.example'],
    ],
    [
      'its targets are no host names',
      { kind: 'no-service', message: '' },
      services({ xmpp: srv('0 0 5269 192.0.2.9') }),
      [],
      ['error no-service _xmpp-server._tcp.contoso.com', 'warning bad-target _xmpp-server._tcp.contoso.com'],
    ],
  ])('is not served where %s', (_, search, facts, hosts, findings) => {
    expect(judge(search, facts, ...hosts)).toMatchObject({ isServed: false, findings })
  })

  test('is told by the alias that leads nowhere, and not as what does not exist', () => {
    const gone = through(noDomain, 'gone.example')
    const told = (search: Search, facts: ServiceFacts, ...hosts: readonly HostFacts[]) =>
      judgeService(contoso, search, facts, hosts).findings.map(({ code, message }) => `${code} ${message}`)
    expect(told(found, named, host('a.example', { A: gone, AAAA: gone }))).toEqual([
      'no-service leads to no address',
      'no-address is an alias (CNAME) of gone.example, which does not exist (NXDOMAIN)',
    ])
    const fallback: Search = {
      kind: 'targets',
      targets: [{ ...srvTarget, source: 'fallback', host: contoso }],
    }
    expect(told(fallback, services({ xmpp: gone }), host(contoso, { A: ['192.0.2.1'] }))[0]).toBe(
      'fallback is an alias (CNAME) of gone.example, which has no such record: ' +
        'what is left is the address of contoso.com itself, port 5269',
    )
  })

  test('has targets whose addresses were not looked up', () => {
    const { trials } = judge(
      { kind: 'targets', targets: [target, { ...target, host: 'b.example' }] },
      named,
      good,
    )
    expect(trials.map(({ addresses }) => addresses?.length ?? null)).toEqual([2, null])
  })
})
