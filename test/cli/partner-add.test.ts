import { describe, expect, test } from 'vitest'
import { matrixRows, noteText } from '../../src/policy/matrix.ts'
import { createAuthority } from '../support/certificates.ts'
import {
  partnerCommand,
  partnerFolder,
  partnersIn,
  saslRequiresTls,
  twoPartners,
} from '../support/partner-command.ts'

describe('partner add', () => {
  test('writes every setting, domains as A-labels and files from the folder of the list', async () => {
    const folder = partnerFolder(twoPartners, { 'certs/ca.pem': createAuthority().certificatePem })
    const pins = [`sha256:${'ab'.repeat(32)}`, `sha256:${'CD:'.repeat(31)}CD`]
    const { status, out, err } = await partnerCommand(
      folder,
      'add',
      'Litware.COM',
      '--type',
      'publicVerified',
      '--tls',
      'required',
      '--sasl',
      'notSupported',
      '--dialback',
      'true',
      '--additional',
      'a.litware.com,b.litware.com',
      '--additional',
      'ünter.litware.com',
      '--description',
      'Sea, sun: fun',
      '--keep-alive',
      '--connection-limit',
      '7',
      '--proxy',
      'edge.litware.com:5270',
      '--trust-anchor',
      folder.at('certs/ca.pem'),
      '--pin',
      pins.join(','),
      '--component-secret',
      'env:LITWARE',
    )
    expect({ status, err }).toEqual({
      status: 0,
      err: expect.stringMatching(/^litware\.com: warning: componentSecret: .* unless LITWARE is set .*\n$/),
    })
    expect(out).toBe(`litware.com: added in ${folder.at('config/partners.yaml')}
publicVerified, TLS required, SASL notSupported, dialback true: dialback-tls
the gateway is not running
`)
    expect(partnersIn(folder)).toBe(`${twoPartners}  - primaryDomain: litware.com
    description: "Sea, sun: fun"
    additionalDomains: [a.litware.com, b.litware.com, xn--nter-zra.litware.com]
    partnerType: publicVerified
    tlsNegotiation: required
    saslNegotiation: notSupported
    dialbackNegotiation: true
    keepAlive: true
    connectionLimit: 7
    proxy: edge.litware.com:5270
    trustAnchors: [${folder.at('certs/ca.pem')}]
    pinnedCertificates: [${pins.join(', ')}]
    componentSecret: { env: LITWARE }
`)
    expect(folder.problems({ LITWARE: 'secret' }).filter(problem => problem.includes(' error '))).toEqual([])
  })

  test('takes a file from the working directory', async () => {
    const folder = partnerFolder()
    const { err } = await partnerCommand(
      folder,
      'add',
      'a.example',
      '--type',
      'federated',
      '--trust-anchor',
      'package.json',
    )
    expect(err).toMatch(
      /^gatehouse: a\.example: trustAnchors\[0\]: \S+\/package\.json holds no PEM certificate/,
    )
  })

  test.each(matrixRows)('holds to the matrix: $tls $sasl $dialback', async row => {
    const folder = partnerFolder()
    const { status, err } = await partnerCommand(
      folder,
      'add',
      'a.example',
      '--type',
      'publicVerified',
      '--tls',
      row.tls,
      '--sasl',
      row.sasl,
      '--dialback',
      String(row.dialback),
    )
    const isRefused = !row.valid || (row.tls === 'notSupported' && row.sasl !== 'notSupported')
    expect(status).toBe(isRefused ? 1 : 0)
    if (row.tls === 'notSupported' && row.sasl !== 'notSupported')
      expect(err).toContain(`a.example: ${saslRequiresTls}\n`)
    else if (row.severity === 'none') expect(err).toBe('')
    if (!row.valid) expect(err).toContain(noteText(row))
    if (!isRefused && row.severity === 'warning') expect(err).toMatch(/^a\.example: warning: TLS /)
    expect(partnersIn(folder) === twoPartners).toBe(isRefused)
  })

  test('warns of full trust over clear text', async () => {
    const { status, err } = await partnerCommand(
      partnerFolder(),
      'add',
      'a.example',
      '--type',
      'federated',
      '--tls',
      'notSupported',
      '--sasl',
      'notSupported',
      '--dialback',
      'true',
    )
    expect({ status, err }).toEqual({
      status: 0,
      err: expect.stringMatching(/warning: .*Full trust over clear text/),
    })
  })

  test.each<[string, RegExp]>([
    ['FABRIKAM.com', /fabrikam\.com: is in the list already\n/],
    [
      'corp.fabrikam.com',
      /corp\.fabrikam\.com: is in the list already, as an additional domain of fabrikam\.com\n/,
    ],
    ['münchen.example', /xn--mnchen-3ya\.example: is in the list already\n/],
    ['contoso.com', /contoso\.com: primaryDomain: contoso\.com is a local domain/],
    [
      'a.b --additional fabrikam.com',
      /a\.b: additionalDomains: fabrikam\.com is in the list already, as a partner of its own\n/,
    ],
    ['a.b --additional Contoso.com', /a\.b: additionalDomains\[0\]: contoso\.com is a local domain/],
    ['a.b --additional x..y', /a\.b: additionalDomains\[0\]: expected a domain name/],
    ['a.b --proxy ::1', /a\.b: proxy: expected HOST:PORT/],
    ['a.b --pin sha256:AB', /a\.b: pinnedCertificates\[0\]: expected "sha256:"/],
    ['a.b --connection-limit 0', /a\.b: connectionLimit: expected a whole number from 1/],
    ['a.b --tls notSupported', /a\.b: SASL requires TLS; set TLS/],
  ])('refuses %s, and writes nothing', async (argv, expected) => {
    const folder = partnerFolder()
    const { status, out, err } = await partnerCommand(
      folder,
      'add',
      ...argv.split(' '),
      '--type',
      'federated',
    )
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(expected)
    expect(partnersIn(folder)).toBe(twoPartners)
  })

  test.each<[string, RegExp]>([
    ['add a.b', /--type <type>' not specified/],
    ['add --type federated', /missing required argument 'domain'/],
    ['add a..b --type federated', /Expected a domain such as contoso\.com/],
    ['add a.b --type friend', /Allowed choices are federated, publicVerified, publicUnverified/],
    ['add a.b --type federated --dialback yes', /Allowed choices are true, false/],
    ['add a.b --type federated --connection-limit many', /Expected a number/],
    ['add a.b --type federated --component-secret hush', /env:NAME or file:PATH is needed/],
    ['set fabrikam.com', /nothing to change is given/],
    ['set fabrikam.com --clear type', /Allowed are description, additional, tls/],
    ['set fabrikam.com --clear tls --tls required', /--tls and --clear tls exclude each other/],
    ['set fabrikam.com --clear keep-alive --keep-alive', /exclude each other/],
    ['import', /missing required argument 'file'/],
  ])('or another command that is used wrongly is exit status 2: %s', async (argv, expected) => {
    const folder = partnerFolder()
    const { status, out, err } = await partnerCommand(folder, ...argv.split(' '))
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toMatch(expected)
    expect(partnersIn(folder)).toBe(twoPartners)
  })

  test('needs a component secret where there is no general one', async () => {
    const folder = partnerFolder('partners: []\n', {
      'config/gatehouse.yaml':
        'domains: { contoso.com: { selfSigned: true } }\ninternal: { connector: component }\n',
    })
    const { err } = await partnerCommand(folder, 'add', 'a.b', '--type', 'federated')
    expect(err).toMatch(/^gatehouse: a\.b: componentSecret is required/)
    const { status } = await partnerCommand(
      folder,
      'add',
      'a.b',
      '--type',
      'federated',
      '--component-secret',
      'env:A_B',
    )
    expect(status).toBe(0)
  })
})
