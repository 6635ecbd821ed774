import { describe, expect, test } from 'vitest'
import { type ListeningAt, planRecords } from '../../src/cli/dns-records.ts'
import { chooseHost } from '../../src/cli/dns-services.ts'
import type { HostFacts, ServiceFacts } from '../../src/cli/dns-words.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'
import { host, noData, noDomain, servfail, services, srv, through } from './dns-facts.ts'

const edge = parseDomain('edge.contoso.com') as Domain
const starttls: ListeningAt = { address: '::', port: 5269, directTls: false, scope: 'every' }
const direct: ListeningAt = { ...starttls, port: 5270, directTls: true }
const good = host('edge.contoso.com', { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] })

type Case = {
  readonly facts?: Partial<ServiceFacts>
  readonly hosts?: readonly HostFacts[]
  readonly given?: Domain
  readonly addresses?: readonly string[]
  readonly listeners?: readonly ListeningAt[]
}

/** Each record as `STATUS NAME TYPE CONTENT`, then each finding as `SEVERITY CODE NAME TYPE`, `.contoso.com` left out. */
function plan({ facts = {}, hosts = [good], given, addresses = [], listeners = [starttls] }: Case): string[] {
  const all = services(facts)
  const { records, findings } = planRecords(all, hosts, chooseHost(all, given), listeners, addresses)
  return [
    ...records.map(({ status, name, type, content }) => `${status} ${name} ${type} ${content}`),
    ...findings.map(({ severity, code, name, type }) => `${severity} ${code} ${name} ${type}`),
  ].map(line => line.replaceAll('.contoso.com', '').replaceAll('_tcp', 'tcp'))
}

function messages({ facts = {}, hosts = [good], given, listeners = [starttls] }: Case): string {
  const all = services(facts)
  const { findings } = planRecords(all, hosts, chooseHost(all, given), listeners, [])
  return findings.map(({ message }) => message).join('\n')
}

const published = { xmpp: srv('0 0 5269 edge.contoso.com') }
const there = 'published _xmpp-server.tcp SRV 0 0 5269 edge.'
const addressesThere = ['published edge A 192.0.2.1', 'published edge AAAA 2001:db8::1']

describe('the host that records lead to', () => {
  test.each([
    ['is what the operator says', published, parseDomain('a.example'), 'a.example', 'option'],
    [
      'is what SRV names first',
      { xmpp: srv('9 0 1 b.example', '1 0 1 a.example') },
      undefined,
      'a.example',
      'published',
    ],
    [
      'may be named by direct TLS alone',
      { xmpps: srv('0 0 1 a.example') },
      undefined,
      'a.example',
      'published',
    ],
    ['is a guess without either', { xmpp: srv('0 0 0 .') }, undefined, 'xmpp.contoso.com', 'placeholder'],
  ])('%s', (_, facts, given, name, from) => {
    expect(chooseHost(services(facts), given)).toEqual({ name, from })
  })
})

describe('a service', () => {
  test.each<[string, Case, string[]]>([
    ['is there', { facts: published }, [there, ...addressesThere]],
    ['is there, under the name given', { facts: published, given: edge }, [there, ...addressesThere]],
    [
      'is there on several gateways of a pool',
      {
        facts: { xmpp: srv('0 0 5269 edge.contoso.com', '0 0 5269 two.contoso.com') },
        hosts: [good, host('two.contoso.com', { A: ['192.0.2.2'] })],
      },
      [there, 'published _xmpp-server.tcp SRV 0 0 5269 two.', ...addressesThere, 'published two A 192.0.2.2'],
    ],
    [
      'needs a record for each listener',
      {
        facts: published,
        listeners: [starttls, direct, { ...starttls, address: '192.0.2.1' }, { ...starttls, port: 5299 }],
      },
      [
        there,
        'missing _xmpp-server.tcp SRV 0 0 5299 edge.',
        'missing _xmpps-server.tcp SRV 0 0 5270 edge.',
        ...addressesThere,
        'error missing _xmpp-server.tcp SRV',
        'error missing _xmpps-server.tcp SRV',
      ],
    ],
    [
      'is on another port',
      { facts: { xmpp: srv('0 0 5299 edge.contoso.com') } },
      [
        'wrong _xmpp-server.tcp SRV 0 0 5299 edge.',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        ...addressesThere,
        'error wrong-port _xmpp-server.tcp SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is published without a listener',
      { facts: { ...published, xmpps: srv('0 0 5270 edge.contoso.com') } },
      [
        there,
        'wrong _xmpps-server.tcp SRV 0 0 5270 edge.',
        ...addressesThere,
        'error wrong-port _xmpps-server.tcp SRV',
      ],
    ],
    [
      'leads elsewhere, whose addresses then do not matter',
      {
        facts: { xmpp: srv('0 0 5269 old.contoso.com') },
        hosts: [good, host('old.contoso.com', { A: noDomain })],
        given: edge,
      },
      [
        'wrong _xmpp-server.tcp SRV 0 0 5269 old.',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        ...addressesThere,
        'error wrong-target _xmpp-server.tcp SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ],
    [
      'leads elsewhere too, perhaps to another gateway',
      { facts: { xmpp: srv('0 0 5269 edge.contoso.com', '0 0 5269 two.contoso.com') }, given: edge },
      [
        there,
        'other _xmpp-server.tcp SRV 0 0 5269 two.',
        ...addressesThere,
        'warning other-target _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is said not to be',
      { facts: { xmpp: srv('0 0 0 .') }, given: edge },
      [
        'wrong _xmpp-server.tcp SRV 0 0 0 .',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        ...addressesThere,
        'error no-service _xmpp-server.tcp SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is said not to be, beside a record for it',
      { facts: { xmpp: srv('0 0 5269 edge.contoso.com', '0 0 0 .') } },
      [
        there,
        'wrong _xmpp-server.tcp SRV 0 0 0 .',
        ...addressesThere,
        'error no-service _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is said not to be, and is not',
      { facts: { ...published, xmpps: srv('0 0 0 .') } },
      [there, 'published _xmpps-server.tcp SRV 0 0 0 .', ...addressesThere],
    ],
    [
      'has targets that are no host names',
      { facts: { xmpp: srv('0 0 5269 192.0.2.9', '0 0 5269 a\\032b') }, given: edge },
      [
        'wrong _xmpp-server.tcp SRV 0 0 5269 192.0.2.9.',
        'wrong _xmpp-server.tcp SRV 0 0 5269 a\\032b.',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        ...addressesThere,
        'error bad-target _xmpp-server.tcp SRV',
        'error bad-target _xmpp-server.tcp SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ],
    [
      'has a target that is no host name beside a good one',
      { facts: { xmpp: srv('0 0 5269 192.0.2.9', '0 0 5269 edge.contoso.com') } },
      [
        there,
        'wrong _xmpp-server.tcp SRV 0 0 5269 192.0.2.9.',
        ...addressesThere,
        'error bad-target _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is an alias that fits',
      { facts: { xmpp: through(srv('0 0 5269 edge.contoso.com'), 'mid.example', 'srv.example') } },
      [
        'published _xmpp-server.tcp CNAME mid.example.',
        'published srv.example SRV 0 0 5269 edge.',
        ...addressesThere,
        'warning alias _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is an alias that fits, of more than fits',
      {
        facts: {
          xmpp: through(srv('0 0 5269 edge.contoso.com', '0 0 5299 edge.contoso.com'), 'srv.example'),
        },
      },
      [
        'published _xmpp-server.tcp CNAME srv.example.',
        'published srv.example SRV 0 0 5269 edge.',
        'wrong srv.example SRV 0 0 5299 edge.',
        ...addressesThere,
        'warning alias _xmpp-server.tcp SRV',
        'error wrong-port srv.example SRV',
      ],
    ],
    [
      'is an alias of another port',
      { facts: { xmpp: through(srv('0 0 5299 edge.contoso.com'), 'srv.example') } },
      [
        'wrong _xmpp-server.tcp CNAME srv.example.',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        'wrong srv.example SRV 0 0 5299 edge.',
        ...addressesThere,
        'error alias _xmpp-server.tcp SRV',
        'error wrong-port srv.example SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ],
    [
      'is an alias that has one of two ports',
      {
        facts: { xmpp: through(srv('0 0 5269 edge.contoso.com'), 'srv.example') },
        listeners: [starttls, { ...starttls, port: 5299 }],
      },
      [
        'wrong _xmpp-server.tcp CNAME srv.example.',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        'missing _xmpp-server.tcp SRV 0 0 5299 edge.',
        'published srv.example SRV 0 0 5269 edge.',
        ...addressesThere,
        'error alias _xmpp-server.tcp SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ],
    ...[noData, noDomain].map((none): [string, Case, string[]] => [
      `is an alias that leads nowhere (${none.kind})`,
      { facts: { xmpp: through(none, 'gone.example') }, given: edge },
      [
        'wrong _xmpp-server.tcp CNAME gone.example.',
        'missing _xmpp-server.tcp SRV 0 0 5269 edge.',
        ...addressesThere,
        'error alias _xmpp-server.tcp SRV',
        'error missing _xmpp-server.tcp SRV',
      ],
    ]),
    [
      'is an alias that leads nowhere, without a listener',
      { facts: { ...published, xmpps: through(noDomain, 'gone.example') } },
      [
        there,
        'wrong _xmpps-server.tcp CNAME gone.example.',
        ...addressesThere,
        'warning alias _xmpps-server.tcp SRV',
      ],
    ],
    [
      'is not known where DNS fails',
      { facts: { xmpp: servfail, xmpps: servfail }, given: edge },
      [
        'unknown _xmpp-server.tcp SRV 0 0 5269 edge.',
        ...addressesThere,
        'error dns-servfail _xmpp-server.tcp SRV',
      ],
    ],
    [
      'cannot be published for a port that is not known',
      { listeners: [{ ...starttls, port: 0 }], given: edge },
      addressesThere,
    ],
  ])('%s', (_, given, expected) => {
    expect(plan(given)).toEqual(expected)
  })

  test.each<[string, Case, RegExp]>([
    ['none', {}, /find no server, for contoso\.com has no address either; publish it$/],
    [
      'the domain itself',
      { facts: { own: host('contoso.com', { A: ['192.0.2.80'] }) } },
      /fall back to the addresses of contoso\.com itself \(192\.0\.2\.80\), port 5269; publish it$/,
    ],
    [
      'the domain itself, where nobody listens',
      {
        facts: { own: host('contoso.com', { A: ['192.0.2.80'] }) },
        listeners: [{ ...starttls, port: 5299 }],
      },
      /port 5269, where the gateway does not listen; publish it$/,
    ],
  ])('that is missing leaves partners with %s', (_, given, expected) => {
    expect(messages({ given: edge, ...given })).toMatch(expected)
  })

  test('cannot be in a domain that does not exist', () => {
    const nowhere = {
      xmpp: noDomain,
      xmpps: noDomain,
      own: host('contoso.com', { A: noDomain, AAAA: noDomain }),
    }
    expect(plan({ facts: nowhere })).toContain('error no-domain contoso.com A')
    expect(plan({ facts: { xmpp: noDomain, xmpps: noDomain } })).not.toContain(
      'error no-domain contoso.com A',
    )
    const dangling = { ...nowhere, xmpp: through(noDomain, 'gone.example') }
    expect(plan({ facts: dangling })).not.toContain('error no-domain contoso.com A')
  })
})

describe("the host's addresses", () => {
  const edgeWith = (found: Parameters<typeof host>[1]): Case => {
    return { facts: published, hosts: [host('edge.contoso.com', found)] }
  }

  test.each<[string, Case, string[]]>([
    ['are as given', { facts: published, addresses: ['2001:db8::1', '192.0.2.1'] }, addressesThere],
    [
      'are others than given',
      { facts: published, addresses: ['192.0.2.9', '2001:db8::1'] },
      [
        'wrong edge A 192.0.2.1',
        'missing edge A 192.0.2.9',
        'published edge AAAA 2001:db8::1',
        'error wrong-address edge A',
        'error missing edge A',
      ],
    ],
    [
      'are those of listeners with public addresses',
      { facts: published, listeners: [{ ...starttls, address: '192.0.2.1', scope: 'public' }] },
      ['published edge A 192.0.2.1', 'wrong edge AAAA 2001:db8::1', 'error wrong-address edge AAAA'],
    ],
    [
      'are not those of listeners behind address translation',
      { facts: published, listeners: [{ ...starttls, address: '10.0.0.1', scope: 'private' }] },
      addressesThere,
    ],
    ['are not there', edgeWith({}), ['missing edge A null', 'error no-address edge A']],
    [
      'are not known where DNS fails',
      { ...edgeWith({ A: servfail, AAAA: ['2001:db8::1'] }), addresses: ['192.0.2.1', '2001:db8::1'] },
      ['unknown edge A 192.0.2.1', 'published edge AAAA 2001:db8::1', 'error dns-servfail edge A'],
    ],
    [
      'are an alias',
      edgeWith({ A: ['192.0.2.7'], alias: 'cdn.example' }),
      ['wrong edge CNAME cdn.example.', 'missing edge A 192.0.2.7', 'error alias edge A'],
    ],
    [
      'are an alias, with others given',
      { ...edgeWith({ A: ['192.0.2.7'], alias: 'cdn.example' }), addresses: ['2001:db8::1'] },
      ['wrong edge CNAME cdn.example.', 'missing edge AAAA 2001:db8::1', 'error alias edge A'],
    ],
    ...[noData, noDomain].flatMap((none): [string, Case, string[]][] => {
      const gone = through(none, 'gone.example')
      return [
        [
          `are an alias that leads nowhere (${none.kind})`,
          edgeWith({ A: gone, AAAA: gone }),
          [
            'wrong edge CNAME gone.example.',
            'missing edge A null',
            'error alias edge A',
            'error no-address edge A',
          ],
        ],
        [
          `are an alias that leads nowhere (${none.kind}), with others given`,
          { ...edgeWith({ A: gone, AAAA: gone }), addresses: ['192.0.2.1'] },
          ['wrong edge CNAME gone.example.', 'missing edge A 192.0.2.1', 'error alias edge A'],
        ],
      ]
    }),
    [
      'are an alias of what nobody has',
      edgeWith({ A: ['0.0.0.0'], AAAA: servfail, alias: 'cdn.example', scope: 'nobody' }),
      [
        'wrong edge CNAME cdn.example.',
        'missing edge A null',
        'error alias edge A',
        'error dns-servfail edge AAAA',
        'error no-address edge A',
      ],
    ],
    [
      'are given, and cannot be reached from outside',
      { ...edgeWith({ A: ['10.0.0.1'], scope: 'private' }), addresses: ['10.0.0.1', 'fd00::1'] },
      [
        'published edge A 10.0.0.1',
        'missing edge AAAA fd00::1',
        'warning private-address edge A',
        'error missing edge AAAA',
        'warning private-address edge AAAA',
      ],
    ],
    [
      'cannot be reached from outside',
      edgeWith({ A: ['10.0.0.1'], scope: 'private' }),
      ['published edge A 10.0.0.1', 'warning private-address edge A'],
    ],
    [
      'are of nobody',
      edgeWith({ A: ['0.0.0.0'], scope: 'nobody' }),
      ['wrong edge A 0.0.0.0', 'error unusable-address edge A'],
    ],
  ])('%s', (_, given, expected) => {
    expect(plan(given)).toEqual([there, ...expected])
  })
})

describe('the records of one set', () => {
  const ttls = (facts: Partial<ServiceFacts>, addresses: readonly string[] = []) => {
    const all = services(facts)
    const { records } = planRecords(all, [good], chooseHost(all, edge), [starttls], addresses)
    return records.map(({ status, type, ttl }) => `${status} ${type} ${ttl}`)
  }

  test('have the TTL that DNS tells, where there are all', () => {
    expect(ttls(published)).toEqual(['published SRV 60', 'published A 60', 'published AAAA 60'])
  })

  test('have one TTL, that of a new record, where one is missing (RFC 2181 §5.2)', () => {
    expect(ttls(published, ['192.0.2.1', '192.0.2.2', '2001:db8::1'])).toEqual([
      'published SRV 60',
      'published A 3600',
      'missing A 3600',
      'published AAAA 60',
    ])
    expect(ttls({ xmpp: srv('0 0 5299 edge.contoso.com') })).toEqual([
      'wrong SRV 60',
      'missing SRV 3600',
      'published A 60',
      'published AAAA 60',
    ])
  })
})
