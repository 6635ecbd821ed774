import { createPrivateKey, createPublicKey } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createAuthority, daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'
import { openssl } from '../support/openssl.ts'

/** A configuration as it is before the first certificate is there: its files are missing. */
const beforehand = `domains:
  contoso.com: { certificate: ../certs/contoso.com.crt, key: ../certs/contoso.com.key }
  bücher.example: { certificate: ../certs/b.crt, key: ../certs/b.key }
internal: { connector: component, secret: { env: NOT_SET_HERE } }
`

const folderOf = (text = beforehand): ConfigFolder => configFolder({ 'config/gatehouse.yaml': text })
const request = (folder: ConfigFolder, ...args: readonly string[]) =>
  runCommand(['cert', 'request', '--config', folder.file, '--out', folder.at('out'), ...args])
const namesIn = (csr: string): string[] =>
  (/Subject Alternative Name: \n *(.*)\n/.exec(openssl('req', '-in', csr, '-noout', '-text'))?.[1] ?? '')
    .split(', ')
    .map(name => name.replace(/^othername: ?(\w+)::?/, '$1:'))

describe('cert request', () => {
  test('makes a key and a request for the first local domain, with the names of all', async () => {
    const folder = folderOf()
    const { status, out, err } = await request(folder, '--yes')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const [key, csr] = [folder.at('out/contoso.com.key'), folder.at('out/contoso.com.csr')]
    expect(out).toContain(`\n${key}\n${csr}\n`)
    expect(openssl('req', '-in', csr, '-verify', '-noout')).toMatch(/verify OK/)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(namesIn(csr)).toEqual([
      'DNS:contoso.com',
      'DNS:xn--bcher-kva.example',
      'SRVName:_xmpp-server.contoso.com',
      'SRVName:_xmpp-server.xn--bcher-kva.example',
      'XmppAddr:contoso.com',
      'XmppAddr:bücher.example',
    ])
  })

  test('makes the key of the request', async () => {
    const folder = folderOf()
    await request(folder, '--yes', 'bücher.example')
    const key = createPrivateKey(readFileSync(folder.at('out/xn--bcher-kva.example.key')))
    const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' })
    const csr = folder.at('out/xn--bcher-kva.example.csr')
    expect(openssl('req', '-in', csr, '-noout', '-pubkey')).toBe(pem)
    expect(openssl('req', '-in', csr, '-noout', '-subject', '-nameopt', 'RFC2253').trim()).toBe(
      'subject=CN=xn--bcher-kva.example',
    )
  })

  test.each([
    [[], 'NIST CURVE: P-256'],
    [['--key-length', '384'], 'NIST CURVE: P-384'],
    [['--key-type', 'rsa'], '(2048 bit)'],
    [['--key-type', 'rsa', '--key-length', '3072'], '(3072 bit)'],
  ])('makes the key that is asked for: %j', async (args, expected) => {
    const folder = folderOf()
    expect((await request(folder, '--yes', ...args)).status).toBe(0)
    expect(openssl('req', '-in', folder.at('out/contoso.com.csr'), '-noout', '-text')).toContain(expected)
  })

  test('takes more names, and leaves XmppAddr out', async () => {
    const folder = folderOf()
    const more = ['--san', 'XMPP.contoso.com', '--san', '*.contoso.com', '--sip-domain', '--no-xmpp-addr']
    const { out } = await request(folder, '--yes', ...more)
    expect(namesIn(folder.at('out/contoso.com.csr'))).toEqual([
      'DNS:contoso.com',
      'DNS:xn--bcher-kva.example',
      'DNS:sip.contoso.com',
      'DNS:sip.xn--bcher-kva.example',
      'DNS:xmpp.contoso.com',
      'DNS:*.contoso.com',
      'SRVName:_xmpp-server.contoso.com',
      'SRVName:_xmpp-server.xn--bcher-kva.example',
    ])
    expect(out).not.toContain('XmppAddr')
  })

  test('tells what will be in it, and what to know of it, before anything is written', async () => {
    const folder = folderOf()
    const subject = ['--organization', 'Contoso AG', '--unit', 'IT', '--country', 'de', '--state', 'Bayern']
    const all = [...subject, '--city', 'München', '--friendly-name', 'Edge']
    const argv = ['cert', 'request', '-c', folder.file, '--out', folder.at('out'), ...all]
    const asked: string[] = []
    const { status, out, err } = await runCommand(argv, {}, async question => {
      asked.push(question)
      return ''
    })
    expect({ status, err }).toEqual({ status: 1, err: 'gatehouse: nothing was made\n' })
    expect(asked).toEqual(['Make the key and the request? [y/N] '])
    expect(out).toMatch(
      /friendly name +Edge\nkey +EC P-256\ncommon name +contoso.com\norganization +Contoso AG\n/,
    )
    expect(out).toMatch(/unit +IT\ncity +München\nstate +Bayern\ncountry +DE\ndNSName +contoso.com\n/)
    expect(out).toMatch(/Public authorities certify dNSNames alone/)
    expect(out).toMatch(/ejabberd 23.01 drops the stream over an XmppAddr.*--no-xmpp-addr/)
    expect(existsSync(folder.at('out'))).toBe(false)
  })

  test.each(['y', 'Yes '])('goes on at the answer %j', async answer => {
    const folder = folderOf()
    const argv = ['cert', 'request', '-c', folder.file, '--out', folder.at('out')]
    expect((await runCommand(argv, {}, async () => answer)).status).toBe(0)
    expect(existsSync(folder.at('out/contoso.com.csr'))).toBe(true)
  })

  test('is wrong usage where there is nobody to ask, and no --yes', async () => {
    const folder = folderOf()
    const { status, err } = await request(folder)
    expect({ status, err }).toEqual({
      status: 2,
      err: 'error: there is no terminal to confirm this on; --yes confirms it\n',
    })
    expect(existsSync(folder.at('out'))).toBe(false)
  })

  test('tells all that is wrong with its options', async () => {
    const wrong = [
      '--key-length',
      '1024',
      '--country',
      'GER',
      '--san',
      'a_b',
      '--unit',
      'x\ny',
      '--city',
      'x'.repeat(129),
    ]
    const { status, err } = await request(folderOf(), '--yes', ...wrong)
    expect(status).toBe(2)
    expect(err.split('\n')).toEqual([
      'error: --key-length of ec is one of 256, 384, not 1024',
      'error: --country is two letters, such as DE',
      'error: --city is 1 to 128 characters, on one line',
      'error: --unit is 1 to 64 characters, on one line',
      'error: --san a_b is no host name, such as xmpp.contoso.com or *.contoso.com',
      '',
    ])
  })

  test.each([
    ['--san', '192.0.2.1', 'error: --san 192.0.2.1 is no host name, such as'],
    ['--san', '::1', 'error: --san ::1 is no host name, such as'],
    ['--san', '*.com', 'error: --san *.com is no host name, such as'],
    ['--san', '*.192.0.2.1', 'error: --san *.192.0.2.1 is no host name, such as'],
    ['--san', '10.1', 'error: --san 10.1 is no host name, such as'],
    ['--country', 'ß', 'error: --country is two letters'],
    ['--city', 'Köln', '192.0.2.1', 'error: 192.0.2.1 is no host name, such as contoso.com'],
    ['--city', 'Köln', 'a_b.example', 'error: a_b.example is no host name, such as contoso.com'],
  ])('asks for nothing that an authority would refuse: %s %s', async (...line) => {
    const folder = folderOf()
    const { status, err } = await request(folder, '--yes', ...line.slice(0, -1))
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining(line.at(-1)!) })
    expect(existsSync(folder.at('out'))).toBe(false)
  })

  test('leaves a local domain out that is no host name, and says so', async () => {
    const folder = folderOf(beforehand.replace('bücher.example', '192.0.2.1'))
    const { status, out } = await request(folder, '--yes')
    expect(status).toBe(0)
    expect(out).toContain('192.0.2.1 is left out: it is no host name')
    expect(namesIn(folder.at('out/contoso.com.csr'))).toEqual([
      'DNS:contoso.com',
      'SRVName:_xmpp-server.contoso.com',
      'XmppAddr:contoso.com',
    ])
  })

  test('overwrites nothing without --force', async () => {
    const folder = folderOf()
    await request(folder, '--yes')
    const [key, csr] = ['key', 'csr'].map(kind => folder.at(`out/contoso.com.${kind}`)) as [string, string]
    const before = readFileSync(key, 'utf8')
    const { status, out, err } = await request(folder, '--yes')
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toBe(`gatehouse: there already, and not overwritten without --force: ${key}, ${csr}\n`)
    expect(readFileSync(key, 'utf8')).toBe(before)
    const forced = await request(folder, '--yes', '--force')
    expect(forced.status).toBe(0)
    expect(forced.out).toContain('the old key lost')
    expect(readFileSync(key, 'utf8')).not.toBe(before)
  })

  test('makes nothing of the two where one cannot be written', async () => {
    const folder = folderOf()
    writeFileSync(folder.at('out'), '')
    const { status, err } = await request(folder, '--yes')
    expect(status).toBe(1)
    expect(err).toMatch(/^gatehouse: cannot write: (EEXIST|ENOTDIR)/)
  })

  test('keeps the old key where the request cannot be written, and the old request where the key cannot', async () => {
    const folder = folderOf()
    await request(folder, '--yes')
    const [key, csr] = ['key', 'csr'].map(kind => folder.at(`out/contoso.com.${kind}`)) as [string, string]
    const before = [key, csr].map(file => readFileSync(file, 'utf8'))
    for (const [broken, other, at] of [
      [csr, key, 0],
      [key, csr, 1],
    ] as const) {
      renameSync(broken, `${broken}.away`)
      mkdirSync(broken)
      const { status, err } = await request(folder, '--yes', '--force')
      expect([status, err]).toEqual([1, expect.stringMatching(/^gatehouse: cannot write: /)])
      expect(readFileSync(other, 'utf8')).toBe(before[at])
      rmdirSync(broken)
      renameSync(`${broken}.away`, broken)
    }
    expect(readdirSync(folder.at('out')).sort()).toEqual(['contoso.com.csr', 'contoso.com.key'])
  })

  test('warns of the key that the gateway uses, before it asks', async () => {
    const folder = folderOf(beforehand.replaceAll('../certs/', '../out/'))
    expect((await request(folder, '--yes')).err).toBe('')
    const { status, err } = await runCommand(
      ['cert', 'request', '--config', folder.file, '--out', folder.at('out'), '--force'],
      {},
      async () => 'n',
    )
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(
        /^warning: \S+contoso\.com\.key is the key that .* names for contoso\.com\. .*\ngatehouse: nothing/,
      ),
    ])
  })

  test('tells machines what it made, and nothing else on standard output', async () => {
    const folder = folderOf()
    const { status, out, err } = await request(folder, '--yes', '--json', '--no-xmpp-addr')
    expect(status).toBe(0)
    expect(err).toContain('Request for a certificate of contoso.com')
    expect(JSON.parse(out)).toMatchObject({
      key: folder.at('out/contoso.com.key'),
      request: folder.at('out/contoso.com.csr'),
      domain: 'contoso.com',
      keyType: 'ec',
      keyLength: 256,
      subject: { commonName: 'contoso.com' },
      names: { dns: ['contoso.com', 'xn--bcher-kva.example'], xmpp: [] },
    })
    expect(out).not.toContain('PRIVATE')
  })

  test('needs no configuration where a domain is named, and one where none is', async () => {
    const folder = folderOf()
    const argv = ['cert', 'request', '--yes', '-c', '/nowhere/gatehouse.yaml', '--out', folder.at('out')]
    expect(await runCommand(argv)).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('cannot read'),
    })
    const { status, out, err } = await runCommand([...argv, 'fabrikam.com'])
    expect(status).toBe(0)
    expect(err).toContain('warning: cannot read')
    expect(out).toContain('fabrikam.com is not a local domain')
    expect(namesIn(folder.at('out/fabrikam.com.csr'))[0]).toBe('DNS:fabrikam.com')
  })

  test('leaves a domain that is too long for a common name to the other names', async () => {
    const long = `${'a'.repeat(60)}.example.com`
    const folder = folderOf()
    await request(folder, '--yes', long)
    expect(
      openssl('req', '-in', folder.at(`out/${long}.csr`), '-noout', '-subject', '-nameopt', 'RFC2253').trim(),
    ).toBe('subject=')
  })

  test('leads to a certificate that cert check is content with', async () => {
    const authority = createAuthority({ notAfter: daysFromNow(90) })
    const folder = configFolder({
      'config/gatehouse.yaml':
        `${beforehand}trust: { system: false, anchors: [../certs/ca.pem] }\n`.replaceAll(
          /certs\/(contoso\.com|b)\.(key|crt)/g,
          'certs/contoso.com.$2',
        ),
      'certs/ca.pem': authority.certificatePem,
      'certs/ca.key': authority.keyPem,
    })
    const certs = (name: string) => folder.at(`certs/${name}`)
    await runCommand(['cert', 'request', '--yes', '-c', folder.file, '--out', folder.at('certs')])
    expect((await runCommand(['cert', 'check', '-c', folder.file])).err).toContain('no such file')
    const signing = [
      '-CA',
      certs('ca.pem'),
      '-CAkey',
      certs('ca.key'),
      '-days',
      '60',
      '-copy_extensions',
      'copyall',
    ]
    openssl('x509', '-req', '-in', certs('contoso.com.csr'), ...signing, '-out', certs('contoso.com.crt'))
    const { status, out, err } = await runCommand(['cert', 'check', '-c', folder.file])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/contoso\.com .* EC P-256 +serverAuth, clientAuth +CN=Test Root\n/)
    expect(out).toMatch(/: 0 errors, 0 warnings\n$/)
  })
})
