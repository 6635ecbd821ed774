import { describe, expect, test } from 'vitest'
import { matrixRows, noteText } from '../../src/policy/matrix.ts'
import { createAuthority } from '../support/certificates.ts'
import { partnerCommand, partnerFolder, partnersIn, twoPartners } from '../support/partner-command.ts'

describe('partner list', () => {
  test('prints a line for each partner, its columns aligned', async () => {
    const { status, out, err } = await partnerCommand(partnerFolder(), 'list')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toBe(
      `partner                 additional         type              TLS       SASL      dialback  methods, strongest first
fabrikam.com            corp.fabrikam.com  federated         required  required  false     sasl-external-tls
xn--mnchen-3ya.example  -                  publicUnverified  optional  optional  true      sasl-external-tls, dialback-tls, dialback-tcp
`,
    )
    expect((await partnerCommand(partnerFolder('partners: []\n'), 'list')).out).toBe('no partners\n')
  })

  test('tells machines the same', async () => {
    const partners = JSON.parse((await partnerCommand(partnerFolder(), 'list', '--json')).out)
    expect(partners).toMatchObject([
      {
        primaryDomain: 'fabrikam.com',
        additionalDomains: ['corp.fabrikam.com'],
        methods: ['sasl-external-tls'],
      },
      { primaryDomain: 'xn--mnchen-3ya.example', fromType: ['saslNegotiation', 'dialbackNegotiation'] },
    ])
  })

  test.each([
    'list',
    'show fabrikam.com',
    'add a.b --type federated',
    'set fabrikam.com --tls optional',
    'remove fabrikam.com',
  ])('or another command on a list that does not load tells where it is wrong: %s', async command => {
    const folder = partnerFolder(`${twoPartners}  - primaryDomain: x y\n`)
    const { status, out, err } = await partnerCommand(folder, ...command.split(' '))
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(/partners\.yaml:7:5: partners\[2\]\.primaryDomain: expected a domain name/)
    expect(err).toMatch(/partners\.yaml:7:5: partners\[2\]\.partnerType: is required/)
  })

  test('needs no secret and no certificate, which are the daemon’s', async () => {
    const folder = partnerFolder(`${twoPartners}    # end\n`, {
      'config/gatehouse.yaml': `domains: { contoso.com: { certificate: no.crt, key: no.key } }
internal: { connector: component, secret: { env: NOT_SET_HERE } }
`,
    })
    expect((await partnerCommand(folder, 'list')).status).toBe(0)
    expect((await partnerCommand(folder, 'set', 'fabrikam.com', '--keep-alive')).status).toBe(0)
  })
})

describe('a partner list', () => {
  test.each(['', '\n \n'])('that is empty was lost, and no command writes over it: %j', async text => {
    const folder = partnerFolder(text)
    for (const argv of [['list'], ['add', 'a.b', '--type', 'federated'], ['remove', 'a.b']]) {
      const { status, err } = await partnerCommand(folder, ...argv)
      expect([status, err]).toEqual([
        1,
        expect.stringMatching(
          /partners\.yaml is empty; a list without partners is written "partners: \[\]"\n$/,
        ),
      ])
    }
    expect(partnersIn(folder)).toBe(text)
  })

  test.each(['partners: ~ # none\n', '{}\n', '# c\n---\n', '# c\n'])(
    'without partners is that to every command: %j',
    async text => {
      const folder = partnerFolder(text)
      expect(await partnerCommand(folder, 'list')).toEqual({ status: 0, out: 'no partners\n', err: '' })
      expect(folder.load().partners.all).toEqual([])
      const { status } = await partnerCommand(folder, 'add', 'a.b', '--type', 'federated')
      expect(status).toBe(0)
      expect(folder.load().partners.all).toHaveLength(1)
    },
  )
})

describe('partner show', () => {
  test('tells everything, and where a setting comes from', async () => {
    const pin = `sha256:${'ab'.repeat(32)}`
    const folder = partnerFolder(
      `partners:
  - primaryDomain: fabrikam.com
    description: Supplier
    additionalDomains: [corp.fabrikam.com]
    partnerType: federated
    tlsNegotiation: optional
    connectionLimit: 10
    proxy: "[::1]:5270"
    trustAnchors: [ca.pem]
    pinnedCertificates: ["${pin}"]
    componentSecret: hushhush
`,
      { 'config/ca.pem': createAuthority().certificatePem },
    )
    const { status, out } = await partnerCommand(folder, 'show', 'CORP.fabrikam.com')
    expect(status).toBe(0)
    expect(out.split('\n').map(line => line.split(/ {2,}/))).toEqual([
      ['partner', 'fabrikam.com'],
      ['description', 'Supplier'],
      ['additional domains', 'corp.fabrikam.com'],
      ['type', 'federated'],
      ['TLS', 'optional'],
      ['SASL', 'required (preset of the type)'],
      ['dialback', 'false (preset of the type)'],
      ['methods, strongest first', 'sasl-external-tls'],
      ['note', noteText(matrixRows.find(row => row.tls === 'optional' && row.sasl === 'required')!)],
      ['keep-alive', 'false'],
      ['connection limit', '10'],
      ['proxy', '[::1]:5270'],
      ['trust anchors', 'ca.pem'],
      ['pinned certificate', `sha256:${'AB:'.repeat(31)}AB`],
      ['component secret', 'of its own'],
      [''],
    ])
    expect(JSON.parse((await partnerCommand(folder, 'show', 'fabrikam.com', '--json')).out)).toEqual({
      primaryDomain: 'fabrikam.com',
      description: 'Supplier',
      additionalDomains: ['corp.fabrikam.com'],
      partnerType: 'federated',
      tlsNegotiation: 'optional',
      saslNegotiation: 'required',
      dialbackNegotiation: false,
      fromType: ['saslNegotiation', 'dialbackNegotiation'],
      methods: ['sasl-external-tls'],
      notes: [expect.stringContaining('SASL requires TLS')],
      keepAlive: false,
      connectionLimit: 10,
      proxy: '[::1]:5270',
      trustAnchors: ['ca.pem'],
      pinnedCertificates: [`sha256:${'AB:'.repeat(31)}AB`],
      componentSecret: true,
    })
  })

  test('does not know who is not in the list', async () => {
    expect(await partnerCommand(partnerFolder(), 'show', 'sub.fabrikam.com')).toEqual({
      status: 1,
      out: '',
      err: 'gatehouse: sub.fabrikam.com: is not in the partner list\n',
    })
  })
})
