import { describe, expect, test } from 'vitest'
import { leastConfig } from '../support/config-folder.ts'
import {
  exported,
  importOf,
  partnerCommand,
  partnerFolder,
  partnersIn,
  saslRequiresTls,
  twoPartners,
} from '../support/partner-command.ts'

const litware = `  - primaryDomain: litware.com
    partnerType: federated
    tlsNegotiation: required
    saslNegotiation: required
    dialbackNegotiation: false
    keepAlive: true
`

describe('partner import', () => {
  test('takes over every setting', async () => {
    const folder = partnerFolder()
    const { status, out, err } = await importOf(folder, [
      exported('litware.com'),
      exported('Gmail.com', {
        AdditionalDomains: ['googlemail.com', 'Übung.example'],
        PartnerType: 'PublicUnverified',
        TlsNegotiation: 'NotSupported',
        SaslNegotiation: 'NotSupported',
        SupportDialbackNegotiation: true,
        ProxyFqdn: 'talk.gmail.com',
        EnableKeepAlive: false,
        ConnectionLimit: 20,
        Description: 'Public: #1',
      }),
    ])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(
      out,
    ).toBe(`litware.com: added: federated, TLS required, SASL required, dialback false: sasl-external-tls
gmail.com: added: publicUnverified, TLS notSupported, SASL notSupported, dialback true: dialback-tcp
2 added, 0 there already, 0 errors
the gateway is not running
`)
    expect(partnersIn(folder)).toBe(`${twoPartners}${litware}  - primaryDomain: gmail.com
    description: "Public: #1"
    additionalDomains: [googlemail.com, xn--bung-zra.example]
    partnerType: publicUnverified
    tlsNegotiation: notSupported
    saslNegotiation: notSupported
    dialbackNegotiation: true
    keepAlive: false
    connectionLimit: 20
    proxy: talk.gmail.com
`)
  })

  test('says that the server inside has to be told, where there is one', async () => {
    const inside = 'internal: { connector: component, host: 127.0.0.1, port: 5347, secret: x }'
    const folder = partnerFolder(twoPartners, {
      'config/gatehouse.yaml': leastConfig.replace(/internal: .*/, inside),
    })
    const few = [exported('fabrikam.com'), exported('litware.com', { AdditionalDomains: ['a.litware.com'] })]
    const dry = await importOf(folder, few, '--dry-run')
    expect(dry.out).not.toContain('inside')
    const told = await importOf(folder, few)
    expect(told.out).toContain(
      '\ntell the server inside of litware.com, a.litware.com, too: docs/inside.md\n',
    )
    const many = Array.from({ length: 11 }, (_, at) => exported(`${at}.example`))
    expect((await importOf(folder, many)).out).toContain('inside of all 11 new domains, too')
    expect((await partnerCommand(folder, 'remove', 'litware.com')).out).not.toContain('inside')
  })

  const json = JSON.stringify(exported('litware.com'))
  test.each<[string, unknown]>([
    ['one object', exported('litware.com')],
    ['a list', [exported('litware.com')]],
    ['a list beside its count', { value: [exported('litware.com')], Count: 1 }],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${json}\r\n`)],
    ['UTF-16LE', Buffer.from(`\ufeff${json}\r\n`, 'utf16le')],
    ['UTF-16BE', Buffer.from(`\ufeff${json}\r\n`, 'utf16le').swap16()],
    ['Domain beside Identity', exported('litware.com', { Domain: 'litware.com' })],
    ['domains beside their count', exported('litware.com', { AdditionalDomains: { value: [], Count: 0 } })],
    ['no domains', exported('litware.com', { AdditionalDomains: null })],
    ['empty texts', exported('litware.com', { ProxyFqdn: '', Description: '', ConnectionLimit: null })],
    [
      'texts for all',
      exported('litware.com', {
        SupportDialbackNegotiation: 'False',
        EnableKeepAlive: 'True',
        ConnectionLimit: '0',
      }),
    ],
    [
      'a remote session',
      {
        ...exported('litware.com', { TlsNegotiation: { value: 1, Value: 'Required' } }),
        PSComputerName: 'x',
        RunspaceId: 'y',
      },
    ],
  ])('reads %s', async (_name, value) => {
    const folder = partnerFolder('partners: []\n')
    const { status, err } = await importOf(folder, value)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(partnersIn(folder)).toBe(`partners:\n${litware}`)
  })

  test('reads domains one by one or beside their count', async () => {
    const folder = partnerFolder('partners: []\n')
    const list = [
      exported('a.b', { AdditionalDomains: 'c.d' }),
      exported('e.f', { AdditionalDomains: { value: ['g.h', 'i.j'], Count: 2 } }),
    ]
    await importOf(folder, list)
    expect(folder.load().partners.all.map(({ domains }) => domains)).toEqual([
      ['a.b', 'c.d'],
      ['e.f', 'g.h', 'i.j'],
    ])
  })

  test('leaves out what it must refuse, where that is asked for', async () => {
    const folder = partnerFolder()
    const list = [
      exported('a.b', { PartnerType: 1 }),
      exported('litware.com'),
      exported('c.d', { TlsNegotiation: 'NotSupported' }),
    ]
    const { status, out, err } = await importOf(folder, list, '--skip-invalid')
    expect(status).toBe(0)
    expect(out).toMatch(/^litware\.com: added: .*\n1 added, 0 there already, 3 errors\n/)
    expect(err).toContain('a.b: PartnerType is the number 1')
    expect(err).toContain(`c.d: ${saslRequiresTls}`)
    expect(partnersIn(folder)).toBe(twoPartners + litware)
  })

  test('reports who is in the list already, fields without a counterpart, presets and warnings', async () => {
    const folder = partnerFolder()
    const list = [
      exported('FABRIKAM.com', { PartnerType: 'PublicVerified' }),
      exported('a.b', {
        Anchor: 'x',
        Colour: 'red',
        Empty: null,
        TlsNegotiation: 'Optional',
        SaslNegotiation: undefined,
      }),
    ]
    const { status, out, err } = await importOf(folder, list)
    expect(status).toBe(0)
    expect(out).toBe(`a.b: SaslNegotiation is missing, the preset of the partner type holds
a.b: not carried over: Anchor, Colour
fabrikam.com: is in the list already, and stays as it is
a.b: added: federated, TLS optional, SASL required, dialback false: sasl-external-tls
1 added, 1 there already, 0 errors
the gateway is not running
`)
    expect(err).toMatch(
      /^a\.b: warning: TLS optional, SASL required, dialback false: SASL requires TLS: with/,
    )
    expect(partnersIn(folder)).toMatch(
      /^ {2}- primaryDomain: fabrikam\.com {3}# the supplier\n(.*\n)+ {2}- primaryDomain: a\.b\n/m,
    )
  })

  test('tells what it would do, and does not', async () => {
    const folder = partnerFolder()
    const { status, out } = await importOf(
      folder,
      [exported('litware.com'), exported('fabrikam.com')],
      '--dry-run',
    )
    expect({ status, out }).toEqual({
      status: 0,
      out: `fabrikam.com: is in the list already, and stays as it is
litware.com: would be added: federated, TLS required, SASL required, dialback false: sasl-external-tls
1 to add, 1 there already, 0 errors
`,
    })
    expect(partnersIn(folder)).toBe(twoPartners)
  })

  test('tells machines the same', async () => {
    const folder = partnerFolder()
    const list = [
      exported('litware.com', { Colour: 'red' }),
      exported('fabrikam.com'),
      exported('a.b', { PartnerType: 'x' }),
    ]
    const refused = await importOf(folder, list, '--json')
    expect(refused.status).toBe(1)
    const refusals = [{ partner: 'a.b', message: expect.stringContaining('PartnerType is "x"') }]
    const common = { file: folder.at('config/partners.yaml'), existing: ['fabrikam.com'], refusals }
    const notes = [{ partner: 'litware.com', notes: ['not carried over: Colour'] }]
    expect(JSON.parse(refused.out)).toEqual({ ...common, written: false, added: [], notes, reload: null })
    const { status, out } = await importOf(folder, list, '--json', '--skip-invalid')
    expect(status).toBe(0)
    expect(JSON.parse(out)).toEqual({
      ...common,
      written: true,
      added: [
        { partner: expect.objectContaining({ primaryDomain: 'litware.com', keepAlive: true }), warnings: [] },
      ],
      notes,
      reload: { outcome: 'not running', problems: [], warnings: [] },
    })
  })

  test('takes over thousands', async () => {
    const folder = partnerFolder()
    const list = Array.from({ length: 2000 }, (_, at) =>
      exported(`p${at}.example`, { AdditionalDomains: [`q${at}.example`] }),
    )
    expect((await importOf(folder, list)).status).toBe(0)
    expect(folder.load().partners.all).toHaveLength(2002)
    expect((await importOf(folder, list)).out).toMatch(/\n0 added, 2000 there already, 0 errors\n$/)
  })

  test('needs a file, and a list that loads', async () => {
    const folder = partnerFolder()
    expect((await partnerCommand(folder, 'import', '/nowhere.json')).err).toBe(
      'gatehouse: cannot read /nowhere.json: no such file\n',
    )
    const broken = partnerFolder('partners: 5\n')
    const { status, err } = await importOf(broken, exported('a.b'))
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringMatching(/partners\.yaml:1:1: partners: expected a list/),
    })
  })
})
