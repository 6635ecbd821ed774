import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exportCommand } from '../../src/config/lync-export.ts'
import { runCommand } from '../support/command-host.ts'
import {
  exported,
  importOf,
  partnerFolder,
  partnersIn,
  saslRequiresTls,
  twoPartners,
} from '../support/partner-command.ts'

describe('partner import', () => {
  test('refuses numbers for names, and tells how to export', async () => {
    const folder = partnerFolder()
    const { status, err } = await importOf(
      folder,
      exported('litware.com', { PartnerType: 0, TlsNegotiation: 2, SaslNegotiation: 1 }),
    )
    expect(status).toBe(1)
    expect(err).toMatch(/^gatehouse: litware\.com: PartnerType is the number 0, where a name is needed\n/)
    expect(err).toMatch(/litware\.com: TlsNegotiation is the number 2.*\n.*SaslNegotiation is the number 1/)
    expect(err).toMatch(
      /\nGet-CsXmppAllowedPartner \| Select-Object .*PartnerType.* \| ConvertTo-Json -Depth 4 \|/,
    )
    expect(partnersIn(folder)).toBe(twoPartners)
  })

  test.each<[string, unknown, RegExp]>([
    [
      'a bad combination',
      exported('a.b', { SaslNegotiation: 'NotSupported' }),
      /a\.b: tlsNegotiation: TLS required, SASL notSupported, dialback false is not valid: SASL or dialback must be enabled/,
    ],
    [
      'SASL without TLS',
      exported('a.b', { TlsNegotiation: 'NotSupported', SupportDialbackNegotiation: true }),
      new RegExp(`a\\.b: ${saslRequiresTls}\n`),
    ],
    ['no type', exported('a.b', { PartnerType: undefined }), /a\.b: PartnerType is missing/],
    [
      'a strange type',
      exported('a.b', { PartnerType: 'Friend' }),
      /a\.b: PartnerType is "Friend", and none of federated, publicVerified/,
    ],
    [
      'no domain',
      { PartnerType: 'Federated' },
      /entry 2: Domain, or Identity, is missing, and no domain name/,
    ],
    ['a domain that is none', exported('a b'), /entry 2: Domain, or Identity, is "a b", and no domain name/],
    [
      'another domain that is none',
      exported('a.b', { AdditionalDomains: ['x y'] }),
      /a\.b: additionalDomains\[0\]: expected a domain name/,
    ],
    [
      'domains that are no texts',
      exported('a.b', { AdditionalDomains: [5] }),
      /a\.b: AdditionalDomains holds 5/,
    ],
    [
      'a local domain',
      exported('CONTOSO.com'),
      /contoso\.com: primaryDomain: contoso\.com is a local domain/,
    ],
    [
      'a domain of another partner',
      exported('corp.fabrikam.com'),
      /is in the list already, as an additional domain of fabrikam\.com/,
    ],
    [
      'a domain twice',
      [exported('a.b'), exported('A.B', { EnableKeepAlive: false })],
      /^gatehouse: entry 3: a\.b stands in the export already, as entry 2, and differs from that\n/,
    ],
    [
      'an additional domain twice',
      [exported('a.b', { AdditionalDomains: ['x.y'] }), exported('c.d', { AdditionalDomains: ['X.Y'] })],
      /^gatehouse: c\.d: additionalDomains: x\.y is in the list already, as an additional domain of a\.b\n/,
    ],
    [
      'a limit that is none',
      exported('a.b', { ConnectionLimit: -1 }),
      /a\.b: ConnectionLimit is -1, and no whole number/,
    ],
    [
      'a limit beyond ours',
      exported('a.b', { ConnectionLimit: 4294967295 }),
      /a\.b: connectionLimit: expected a whole number from 1 to 100000/,
    ],
    ['a proxy that is none', exported('a.b', { ProxyFqdn: 'x y' }), /a\.b: proxy: expected HOST:PORT/],
    [
      'a description that is none',
      exported('a.b', { Description: {} }),
      /a\.b: Description is \{\}, and no text/,
    ],
    [
      'a flag that is none',
      exported('a.b', { EnableKeepAlive: 5 }),
      /a\.b: EnableKeepAlive is 5, and not true or false/,
    ],
    ['something else', 'text', /entry 2: is not an object/],
    ['no JSON', Buffer.from('Identity : a.b\n'), /export\.json: is not JSON: /],
    ['no text', Buffer.from([0xff, 0xfe, 0x00, 0xd8]), /export\.json: is not valid utf-16le/],
  ])('refuses %s, and all that stands beside it', async (_name, value, expected) => {
    const folder = partnerFolder()
    const list = Buffer.isBuffer(value) ? value : [exported('litware.com'), value].flat()
    const { status, err } = await importOf(folder, list)
    expect(status).toBe(1)
    expect(err).toMatch(expected)
    expect(partnersIn(folder)).toBe(twoPartners)
  })

  test('skips a partner that is another domain of one in the list, like all that is wrong', async () => {
    const folder = partnerFolder()
    const list = [exported('corp.fabrikam.com'), exported('a b'), exported('litware.com')]
    const refused = await importOf(folder, list)
    expect([refused.status, refused.err]).toEqual([
      1,
      expect.stringMatching(/; --skip-invalid takes over what is right\n$/),
    ])
    const { status, out, err } = await importOf(folder, list, '--skip-invalid')
    expect([status, err]).toEqual([
      0,
      expect.stringMatching(/corp\.fabrikam\.com: is in the list already, as an additional/),
    ])
    expect(out).toMatch(/1 added, 0 there already, 2 errors/)
    expect(partnersIn(folder)).toMatch(/primaryDomain: litware\.com/)
  })

  test('skips the later one of two that differ, and takes over once what stands there twice', async () => {
    const folder = partnerFolder()
    const twins = [exported('a.b'), exported('A.B'), exported('c.d'), exported('c.d', { ConnectionLimit: 7 })]
    const { status, out, err } = await importOf(folder, twins, '--skip-invalid')
    expect([status, err]).toEqual([
      0,
      'gatehouse: entry 4: c.d stands in the export already, as entry 3, and differs from that\n',
    ])
    expect(out).toMatch(/^a\.b: stands in the export again, as entry 2, and is taken over once\n/)
    expect(out).toMatch(/\n2 added, 0 there already, 1 error\n/)
    expect(partnersIn(folder).match(/primaryDomain: [ac]\.[bd]\n/g)).toHaveLength(2)
    expect(partnersIn(folder)).not.toContain('connectionLimit')
    const again = await importOf(folder, twins)
    expect([again.status, again.out]).toEqual([
      0,
      expect.stringMatching(/\n0 added, 2 there already, 0 errors\n$/),
    ])
  })

  test.each([
    [['{'], /^gatehouse: standard input: is not JSON: /],
    [
      Array.from({ length: 5 }, () => 'x'.repeat(1_000_000)),
      /^gatehouse: standard input is larger than 4194304 bytes\n/,
    ],
  ])('refuses what it reads from standard input as it does a file', async (chunks, expected) => {
    const folder = partnerFolder()
    const input = async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk)
    }
    const argv = ['partner', 'import', '-', '--config', folder.file]
    const { status, err } = await runCommand(argv, {}, undefined, { input })
    expect([status, err]).toEqual([1, expect.stringMatching(expected)])
  })

  test('hints at no option that was given', async () => {
    const entry = '{ primaryDomain: a.b, partnerType: federated, componentSecret: { file: /nowhere } }'
    const folder = partnerFolder(`partners:\n  - ${entry}\n`)
    const { status, err } = await importOf(folder, [exported('litware.com')], '--skip-invalid')
    expect([status, err]).toEqual([1, expect.stringMatching(/\ngatehouse: nothing is written\n$/)])
  })

  test('names the export that docs/from-lync.md names', () => {
    const docs = readFileSync(new URL('../../docs/from-lync.md', import.meta.url), 'utf8')
    expect(docs).toContain(`   ${exportCommand}\n`)
  })
})
