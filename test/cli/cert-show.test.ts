import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createAuthority, createSelfSigned, daysFromNow, type Issued } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'
import { openssl, pkcs7Of } from '../support/openssl.ts'

const later = { notAfter: daysFromNow(90.5), eku: ['serverAuth', 'clientAuth'] } as const
const root = createAuthority({ notAfter: later.notAfter })
const below = root.intermediate({ notAfter: later.notAfter })

/** A configuration for contoso.com, and a file `certs/other.pem` beside it. */
function folderWith(other: string, own: Issued = root.issueFor('contoso.com', later)): ConfigFolder {
  return configFolder({
    'config/gatehouse.yaml': `domains:
  contoso.com: { certificate: ../certs/contoso.com.crt, key: ../certs/contoso.com.key }
trust: { system: false, anchors: [../certs/ca.pem] }
internal: { connector: component, secret: { env: NOT_SET_HERE } }
`,
    'certs/contoso.com.crt': own.chainPem,
    'certs/contoso.com.key': own.keyPem,
    'certs/ca.pem': root.certificatePem,
    'certs/other.pem': other,
  })
}

const show = (folder: ConfigFolder, ...args: readonly string[]) =>
  runCommand(['cert', 'show', '-c', folder.file, ...args])

describe('cert show', () => {
  test('tells what the certificate of a local domain says, as OpenSSL reads it', async () => {
    const folder = folderWith('-')
    const { status, out, err } = await show(folder, 'contoso.com')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const file = folder.at('certs/contoso.com.crt')
    const told = openssl('x509', '-in', file, '-noout', '-fingerprint', '-sha256', '-serial')
    const [, fingerprint] = /Fingerprint=(.*)/.exec(told) ?? []
    const [, serial = ''] = /serial=(.*)/.exec(told) ?? []
    const until = later.notAfter.toISOString().slice(0, 10)
    expect(out.split('\n')).toEqual([
      `contoso.com: ${file}`,
      '',
      'certificate  1 of 1',
      'subject      CN=contoso.com',
      'issuer       CN=Test Root',
      `serial       ${serial.toLowerCase()}`,
      'dNSName      contoso.com',
      'SRVName      _xmpp-server.contoso.com',
      'XmppAddr     contoso.com',
      `valid        ${daysFromNow(-1).toISOString().slice(0, 10)} to ${until}, 90 days left`,
      'key          EC P-256',
      'signature    ecdsa-with-SHA256',
      'purposes     serverAuth, clientAuth',
      `fingerprint  sha256:${fingerprint}`,
      '',
      'lacks  nothing',
      '',
    ])
  })

  test('prints a fingerprint that pinnedCertificates takes', async () => {
    const folder = folderWith('-')
    const { out } = await show(folder, '--json')
    const [shown] = JSON.parse(out).files
    const { fingerprint } = shown.certificates[0]
    const pinning = configFolder({
      'config/partners.yaml': JSON.stringify({
        partners: [
          { primaryDomain: 'a.example', partnerType: 'federated', pinnedCertificates: [fingerprint] },
        ],
      }),
    })
    expect(pinning.load().partners.all[0]?.pinnedCertificates).toEqual([
      fingerprint.slice('sha256:'.length).replaceAll(':', '').toLowerCase(),
    ])
  })

  test('tells of each certificate of a file in its order, and of a wrong order', async () => {
    const leaf = below.issueFor('contoso.com', later)
    const folder = folderWith(leaf.certificatePem + root.certificatePem + below.certificatePem)
    const { out } = await show(folder, folder.at('certs/other.pem'))
    expect(out.match(/^subject .*$/gm)).toEqual([
      'subject      CN=contoso.com',
      'subject      CN=Test Root',
      'subject      CN=Intermediate below Test Root',
    ])
    expect(out).toMatch(/certificate {2}2 of 3, of an authority/)
    expect(out.match(/^lacks .*$/gm)).toEqual([
      expect.stringMatching(/warning: certificate 2 in the file .* is not the issuer of the one before it/),
    ])
  })

  test.each<[string, () => string, RegExp[]]>([
    [
      'an intermediate',
      () => below.issueFor('contoso.com', later).certificatePem,
      [/which is not a trust anchor/],
    ],
    [
      'a local name',
      () => root.issueFor('fabrikam.com', later).chainPem,
      [/bears the name of no local domain \(contoso.com\)/],
    ],
    [
      'clientAuth and days',
      () => root.issueFor('contoso.com', { notAfter: daysFromNow(13) }).chainPem,
      [/warning: certificate "CN=contoso.com" expires on/, /warning: .*no clientAuth/],
    ],
    [
      'everything',
      () =>
        createSelfSigned({
          names: { dns: ['a.example'] },
          notBefore: daysFromNow(-9),
          notAfter: daysFromNow(-2),
        }).chainPem,
      [/no local domain/, /expired on/, /self-signed/, /no clientAuth/],
    ],
  ])('tells of a file that it lacks %s', async (_name, make, expected) => {
    const folder = folderWith(make())
    const { status, out } = await show(folder, folder.at('certs/other.pem'))
    const lacks = out.match(/^lacks .*$/gm) ?? []
    expect(status).toBe(0)
    expect(lacks).toHaveLength(expected.length)
    for (const [at, line] of lacks.entries()) expect(line).toMatch(expected[at]!)
  })

  test.each([
    ['rsa2048', 'RSA 2048', 'ecdsa-with-SHA256'],
    ['p384', 'EC P-384', 'ecdsa-with-SHA256'],
    ['ed25519', 'ed25519', 'ecdsa-with-SHA256'],
  ] as const)('names a key of kind %s', async (key, expected, signature) => {
    const folder = folderWith(root.issueFor('contoso.com', { ...later, key }).chainPem)
    const { out } = await show(folder, folder.at('certs/other.pem'), '--json')
    expect(JSON.parse(out).files[0].certificates[0]).toMatchObject({ key: expected, signature })
  })

  test('shows a file without any configuration', async () => {
    const folder = folderWith(createSelfSigned({ names: { dns: ['a.example'] }, ...later }).chainPem)
    const argv = ['cert', 'show', '-c', '/nowhere/gatehouse.yaml']
    const { status, out, err } = await runCommand([...argv, folder.at('certs/other.pem')])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/dNSName +a.example/)
    for (const args of [[], ['contoso.com']])
      expect(await runCommand([...argv, ...args])).toMatchObject({
        status: 1,
        out: '',
        err: expect.stringContaining('no such file'),
      })
  })

  test('shows DER, and says what makes PEM of it', async () => {
    const folder = folderWith('-')
    const file = folder.at('certs/other.pem')
    writeFileSync(file, root.issueFor('contoso.com', later).certificate)
    const { status, out, err } = await show(folder, file)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/subject +CN=contoso.com\n/)
    expect(out.match(/^lacks .*$/gm)).toEqual([
      expect.stringMatching(
        /warning: the configuration takes PEM; .* in DER, .*: openssl x509 -inform DER -in/,
      ),
    ])
  })

  test('shows PKCS #7 from the leaf upwards, whatever its order', async () => {
    const folder = folderWith('-')
    const leaf = below.issueFor('contoso.com', later)
    for (const order of [
      [leaf, below, root],
      [root, leaf, below],
    ]) {
      writeFileSync(folder.at('certs/other.pem'), pkcs7Of(order.map(one => one.certificatePem).join('')))
      const { status, out } = await show(folder, folder.at('certs/other.pem'))
      expect(status).toBe(0)
      expect(out.match(/^subject .*$/gm)).toEqual([
        'subject      CN=contoso.com',
        'subject      CN=Intermediate below Test Root',
        'subject      CN=Test Root',
      ])
      expect(out.match(/^lacks .*$/gm)).toEqual([
        expect.stringMatching(
          /PKCS #7 chain of certificates in DER, .*: openssl pkcs7 -print_certs -inform DER/,
        ),
      ])
    }
  })

  test('shows what a request asks for', async () => {
    const folder = folderWith('-')
    const argv = ['cert', 'request', '-c', folder.file, '--yes', '--out', folder.at('out'), '--city', 'Köln']
    await runCommand(argv)
    const file = folder.at('out/contoso.com.csr')
    const { status, out, err } = await show(folder, file)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out.split('\n')).toEqual([
      file,
      '',
      'request   for a certificate',
      'subject   L=Köln, CN=contoso.com',
      'dNSName   contoso.com',
      'SRVName   _xmpp-server.contoso.com',
      'XmppAddr  contoso.com',
      'key       EC P-256',
      'purposes  serverAuth, clientAuth',
      '',
    ])
    const [shown] = JSON.parse((await show(folder, file, '--json')).out).files
    expect(shown).toMatchObject({ certificates: [], request: { key: 'EC P-256' }, findings: [] })
  })

  test.each<[string, () => string, RegExp]>([
    [
      'the number of a damaged certificate',
      () => root.certificatePem + root.certificatePem.replace(/[A-Za-z0-9+/]{40}/, ''),
      /other\.pem: certificate 2: malformed certificate: no X\.509\n$/,
    ],
    [
      'a key that is there instead',
      () => root.keyPem,
      /other\.pem holds no PEM certificate .*; it is a private key\n$/,
    ],
  ])('tells the file and %s', async (_name, make, expected) => {
    const folder = folderWith(make())
    const { status, out, err } = await show(folder, folder.at('certs/other.pem'))
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(expected)
  })

  test('lets nothing that a stranger has put into a certificate steer the terminal', async () => {
    const names = { dns: ['a\u001b[2Jb.example'], xmpp: ['c\u202ed.example'] }
    const folder = folderWith(root.issue({ names, commonName: 'x\u001b]0;y', ...later }).chainPem)
    const { out } = await show(folder, folder.at('certs/other.pem'))
    expect(out).toMatch(/dNSName +a\ufffd\[2Jb.example\nXmppAddr +c\ufffdd.example/)
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  })

  test('fails where there is nothing to show', async () => {
    const folder = folderWith('nothing here')
    for (const what of ['fabrikam.com', folder.at('certs/other.pem'), folder.at('certs')]) {
      const { status, out, err } = await show(folder, what)
      expect({ status, out }).toEqual({ status: 1, out: '' })
      expect(err).toMatch(/^gatehouse: .*(no such file|holds no PEM certificate|not a regular file)/)
    }
  })
})
