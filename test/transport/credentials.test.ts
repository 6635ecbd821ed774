import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ownCredential } from '../../src/transport/credentials.ts'
import { TlsContexts } from '../../src/transport/tls.ts'
import { domain } from './tls-peers.ts'

const contoso = domain('contoso.com')

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'gatehouse-own-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return join(made, 'certs')
}

describe('a self-signed credential', () => {
  test('is made once, with names that TLS can use, and a key for its owner alone', async () => {
    const directory = folder()
    const made = await ownCredential(contoso, directory)
    expect(made.isNew).toBe(true)
    expect(new X509Certificate(made.certificatePem).checkHost('contoso.com')).toBe('contoso.com')
    expect(() => new TlsContexts([made])).not.toThrow()
    expect(readdirSync(directory).toSorted()).toEqual(['contoso.com.crt', 'contoso.com.key'])
    expect(statSync(join(directory, 'contoso.com.key')).mode & 0o777).toBe(0o600)
    expect(await ownCredential(contoso, directory)).toEqual({ ...made, isNew: false })
  })

  test.each([
    ['an EC key', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['an RSA key', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ])('is made from %s that is there, which it leaves alone', async (_name, generate) => {
    const directory = folder()
    const keyPem = generate().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    mkdirSync(directory)
    writeFileSync(join(directory, 'contoso.com.key'), keyPem)
    const made = await ownCredential(contoso, directory)
    expect(made).toMatchObject({ isNew: true, keyPem })
    expect(() => new TlsContexts([made])).not.toThrow()
    expect(readFileSync(join(directory, 'contoso.com.key'), 'utf8')).toBe(keyPem)
    expect(await ownCredential(contoso, directory)).toEqual({ ...made, isNew: false })
  })

  test('never takes the place of a certificate, and leaves no key behind then', async () => {
    const directory = folder()
    mkdirSync(directory)
    writeFileSync(join(directory, 'contoso.com.crt'), 'precious')
    await expect(ownCredential(contoso, directory)).rejects.toThrow(
      /of contoso\.com: EEXIST: .*contoso\.com\.crt/,
    )
    expect(readdirSync(directory)).toEqual(['contoso.com.crt'])
    expect(readFileSync(join(directory, 'contoso.com.crt'), 'utf8')).toBe('precious')
  })

  test('is not made where the folder is none', async () => {
    const file = `${folder()}-file`
    writeFileSync(file, '')
    await expect(ownCredential(contoso, file)).rejects.toThrow(
      'the self-signed certificate of contoso.com: ENOTDIR',
    )
  })
})
