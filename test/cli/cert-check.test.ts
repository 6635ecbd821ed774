import { chmodSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createAuthority, createSelfSigned, daysFromNow, type Issued } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder } from '../support/config-folder.ts'

const later = { notAfter: daysFromNow(90.5), eku: ['serverAuth', 'clientAuth'] } as const
const old = { ...later, notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) } as const
const root = createAuthority({ notAfter: later.notAfter })
const good = root.issueFor('contoso.com', later)

/** A configuration with these certificates, one domain each; nothing else in it is right. */
function folderWith(domains: Readonly<Record<string, Issued>>): ConfigFolder {
  const files: Record<string, string> = {}
  const entries: string[] = []
  for (const [domain, { chainPem, keyPem }] of Object.entries(domains)) {
    files[`certs/${domain}.crt`] = chainPem
    files[`certs/${domain}.key`] = keyPem
    entries.push(`  ${domain}: { certificate: ../certs/${domain}.crt, key: ../certs/${domain}.key }\n`)
  }
  return configFolder({
    'config/gatehouse.yaml': `domains:
${entries.join('')}trust: { anchors: [../certs/ca.pem] }
internal: { connector: component, secret: { env: NOT_SET_HERE } }
limits: { depth: none }
`,
    'certs/ca.pem': root.certificatePem,
    ...files,
  })
}

const check = (folder: ConfigFolder, ...args: readonly string[]) =>
  runCommand(['cert', 'check', '-c', folder.file, ...args])

describe('cert check', () => {
  test('is content with good certificates, whatever else is wrong', async () => {
    const folder = folderWith({ 'contoso.com': good })
    expect(await check(folder)).toEqual({
      status: 0,
      out: `domain       valid until  days left  key       purposes                issuer
contoso.com  ${later.notAfter.toISOString().slice(0, 10)}   90         EC P-256  serverAuth, clientAuth  CN=Test Root
${folder.file}: 0 errors, 0 warnings
`,
      err: '',
    })
  })

  test('tells everything at once, each at its place', async () => {
    const folder = folderWith({
      'contoso.com': createAuthority({ name: 'Stranger' }).issueFor('other.example', {
        ...old,
        eku: ['serverAuth'],
      }),
      'fabrikam.com': { ...root.issueFor('fabrikam.com', later), keyPem: good.keyPem },
      'northwind.example': root.issueFor('northwind.example', { ...later, notAfter: daysFromNow(6) }),
    })
    chmodSync(folder.at('certs/contoso.com.key'), 0o644)
    const { status, out, err } = await check(folder)
    expect(status).toBe(1)
    expect(out).toMatch(/: 4 errors, 3 warnings\n$/)
    const lines = err.trimEnd().split('\n')
    const expected = [
      /:2:18: domains\.contoso\.com\.certificate: the certificate presented for contoso\.com is for other\.example/,
      /:2:18: domains\.contoso\.com\.certificate: certificate of contoso\.com expired on/,
      /:2:18: domains\.contoso\.com\.certificate: certificate of contoso\.com was issued by "CN=Stranger"/,
      /:2:18: domains\.contoso\.com\.certificate: warning: .*not for clients .*refuse SASL EXTERNAL/,
      /:2:57: domains\.contoso\.com\.key: warning: .*\(mode 0644\); chmod 600 it/,
      /:3:\d+: domains\.fabrikam\.com\.key: .* is not the key of/,
      /:4:\d+: domains\.northwind\.example\.certificate: warning: certificate ".*" expires on/,
    ]
    expect(lines).toHaveLength(expected.length)
    for (const [at, line] of lines.entries()) expect(line).toMatch(expected[at]!)
  })

  test('looks at one domain alone', async () => {
    const folder = folderWith({ 'contoso.com': good, 'fabrikam.com': root.issueFor('other.example', later) })
    expect(await check(folder)).toMatchObject({ status: 1 })
    expect(await check(folder, 'fabrikam.com')).toMatchObject({ status: 1 })
    const { status, out, err } = await check(folder, 'CONTOSO.com')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).not.toContain('fabrikam.com')
  })

  test('knows no domain that is not local', async () => {
    const folder = folderWith({ 'contoso.com': good })
    expect(await check(folder, 'a.example')).toEqual({
      status: 1,
      out: '',
      err: `gatehouse: a.example is not a local domain of ${folder.file}\n`,
    })
    expect(await check(folder, 'not a domain')).toMatchObject({ status: 2 })
  })

  test('warns of a certificate for servers alone, which is no error', async () => {
    const folder = folderWith({
      'contoso.com': root.issueFor('contoso.com', { ...later, eku: ['serverAuth'] }),
    })
    const { status, err } = await check(folder)
    expect(status).toBe(0)
    expect(err).toMatch(/warning: the certificate is not for clients .* permit them dialback/)
  })

  test('tells of a certificate that is not there yet', async () => {
    const folder = configFolder({
      'config/gatehouse.yaml':
        'domains:\n  a.example: { certificate: ../certs/a.crt, key: ../certs/a.key }\n',
    })
    const { status, out, err } = await check(folder)
    expect(status).toBe(1)
    expect(err.match(/no such file/g)).toHaveLength(2)
    expect(out).toMatch(/a\.example +- +- +- +- +no certificate\n/)
  })

  test('sees the end of a self-signed certificate, once there is one', async () => {
    const folder = configFolder()
    expect(await check(folder)).toMatchObject({ status: 0 })
    await runCommand(['cert', 'self-signed', 'contoso.com', '--days', '12', '--out', folder.at('certs')])
    const { status, err } = await check(folder)
    expect(status).toBe(0)
    expect(err).toMatch(
      /selfSigned: warning: partners .* will refuse this one\n.*selfSigned: warning: .* expires on/,
    )
  })

  test('takes a self-signed certificate that has ended, or is of another name, for an error; check does not', async () => {
    const expired = createSelfSigned({ names: { dns: ['contoso.com'] }, ...old })
    const strange = createSelfSigned({ names: { dns: ['other.example'] }, ...later })
    for (const [{ certificatePem, keyPem }, message] of [
      [expired, 'certificate of contoso.com expired on'],
      [strange, 'presented for contoso.com is for other.example'],
    ] as const) {
      const folder = configFolder({
        'certs/contoso.com.crt': certificatePem,
        'certs/contoso.com.key': keyPem,
      })
      const { status, err } = await check(folder)
      expect(status).toBe(1)
      expect(err).toMatch(new RegExp(`:2:18: domains\\.contoso\\.com\\.selfSigned: .*${message}`))
      const lenient = await runCommand(['check', '-c', folder.file])
      expect(lenient.status).toBe(0)
      expect(lenient.err).toMatch(new RegExp(`selfSigned: warning: .*${message}`))
    }
  })

  test('sees an issuer missing that is a trust anchor here, and no root', async () => {
    const below = root.intermediate({ notAfter: later.notAfter })
    const leaf = below.issueFor('contoso.com', later)
    const folder = folderWith({ 'contoso.com': { ...leaf, chainPem: leaf.certificatePem } })
    writeFileSync(folder.at('certs/ca.pem'), root.certificatePem + below.certificatePem)
    const { status, err } = await check(folder)
    expect(status).toBe(0)
    expect(err).toMatch(
      /:2:18: \S+: warning: .*which is no root: .* was issued by "CN=Intermediate below Test Root", .* was not sent along/,
    )
    writeFileSync(folder.at('certs/contoso.com.crt'), leaf.chainPem)
    expect(await check(folder)).toMatchObject({ status: 0, err: '' })
    // Where the intermediate one is all that is known here, the file holds as much as can be seen.
    writeFileSync(folder.at('certs/ca.pem'), below.certificatePem)
    expect(await check(folder)).toMatchObject({ status: 0, err: '' })
  })

  test('tells machines', async () => {
    const folder = folderWith({ 'contoso.com': root.issueFor('contoso.com', old) })
    const { status, out, err } = await check(folder, '--json')
    expect({ status, err }).toEqual({ status: 1, err: '' })
    expect(JSON.parse(out)).toEqual({
      domains: [
        {
          domain: 'contoso.com',
          file: folder.at('certs/contoso.com.crt'),
          certificate: expect.objectContaining({
            daysLeft: -3,
            key: 'EC P-256',
            purposes: ['serverAuth', 'clientAuth'],
          }),
        },
      ],
      problems: [
        {
          severity: 'error',
          file: folder.file,
          line: 2,
          column: 18,
          key: 'domains.contoso.com.certificate',
          message: expect.stringContaining('expired on'),
        },
      ],
    })
  })

  test('fails where there is no configuration', async () => {
    const { status, err } = await runCommand(['cert', 'check', '-c', '/nowhere/gatehouse.yaml'])
    expect(status).toBe(1)
    expect(err).toContain('cannot read /nowhere/gatehouse.yaml: no such file')
  })
})

describe('check', () => {
  test('tells of certificates also where something else is wrong, as warnings', async () => {
    const folder = folderWith({ 'contoso.com': root.issueFor('other.example', later) })
    const { status, err } = await runCommand(['check', '-c', folder.file])
    expect(status).toBe(1)
    expect(err).toMatch(/domains\.contoso\.com\.certificate: warning: .* is for other\.example/)
    expect(err).toMatch(/NOT_SET_HERE is not set/)
    expect(err).toMatch(/limits\.depth/)
  })
})
