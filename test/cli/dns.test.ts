import { describe, expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import { startZone, type ZoneTable } from '../support/zone.ts'

/** The command under a configuration whose name server answers from this table; nothing else in it is right. */
async function over(table: ZoneTable = {}, partners = 'partners: []\n') {
  const zone = await startZone(table)
  onTestFinished(() => zone.close())
  const { file } = configFolder({
    'config/gatehouse.yaml': `listen:
  - { port: 5269 }
  - { port: 5270, directTls: true }
domains: { contoso.com: { certificate: not-there.crt }, bücher.example: }
dns: { servers: ['${zone.address}'], timeout: 1s }
limits: { depth: none }
`,
    'config/partners.yaml': partners,
  })
  const dns = (...argv: readonly string[]) => runCommand(['dns', '-c', file, ...argv])
  return { zone, dns }
}

const gateway = {
  '_xmpp-server._tcp.contoso.com SRV': [{ port: 5269, target: 'xmpp.contoso.com', ttl: 300 }],
  '_xmpps-server._tcp.contoso.com SRV': [{ priority: 5, port: 5270, target: 'XMPP.contoso.com', ttl: 300 }],
  'xmpp.contoso.com A': ['192.0.2.1'],
  'xmpp.contoso.com AAAA': ['2001:db8::1'],
} as const

describe('dns', () => {
  test('prints what is published, and is content with it', async () => {
    const { zone, dns } = await over(gateway)
    expect(
      await dns(
        'contoso.com',
        '--host',
        'xmpp.contoso.com',
        '--address',
        '2001:DB8:0::1',
        '--address',
        '::ffff:192.0.2.1',
      ),
    ).toEqual({
      status: 0,
      out: `; name servers: ${zone.address} (dns.servers)

; contoso.com, host xmpp.contoso.com (as given by --host): 0 errors, 0 warnings
_xmpp-server._tcp.contoso.com.   300 IN SRV  0 0 5269 xmpp.contoso.com.  ; there
_xmpps-server._tcp.contoso.com.  300 IN SRV  5 0 5270 xmpp.contoso.com.  ; there
xmpp.contoso.com.                60 IN A     192.0.2.1                   ; there
xmpp.contoso.com.                60 IN AAAA  2001:db8::1                 ; there
`,
      err: '',
    })
  })

  test('tells what to publish for every local domain, what is wrong as comments', async () => {
    const { zone, dns } = await over({
      ...gateway,
      '_xmpp-server._tcp.xn--bcher-kva.example SRV': [{ port: 5222, target: 'xmpp.xn--bcher-kva.example' }],
      'xmpp.xn--bcher-kva.example CNAME': ['xmpp.contoso.com'],
    })
    const { status, out } = await dns()
    expect(status).toBe(1)
    expect(out).toContain(
      '; contoso.com, host xmpp.contoso.com (as published; --host NAME for another): 0 errors,',
    )
    const rest = out.slice(out.indexOf('; xn--bcher')).split('\n')
    expect(
      rest.filter(line => !/^; (error|warning)/.test(line)).map(line => line.replace(/ +/g, ' ')),
    ).toEqual([
      '; xn--bcher-kva.example (bücher.example), host xmpp.xn--bcher-kva.example (xmpp.bücher.example) (as published; --host NAME for another): 4 errors, 0 warnings',
      '; _xmpp-server._tcp.xn--bcher-kva.example. 60 IN SRV 0 0 5222 xmpp.xn--bcher-kva.example. ; there, and wrong (xmpp.bücher.example)',
      '_xmpp-server._tcp.xn--bcher-kva.example. 3600 IN SRV 0 0 5269 xmpp.xn--bcher-kva.example. ; missing (xmpp.bücher.example)',
      '_xmpps-server._tcp.xn--bcher-kva.example. 3600 IN SRV 0 0 5270 xmpp.xn--bcher-kva.example. ; missing (xmpp.bücher.example)',
      '; xmpp.xn--bcher-kva.example. 60 IN CNAME xmpp.contoso.com. ; there, and wrong',
      'xmpp.xn--bcher-kva.example. 3600 IN A 192.0.2.1 ; missing',
      'xmpp.xn--bcher-kva.example. 3600 IN AAAA 2001:db8::1 ; missing',
      '',
    ])
    expect(zone.queries.every(({ name }) => /^[\x21-\x7e]+$/.test(name))).toBe(true)
  })

  test.each([
    ['NXDOMAIN', 'missing', 'missing'],
    ['SERVFAIL', 'dns-servfail', 'unknown'],
    ['REFUSED', 'dns-refused', 'unknown'],
    ['drop', 'dns-timeout', 'unknown'],
  ] as const)('keeps an answer apart from none: %s is %s', async (answer, code, status) => {
    const { dns } = await over({ ...gateway, '_xmpp-server._tcp.contoso.com SRV': answer })
    const result = await dns('contoso.com', '--json')
    expect(result.status).toBe(1)
    const [plan] = JSON.parse(result.out).domains
    expect(plan.ok).toBe(false)
    expect(plan.findings.map((finding: { code: string }) => finding.code)).toEqual([code])
    expect(plan.records[0]).toEqual({
      name: '_xmpp-server._tcp.contoso.com',
      ttl: 3600,
      type: 'SRV',
      content: '0 0 5269 xmpp.contoso.com.',
      status,
    })
  })

  test.each([
    [['--address', 'not-one'], /Expected an IP address/],
    [
      ['--address', '0.0.0.0'],
      /'0\.0\.0\.0' is invalid\. Expected an IP address that other hosts can connect to/,
    ],
    [['--address', '224.0.0.1'], /Expected an IP address/],
    [['--address', '::'], /Expected an IP address/],
    [['--address', '::1'], /Expected an IP address/],
    [['--address', '127.0.0.1'], /Expected an IP address/],
    [['--address', '::ffff:127.0.0.1'], /Expected an IP address/],
    [['--address', 'fe80::1%lo'], /Expected an IP address/],
    [['--host', '192.0.2.1'], /Expected a host name/],
    [['not a domain'], /Expected a domain/],
    [['fabrikam.com', '--host', 'a.example'], /fabrikam\.com is not a local domain/],
    [['fabrikam.com', '--address', '192.0.2.1'], /fabrikam\.com is not a local domain/],
  ])('refuses %j', async (argv, expected) => {
    const { zone, dns } = await over({})
    const { status, err } = await dns(...argv)
    expect(status).toBe(2)
    expect(err).toMatch(expected)
    expect(zone.queries).toEqual([])
  })

  test('warns of listeners that no record leads to', async () => {
    const zone = await startZone(gateway)
    onTestFinished(() => zone.close())
    const { file } = configFolder({
      'config/gatehouse.yaml': `domains: { contoso.com: }
listen:
  - { address: 127.0.0.1, port: 5269 }
  - { port: 0, directTls: true }
  - { address: 127.0.0.1, port: 5270, directTls: true, proxyProtocol: { trusted: [127.0.0.1] } }
dns: { servers: ['${zone.address}'] }
`,
    })
    const { status, out } = await runCommand(['dns', '-c', file])
    expect(status).toBe(0)
    expect(out).toContain(
      '; warning: listen: the listener at 127.0.0.1, port 5269, is for this machine alone',
    )
    expect(out).toContain('; warning: listen: the listener at :: takes any free port')
    expect(out.match(/warning: listen/g)).toHaveLength(2)
  })

  test('tells where the configuration is wrong', async () => {
    const { file } = configFolder({
      'config/gatehouse.yaml': 'domains: { contoso.com: }\ndns: { servers: [a] }\n',
    })
    const { status, out, err } = await runCommand(['dns', '-c', file])
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(/:2:18: dns\.servers\[0\]: expected an IP address/)
  })
})

describe('dns DOMAIN', () => {
  const fabrikam = {
    '_xmpps-server._tcp.fabrikam.com SRV': [{ priority: 1, weight: 4, port: 443, target: 'b.fabrikam.com' }],
    '_xmpp-server._tcp.fabrikam.com SRV': [
      { priority: 9, port: 5269, target: 'a.fabrikam.com', ttl: 300 },
      { priority: 0, port: 5299, target: 'xn--bcher-kva.example', ttl: 400 },
    ],
    'a.fabrikam.com A': ['192.0.2.1'],
    'xn--bcher-kva.example AAAA': ['2001:db8::1'],
  } as const
  const partners = `partners:
  - { primaryDomain: fabrikam.com, partnerType: federated, additionalDomains: [it.fabrikam.com] }
  - { primaryDomain: adatum.com, partnerType: federated, proxy: "edge.adatum.com:5299" }
  - { primaryDomain: proseware.com, partnerType: federated, proxy: "[2001:db8::9]:5269", componentSecret: { env: NOT_SET } }
`

  test('lists what a partner publishes in the order in which it is tried', async () => {
    const { zone, dns } = await over(fabrikam, partners)
    expect(await dns('Fabrikam.com')).toEqual({
      status: 0,
      out: `fabrikam.com: partner
name servers: ${zone.address} (dns.servers)

   target                                  port  TLS       from  priority  weight  TTL  addresses (TTL)
1  xn--bcher-kva.example (bücher.example)  5299  STARTTLS  SRV   0         0       300  2001:db8::1 (60)
2  b.fabrikam.com                          443   direct    SRV   1         4       60   none
3  a.fabrikam.com                          5269  STARTTLS  SRV   9         0       300  192.0.2.1 (60)

warning: b.fabrikam.com A: does not exist (NXDOMAIN)
`,
      err: '',
    })
    expect(zone.countOf('_xmpp-server._tcp.fabrikam.com SRV')).toBe(1)
  })

  test('has the priority and weight of each record, where two name one host and port', async () => {
    const { dns } = await over({
      '_xmpp-server._tcp.fabrikam.com SRV': [
        { priority: 9, weight: 3, port: 5269, target: 'a.fabrikam.com' },
        { priority: 1, weight: 4, port: 5269, target: 'a.fabrikam.com' },
      ],
      'a.fabrikam.com A': ['192.0.2.1'],
    })
    const { targets } = JSON.parse((await dns('fabrikam.com', '--json')).out)
    expect(targets).toMatchObject([
      { priority: 1, weight: 4 },
      { priority: 9, weight: 3 },
    ])
  })

  test('tells a broken record from none', async () => {
    const { dns } = await over({ '_xmpp-server._tcp.litware.com SRV': [{ port: 5269, target: '192.0.2.9' }] })
    const { status, out } = await dns('litware.com')
    expect(status).toBe(1)
    expect(out).toContain(`
error: _xmpp-server._tcp.litware.com SRV: litware.com publishes SRV records, but none that leads to a server: 0 0 5269 192.0.2.9
warning: _xmpp-server._tcp.litware.com SRV: leads to 192.0.2.9, which is no host name: it is not tried
`)
  })

  test('does not ask DNS for services where a proxy is set', async () => {
    const { zone, dns } = await over({ 'edge.adatum.com A': ['192.0.2.7'] }, partners)
    const { status, out } = await dns('adatum.com')
    expect(status).toBe(0)
    expect(out).toContain('proxy is set: DNS is not asked where the servers are')
    expect(out).toMatch(/^1 +edge\.adatum\.com +5299 +STARTTLS +proxy +- +- +- +192\.0\.2\.7 \(60\)$/m)
    expect(new Set(zone.queries.map(({ name }) => name))).toEqual(new Set(['edge.adatum.com']))
    const other = JSON.parse((await dns('proseware.com', '--json')).out)
    expect(other).toMatchObject({
      partner: 'proseware.com',
      proxy: { host: '2001:db8::9', port: 5269 },
      ok: true,
    })
    expect(zone.queries).toHaveLength(2)
  })

  test('names the partner of an additional domain, and who is none', async () => {
    const { zone, dns } = await over({ 'it.fabrikam.com A': ['192.0.2.1'] }, partners)
    const { status, out } = await dns('it.fabrikam.com', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      asked: { from: 'dns.servers', servers: [zone.address] },
      domain: 'it.fabrikam.com',
      partner: 'fabrikam.com',
      proxy: null,
      targets: [{ host: 'it.fabrikam.com', port: 5269, source: 'fallback', priority: null }],
      findings: [{ severity: 'warning', code: 'fallback' }],
    })
    expect((await dns('de.fabrikam.com')).out).toContain('de.fabrikam.com: not on the partner list\n')
  })

  test.each([
    ['says that there is none', [{ port: 0, target: '.' }], 'no-service'],
    ['does not exist', undefined, 'no-domain'],
    ['cannot be had', 'SERVFAIL', 'dns-servfail'],
    ['is not answered for', 'drop', 'dns-timeout'],
  ] as const)('fails where the service %s', async (_, answer, code) => {
    const { dns } = await over(answer && { '_xmpp-server._tcp.litware.com SRV': answer })
    const { status, out } = await dns('litware.com', '--json')
    expect(status).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      partner: null,
      findings: [{ severity: 'error', code }],
    })
  })

  test('looks up 16 hosts at most', async () => {
    const many = Array.from({ length: 20 }, (_, at) => ({
      priority: at,
      port: 5269,
      target: `x${at}.example`,
    }))
    const { zone, dns } = await over({
      '_xmpp-server._tcp.litware.com SRV': many,
      'x0.example A': ['192.0.2.1'],
    })
    const { status, out } = await dns('litware.com')
    expect(status).toBe(0)
    expect(out.match(/not looked up$/gm)).toHaveLength(4)
    expect(zone.queries.filter(({ name, type }) => /^x\d/.test(name) && type === 'A')).toHaveLength(16)
  })

  test('needs a partner list that can be read', async () => {
    const { dns } = await over({}, 'partners:\n  - { primaryDomain: fabrikam.com, proxy: "::" }\n')
    const { status, out, err } = await dns('fabrikam.com')
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(/partners\.yaml:2:\d+: partners\[0\]\.proxy: expected HOST:PORT/)
  })
})
