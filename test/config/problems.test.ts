import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/problems.ts'
import { configFolder, leastConfig } from '../support/config-folder.ts'

const selfSigned = 'gatehouse.yaml:2:18 warning domains.contoso.com.selfSigned: '

/** What is wrong with the least configuration and these lines more, the warning of its certificate apart. */
function problemsOf(lines: string): string[] {
  const all = configFolder({ 'config/gatehouse.yaml': leastConfig + lines }).problems()
  return all.filter(problem => !problem.startsWith(selfSigned))
}

describe('a wrong key', () => {
  test.each([
    ['limts: {}', '4:1 error limts: unknown key; accepted here: listen, domains'],
    ['limits:\n  depht: 5', '5:3 error limits.depht: unknown key; accepted here: stanzaBytes, depth'],
    ['limits:\n  depth: deep', '5:3 error limits.depth: expected a whole number from 8 to 1024, not "deep"'],
    ['limits: { depth: 2000 }', '4:11 error limits.depth: expected a whole number from 8 to 1024, not 2000'],
    ['limits: { stanzaBytes: 9999 }', '4:11 error limits.stanzaBytes: expected a whole number from 10000'],
    ['limits: 5', '4:1 error limits: expected a mapping of stanzaBytes'],
    ['timeouts: { queue: 60 }', '4:13 error timeouts.queue: expected a duration with its unit'],
    ['timeouts: { queue: 60 s }', '4:13 error timeouts.queue: expected a duration with its unit'],
    ['timeouts: { queue: 0s }', '4:13 error timeouts.queue: expected a duration with its unit, from 1ms'],
    [
      'timeouts: { queue: 25h }',
      '4:13 error timeouts.queue: expected a duration with its unit, from 1ms to 24h',
    ],
    ['listen: []', '4:1 error listen: expected at least one'],
    ['listen: [{ port: 1, address: localhost }]', '4:21 error listen[0].address: expected an IP address'],
    ['listen: [{ port: 70000 }]', '4:12 error listen[0].port: expected a whole number from 0 to 65535'],
    [
      'listen:\n  - directTls: yes\n    port: 1',
      '5:5 error listen[0].directTls: expected true or false, not "yes"',
    ],
    [
      'listen: [{ port: 0, proxyProtocol: { trusted: [] } }]',
      '4:38 error listen[0].proxyProtocol.trusted: expected at least one address or network',
    ],
    ['listen:\n  - {}', '5:5 error listen[0].port: is required: a whole number'],
    ['dns: { servers: [dns.example] }', '4:18 error dns.servers[0]: expected an IP address, with a port'],
    ['dns: { servers: [] }', '4:8 error dns.servers: expected at least one'],
    [
      'log: { level: loud }',
      '4:8 error log.level: expected one of trace, debug, info, warn, error, not "loud"',
    ],
    [
      'dialback: { secret: { env: NOT_SET } }',
      '4:13 error dialback.secret: the environment variable NOT_SET',
    ],
    [
      'dialback: { secret: { path: x } }',
      '4:13 error dialback.secret: expected a text in quotes, { env: NAME }',
    ],
    ['trust: { anchors: [none.pem] }', '4:20 error trust.anchors[0]: cannot read'],
    [
      'partners: none.yaml',
      '4:1 error partners: cannot read none.yaml: no such file; a list without partners',
    ],
    ['log: {}\nlog: {}', '5:1 error log: stands here twice'],
    ['limits: { depth: 9, depth: 8 }', '4:21 error depth: stands here twice'],
    ['log: {}\n---\nlog: {}', '5:1 error : a second document begins here; expected one'],
    ['log: *x', '4:6 error log: *x stands for what is marked &x above it, and nothing is'],
    ['log: { level: !y info }', '4:15 error : expected a value without a tag'],
    ['\tlog: {}', '4:1 error : expected spaces at the start of the line, not tabs'],
    ['dialback: { secret: "" }', '4:13 error dialback.secret: expected a text in quotes, { env: NAME }'],
    ['dialback: { secret: { env: "" } }', '4:23 error dialback.secret.env: expected the name of an'],
    ['log: [', '5:1 error : Flow sequence in block collection must be'],
  ])('is told with its place and the remedy: %s', (lines, expected) => {
    expect(problemsOf(`${lines}\n`)).toContainEqual(expect.stringContaining(`gatehouse.yaml:${expected}`))
  })

  test.each(['all', '10.0.0.0/33', '2001:db8::/129', '10.0.0.0/08', '::/0', 'lb.example', 'fe80::1%eth0'])(
    'is told of what is no network to trust: %s',
    network => {
      const line = `listen: [{ port: 0, proxyProtocol: { trusted: ["192.0.2.1", "${network}"] } }]\n`
      const expected =
        '4:61 error listen[0].proxyProtocol.trusted[1]: expected an IP address or a network such'
      expect(problemsOf(line)).toEqual([expect.stringContaining(expected)])
    },
  )

  test.each(['internal: { connector: component, secret: 4711 }', 'dialback: { secret: [sesame] }'])(
    'never shows what stands in the place of a secret: %s',
    lines => {
      const problems = configFolder({ 'config/gatehouse.yaml': `domains: {}\n${lines}\n` }).problems()
      expect(problems.join()).toContain('.secret: expected a text in quotes')
      expect(problems.join()).not.toMatch(/4711|sesame/)
    },
  )

  test.each([
    ['', 'internal: is required'],
    ['internal: {}', 'internal.connector: expected a mapping with connector: component, trunk or embedded'],
    ['internal: { connector: carrier-pigeon }', 'internal.connector: expected a mapping with connector'],
    ['internal: { connector: embedded, host: x }', 'internal.host: unknown key; accepted here: connector'],
    [
      'internal: { connector: trunk }',
      'internal.connector: connector trunk is not available in this version; use component or embedded',
    ],
  ])('of the internal server is told: %j', (line, expected) => {
    const text = `domains: { contoso.com: { selfSigned: true } }\n${line}\n`
    const errors = configFolder({ 'config/gatehouse.yaml': text })
      .problems()
      .filter(problem => problem.includes(' error '))
    expect(errors).toEqual([expect.stringContaining(expected)])
  })
})

describe('what follows from a fault in the text', () => {
  test('is not told: only the alias that stands for nothing, and what is wrong elsewhere', () => {
    const text = 'domains: *ours\ninternal: *inside\nlimits: { depth: *deep, queueBytes: 1 }\n'
    expect(configFolder({ 'config/gatehouse.yaml': text }).problems()).toEqual([
      expect.stringMatching(/:1:10 error domains: \*ours stands for/),
      expect.stringMatching(/:2:11 error internal: \*inside stands for/),
      expect.stringMatching(/:3:18 error limits\.depth: \*deep stands for/),
      expect.stringMatching(/:3:25 error limits\.queueBytes: expected/),
    ])
  })

  test('is not told of a file that holds something else altogether', () => {
    expect(configFolder({ 'config/gatehouse.yaml': '- a\n' }).problems()).toEqual([
      expect.stringContaining(':1:1 error : expected a mapping of keys to values'),
    ])
  })

  test('hides no fault of a key’s other copy', () => {
    expect(
      problemsOf(
        'limits: { depth: 1 }\nlimits: { queueBytes: 1 }\nlisten: [{ port: x }]\nlisten: [{ port: y }]\n',
      ),
    ).toEqual([
      expect.stringContaining(':5:1 error limits: stands here twice'),
      expect.stringContaining(':7:1 error listen: stands here twice'),
      expect.stringContaining(':6:12 error listen[0].port: expected'),
      expect.stringContaining(':7:12 error listen[1].port: expected'),
      expect.stringContaining(':4:11 error limits.depth: expected'),
      expect.stringContaining(':5:11 error limits.queueBytes: expected'),
    ])
  })
})

describe('all problems', () => {
  test('reach no terminal with control characters', () => {
    const folder = configFolder({ 'config/gatehouse.yaml': `${leastConfig}"lo\\e[31m\\ng": 1\n` })
    expect(() => folder.load()).toThrow(/:4:1: lo\ufffd\[31m\ufffdg: unknown key/)
  })

  test('are told in one run: both files, files that are named, and values beside wrong ones', () => {
    const folder = configFolder({
      'config/gatehouse.yaml': `domains:
  contoso.com:
    certificate: none.crt
    kee: none.key
  bad domain: { selfSigned: true }
limits:
  depth: 0
  nonsense: 1
internal: { connector: component, secret: { env: NOT_SET } }
`,
      'config/partners.yaml': `partners:
  - primaryDomain: fabrikam.com
    partnerType: fedrated
    trustAnchors: [none.pem]
  - primaryDomain: contoso.com
    partnerType: federated
    colour: green
    tlsNegotiation: notSupported
  - partnerType: federated
`,
    })
    expect(folder.problems().map(problem => problem.replace(/( error [^ ]+): .*/, '$1'))).toEqual([
      'gatehouse.yaml:4:5 error domains.contoso.com.kee',
      'gatehouse.yaml:7:3 error limits.depth',
      'gatehouse.yaml:8:3 error limits.nonsense',
      'gatehouse.yaml:2:3 error domains.contoso.com',
      'gatehouse.yaml:3:5 error domains.contoso.com.certificate',
      expect.stringMatching(/^gatehouse.yaml:5:3 error domains.bad domain/),
      'gatehouse.yaml:9:35 error internal.secret',
      'partners.yaml:3:5 error partners[0].partnerType',
      'partners.yaml:7:5 error partners[1].colour',
      'partners.yaml:9:5 error partners[2].primaryDomain',
      'partners.yaml:4:20 error partners[0].trustAnchors[0]',
      'partners.yaml:5:5 error partners[1].primaryDomain',
      'partners.yaml:8:5 error partners[1].tlsNegotiation',
    ])
  })

  test('stand in the message of the error as FILE:LINE:COLUMN: key: message', () => {
    const folder = configFolder({ 'config/gatehouse.yaml': `${leastConfig}log: { level: loud }\n` })
    let message = ''
    try {
      folder.load()
    } catch (error) {
      if (error instanceof ConfigError) message = error.message
    }
    expect(message).toBe(
      `${folder.file}:4:8: log.level: expected one of trace, debug, info, warn, error, not "loud"`,
    )
  })
})

describe('a file that is no configuration', () => {
  test.each([
    ['nothing but a list', '- a\n', '1:1 error : expected a mapping of keys to values'],
    ['a mapping that does not end', 'domains: {\n', 'error : '],
    ['an alias bomb', bomb(), 'error : Excessive alias count'],
    ['nothing', '', 'is empty'],
  ])('is refused: %s', (_name, text, expected) => {
    expect(configFolder({ 'config/gatehouse.yaml': text }).problems().join('\n')).toContain(expected)
  })

  test('is refused where it is a folder, or not there', () => {
    const folder = configFolder({ 'config/gatehouse.yaml': `${leastConfig}partners: .\n` })
    expect(folder.problems().join()).toContain('is not a regular file')
  })
})

function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, at) => `k${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`)
  return `k0: &a0 [x]\n${lines.join('\n')}\n`
}
