import { describe, expect, test } from 'vitest'
import { matrixRows, noteText } from '../../src/policy/matrix.ts'
import { configFolder } from '../support/config-folder.ts'

const embedded = 'internal: { connector: embedded }'
const certificateWarning = /selfSigned: partners that ask/

/** What is wrong with a partner list; `contoso.com` is the local domain. */
function problemsOf(list: string, internal = embedded): string[] {
  return configFolder({
    'config/gatehouse.yaml': `domains: { contoso.com: { selfSigned: true } }\n${internal}\n`,
    'config/partners.yaml': list,
  })
    .problems()
    .filter(problem => !certificateWarning.test(problem))
}

describe('a partner entry', () => {
  test.each([
    ['primaryDomain: "fabrikam com"', '2:5 error partners[0].primaryDomain: expected a domain name such as'],
    [
      'additionalDomains: [a.example, "-.example"]',
      '4:36 error partners[0].additionalDomains[1]: expected a domain',
    ],
    ['additionalDomains: a.example', '4:5 error partners[0].additionalDomains: expected a list of domains'],
    [
      'tlsNegotiation: never',
      '4:5 error partners[0].tlsNegotiation: expected one of required, optional, notSupported',
    ],
    [
      'dialbackNegotiation: yes',
      '4:5 error partners[0].dialbackNegotiation: expected true or false, not "yes"',
    ],
    ['connectionLimit: 0', '4:5 error partners[0].connectionLimit: expected a whole number from 1'],
    ['proxy: 2001:db8::1', '4:5 error partners[0].proxy: expected HOST:PORT or [IPv6]:PORT'],
    ['proxy: edge.fabrikam.com:0', '4:5 error partners[0].proxy: expected HOST:PORT'],
    [
      'pinnedCertificates: ["sha256:AB:CD"]',
      '4:26 error partners[0].pinnedCertificates[0]: expected "sha256:"',
    ],
    ['pinnedCertificates: [sha1:00]', '4:26 error partners[0].pinnedCertificates[0]: expected "sha256:"'],
    ['trustAnchors: [ca.pem]', '4:20 error partners[0].trustAnchors[0]: cannot read ca.pem: no such file'],
    [
      'componentSecret: { env: NOT_SET }',
      '4:5 error partners[0].componentSecret: the environment variable NOT_SET',
    ],
    [
      'description: 4711',
      '4:5 error partners[0].description: expected a text, in quotes where it is a number',
    ],
    [
      `description: ${'x'.repeat(4097)}`,
      '4:5 error partners[0].description: expected a text of 4096 characters at most',
    ],
    ['componentSecret: ""', '4:5 error partners[0].componentSecret: expected a text in quotes'],
    ['tls: required', '4:5 error partners[0].tls: unknown key; accepted here: primaryDomain'],
  ])('is refused with the reason: %s', (line, expected) => {
    const first = line.startsWith('primaryDomain') ? line : `primaryDomain: fabrikam.com`
    const rest = line === first ? '' : `    ${line}\n`
    const list = `partners:\n  - ${first}\n    partnerType: federated\n${rest}`
    expect(problemsOf(list)).toEqual([expect.stringContaining(`partners.yaml:${expected}`)])
  })

  test('needs its domain and its type', () => {
    expect(problemsOf('partners:\n  - description: somebody\n  - 5\n')).toEqual([
      expect.stringContaining('2:5 error partners[0].primaryDomain: is required'),
      expect.stringContaining(
        '2:5 error partners[0].partnerType: is required: one of federated, publicVerified',
      ),
      expect.stringContaining('3:5 error partners[1]: expected a mapping of primaryDomain'),
    ])
  })

  test('may not claim a domain that stands in the list already, after IDNA', () => {
    const list = `partners:
  - primaryDomain: fabrikam.com
    additionalDomains: [münchen.example, Fabrikam.COM]
    partnerType: federated
  - primaryDomain: xn--mnchen-3ya.example
    partnerType: federated
`
    expect(problemsOf(list)).toEqual([
      expect.stringContaining(
        '3:42 error partners[0].additionalDomains[1]: fabrikam.com stands in the list twice',
      ),
      expect.stringMatching(/5:5 error partners\[1\].primaryDomain: .*twice, first at line 3/),
    ])
  })

  test('may not be a local domain', () => {
    const list = 'partners: [{ primaryDomain: CONTOSO.com, partnerType: federated }]'
    expect(problemsOf(list)).toEqual([expect.stringMatching(/1:14 error .*contoso.com is a local domain/)])
  })

  test('needs a component secret where the connector has none for all', () => {
    const list = `partners:
  - { primaryDomain: a.example, partnerType: federated }
  - { primaryDomain: b.example, partnerType: federated, componentSecret: own }
`
    expect(problemsOf(list, 'internal: { connector: component }')).toEqual([
      expect.stringMatching(
        /2:5 error partners\[0\]: componentSecret is required, because internal.secret is not set/,
      ),
    ])
    expect(problemsOf(list, 'internal: { connector: component, secret: common }')).toEqual([])
  })
})

describe('the negotiation settings of a partner', () => {
  test.each(matrixRows)('are held to the matrix: $tls $sasl $dialback', row => {
    const problems = problemsOf(`partners:
  - primaryDomain: fabrikam.com
    partnerType: publicVerified
    tlsNegotiation: ${row.tls}
    saslNegotiation: ${row.sasl}
    dialbackNegotiation: ${row.dialback}
`)
    if (row.severity === 'none') expect(problems).toEqual([])
    else {
      expect(problems).toHaveLength(1)
      expect(problems[0]).toContain(`partners.yaml:4:5 ${row.severity} partners[0].tlsNegotiation: `)
      expect(problems[0]).toContain(noteText(row))
    }
  })

  test('are told at the key that clashes with the presets', () => {
    const list =
      'partners:\n  - primaryDomain: a.example\n    partnerType: federated\n    saslNegotiation: notSupported\n'
    expect(problemsOf(list)).toEqual([
      'partners.yaml:4:5 error partners[0].saslNegotiation: TLS required, SASL notSupported, dialback false ' +
        'is not valid: SASL or dialback must be enabled.',
    ])
  })

  test('bring a warning of their own where full trust rests on clear text', () => {
    const entry = 'tlsNegotiation: notSupported, saslNegotiation: notSupported, dialbackNegotiation: true'
    const list = (type: string): string =>
      `partners: [{ primaryDomain: a.example, partnerType: ${type}, ${entry} }]`
    expect(problemsOf(list('federated'))).toEqual([
      expect.stringMatching(/ warning .*Full trust over clear text/),
    ])
    expect(problemsOf(list('publicUnverified'))).toEqual([])
  })
})
