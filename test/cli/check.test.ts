import { once } from 'node:events'
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthority, createSelfSigned, daysFromNow, type Issued } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder, leastConfig } from '../support/config-folder.ts'

const later = { notAfter: daysFromNow(90), eku: ['serverAuth', 'clientAuth'] } as const
const old = { ...later, notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) } as const
const root = createAuthority({ notAfter: later.notAfter })

/** A configuration that serves this certificate, and trusts the authority of the test. */
function folderWith(certificate: Issued, internal = 'connector: embedded'): ConfigFolder {
  return configFolder({
    'config/gatehouse.yaml': `domains:
  contoso.com:
    certificate: ../certs/contoso.com.crt
    key: ../certs/contoso.com.key
trust: { system: false, anchors: [../certs/ca.pem] }
internal: { ${internal} }
`,
    'certs/contoso.com.crt': certificate.chainPem,
    'certs/contoso.com.key': certificate.keyPem,
    'certs/ca.pem': root.certificatePem,
  })
}

const good = root.issueFor('contoso.com', later)

describe('check', () => {
  test('finds nothing wrong with a good configuration', async () => {
    const { file } = folderWith(good)
    expect(await runCommand(['check', '--config', file])).toEqual({
      status: 0,
      out: `${file}: 0 errors, 0 warnings\n`,
      err: '',
    })
  })

  test('tells errors on standard error and fails', async () => {
    const { file } = configFolder({ 'config/gatehouse.yaml': 'log: { level: loud }\ndomains: {}\n' })
    const { status, out, err } = await runCommand(['check', '--config', file])
    expect(status).toBe(1)
    expect(out).toBe(`${file}: 3 errors, 0 warnings\n`)
    expect(err.split('\n')).toEqual([
      `${file}:1:1: internal: is required: a mapping with connector: component, trunk or embedded`,
      `${file}:1:8: log.level: expected one of trace, debug, info, warn, error, not "loud"`,
      `${file}:2:1: domains: expected at least one local domain`,
      '',
    ])
  })

  test('tells problems to machines', async () => {
    const { file } = configFolder()
    const { status, out, err } = await runCommand(['check', '--json', '--config', file])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(JSON.parse(out)).toEqual({
      problems: [
        {
          severity: 'warning',
          file,
          line: 2,
          column: 18,
          key: 'domains.contoso.com.selfSigned',
          message: expect.stringContaining('will refuse this one'),
        },
      ],
    })
  })

  test('warns of a file that cannot be the journal', async () => {
    const { file } = configFolder({ 'data/journal.db': 'something else' })
    const { status, err } = await runCommand(['check', '--config', file])
    expect(status).toBe(0)
    expect(err).toMatch(/: store(\.journal)?: warning: .*journal\.db cannot be used, .*: is not a database$/m)
  })

  test('finds a path that no socket can have', async () => {
    const { file } = configFolder({
      'config/gatehouse.yaml': `${leastConfig}admin: { socket: /${'s'.repeat(120)} }\n`,
    })
    const { status, err } = await runCommand(['check', '--config', file])
    expect(status).toBe(1)
    expect(err).toMatch(
      /:4:10: admin\.socket: the path of the admin socket is too long .* by 14 bytes: \/s+; give/,
    )
  })

  test('warns of a database that everybody can read', async () => {
    const folder = folderWith(good)
    mkdirSync(folder.at('data'))
    writeFileSync(folder.at('data/gatehouse.db'), '')
    chmodSync(folder.at('data/gatehouse.db'), 0o644)
    const { out, err } = await runCommand(['check', '--config', folder.file])
    expect(out).toBe(`${folder.file}: 0 errors, 1 warning\n`)
    expect(err).toContain('store.sqlite: ')
    expect(err).toContain('gatehouse.db is open to every user of this machine (mode 0644); chmod 600 it')
  })

  test.each([
    [0o640, undefined],
    [0o660, /the group of \S+tokens\.yaml may write to it \(mode 0660\), and so make tokens; chmod 600 it/],
    [0o644, /tokens\.yaml is open to every user of this machine \(mode 0644\); chmod 600 it/],
    [
      0o602,
      /every user of this machine may write to \S+tokens\.yaml \(mode 0602\), so no token is accepted;/,
    ],
  ])('warns of tokens that others can make or read: mode %o', async (mode, expected) => {
    const folder = folderWith(good)
    mkdirSync(folder.at('data'))
    writeFileSync(folder.at('data/tokens.yaml'), 'tokens: []\n')
    chmodSync(folder.at('data/tokens.yaml'), mode)
    const { status, out, err } = await runCommand(['check', '--config', folder.file])
    expect([status, out]).toEqual([
      0,
      `${folder.file}: 0 errors, ${expected === undefined ? '0 warnings' : '1 warning'}\n`,
    ])
    if (expected === undefined) expect(err).toBe('')
    else expect(err).toMatch(expected)
  })

  test('warns of secrets that stand in a file which everybody can read', async () => {
    const folder = folderWith(good)
    appendFileSync(folder.file, `dialback: { secret: ${'d'.repeat(40)} }\n`)
    writeFileSync(
      folder.at('config/partners.yaml'),
      'partners:\n  - { primaryDomain: a.b, partnerType: federated, componentSecret: hush }\n',
    )
    const warnings = async () => (await runCommand(['check', '--config', folder.file])).err
    expect(await warnings()).toBe('')
    for (const name of ['config/gatehouse.yaml', 'config/partners.yaml']) chmodSync(folder.at(name), 0o644)
    expect((await warnings()).split('\n')).toEqual([
      expect.stringMatching(
        /gatehouse\.yaml:\d+:\d+: dialback\.secret: warning: is written in place, and \S+gatehouse\.yaml is open to every user of this machine \(mode 0644\); chmod 600 it, or use \{ file: … \}$/,
      ),
      expect.stringMatching(
        /partners\.yaml:2:\d+: partners\[0\]\.componentSecret: warning: is written in place, and \S+partners\.yaml is open/,
      ),
      '',
    ])
  })

  test('finds folders that cannot be made: an error where the gateway does not start without', async () => {
    const { file } = configFolder({
      'config/gatehouse.yaml': `${leastConfig}store: { sqlite: /proc/gatehouse/x.db }\nadmin: { audit: /proc/gatehouse/a.log }\n`,
    })
    const { status, err } = await runCommand(['check', '--config', file])
    expect(status).toBe(1)
    const why = '/proc/gatehouse: no folder can be made there'
    expect(err).toContain(`:4:10: store.sqlite: /proc/gatehouse/x.db cannot be made: ${why}\n`)
    expect(err).toContain(`:4:1: store.journal: warning: /proc/gatehouse/journal.db cannot be made: ${why}\n`)
    expect(err).toContain(`:5:10: admin.audit: warning: /proc/gatehouse/a.log cannot be made: ${why}\n`)
  })

  test('fails where there is no configuration', async () => {
    const { status, err } = await runCommand(['check', '--config', '/nowhere/gatehouse.yaml'])
    expect(status).toBe(1)
    expect(err).toContain('/nowhere/gatehouse.yaml:1:1: cannot read /nowhere/gatehouse.yaml: no such file')
  })
})

describe('check of certificates', () => {
  const stranger = createAuthority({ name: 'Stranger' })
  test.each<[string, () => Issued, RegExp[]]>([
    [
      'for another domain',
      () => root.issueFor('other.example', later),
      [/presented for contoso.com is for other.example/],
    ],
    ['that has expired', () => root.issueFor('contoso.com', old), [/certificate of contoso.com expired on/]],
    [
      'that soon expires',
      () => root.issueFor('contoso.com', { ...later, notAfter: daysFromNow(9) }),
      [/certificate ".*" expires on/],
    ],
    [
      'of an unknown authority',
      () => stranger.issueFor('contoso.com', later),
      [/which is not a trust anchor/],
    ],
    [
      'for another domain that has expired',
      () => root.issueFor('other.example', old),
      [/is for other.example/, /expired on/],
    ],
    [
      'for clients alone',
      () => root.issueFor('contoso.com', { ...later, eku: ['clientAuth'] }),
      [/is not for the purpose/],
    ],
    [
      'signed by itself',
      () => createSelfSigned({ names: { dns: ['contoso.com'] }, ...later }),
      [/is self-signed/],
    ],
  ])('warns of one %s', async (_name, make, expected) => {
    const { file } = folderWith(make())
    const { status, err } = await runCommand(['check', '--config', file])
    const lines = err.trimEnd().split('\n')
    expect(status).toBe(0)
    expect(lines).toHaveLength(expected.length)
    for (const [at, line] of lines.entries()) {
      expect(line).toMatch(/gatehouse\.yaml:3:5: domains\.contoso\.com\.certificate: warning: /)
      expect(line).toMatch(expected[at]!)
    }
  })

  test('finds a domain that is written in U-labels', async () => {
    const { certificatePem, keyPem } = root.issueFor('other.example')
    const { file } = configFolder({
      'config/gatehouse.yaml': `internal: { connector: embedded }
trust: { anchors: [../certs/ca.pem] }
domains:
  münchen.example: { certificate: ../certs/c.crt, key: ../certs/c.key }
`,
      'certs/c.crt': certificatePem,
      'certs/c.key': keyPem,
      'certs/ca.pem': root.certificatePem,
    })
    const { err } = await runCommand(['check', '--config', file])
    expect(err).toMatch(/gatehouse.yaml:4:22: .*presented for xn--mnchen-3ya.example is for other.example/)
  })

  test('warns of trust anchors that have expired, everybody’s and a partner’s', async () => {
    const old = createAuthority({ notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) })
    const { file } = configFolder({
      'config/gatehouse.yaml':
        'domains: { a.example: { selfSigned: true } }\ninternal: { connector: embedded }\n' +
        'trust: { anchors: [../certs/old.pem] }\n',
      'config/partners.yaml': `partners:
  - primaryDomain: fabrikam.com
    partnerType: federated
    trustAnchors: [../certs/old.pem]
`,
      'certs/old.pem': old.certificatePem,
    })
    const { err } = await runCommand(['check', '--config', file])
    expect(err).toMatch(/gatehouse\.yaml:3:20: trust\.anchors\[0\]: warning: .* expired on/)
    expect(err).toMatch(/partners\.yaml:4:20: partners\[0\]\.trustAnchors\[0\]: warning: .* expired on/)
  })
})

describe('check of the internal server', () => {
  test('is content where it can be reached, warns where not', async () => {
    const server = createServer(socket => socket.end())
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const { file } = folderWith(good, `connector: component, secret: s, host: 127.0.0.1, port: ${port}`)
    expect(await runCommand(['check', '--config', file])).toMatchObject({ status: 0, err: '' })
    server.close()
    await once(server, 'close')
    const { status, err } = await runCommand(['check', '--config', file])
    expect(status).toBe(0)
    expect(err).toMatch(
      /:6:\d+: internal.port: warning: the internal server at .* cannot be reached: ECONNREFUSED/,
    )
  })
})
