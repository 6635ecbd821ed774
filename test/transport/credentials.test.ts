import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

  test('is made anew where a first start was broken off between its two files', async () => {
    const directory = folder()
    const first = await ownCredential(contoso, directory)
    rmSync(join(directory, 'contoso.com.crt'))
    const second = await ownCredential(contoso, directory)
    expect(second.isNew).toBe(true)
    expect(second.keyPem).not.toBe(first.keyPem)
    expect(readFileSync(join(directory, 'contoso.com.key'), 'utf8')).toBe(second.keyPem)
  })

  test('is not made where the folder is none', async () => {
    const file = `${folder()}-file`
    writeFileSync(file, '')
    await expect(ownCredential(contoso, file)).rejects.toThrow('ENOTDIR')
  })
})
