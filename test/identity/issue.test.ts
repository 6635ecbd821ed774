import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parsePem } from '../../src/identity/certificate.ts'
import { trustAnchors } from '../../src/identity/chain.ts'
import { selfSigned } from '../../src/identity/issue.ts'
import { judgeCertificate } from '../../src/identity/verdict.ts'
import { parseDomain } from '../../src/xmpp/address.ts'
import { opensslAccepts } from './openssl-verify.ts'

const at = new Date('2026-11-20T12:00:00Z')
const keys = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'RSA 2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
}

const make = (name: string, kind: keyof typeof keys = 'P-256') => {
  const domain = parseDomain(name) ?? expect.fail('no domain')
  const pem = selfSigned({ domain, key: keys[kind](), serial: randomBytes(16), at })
  const [certificate = expect.fail('no certificate')] = parsePem(pem)
  return { domain, certificate }
}

describe('an own self-signed certificate', () => {
  test.each(['P-256', 'RSA 2048'] as const)(
    'with %s is good for who trusts it, to OpenSSL as well',
    async kind => {
      const { domain, certificate } = make('contoso.com', kind)
      const trust = { anchors: trustAnchors([certificate]) }
      expect(judgeCertificate([certificate], domain, trust, at)).toEqual({ valid: true })
      const { der } = certificate
      expect(await opensslAccepts({ leaf: der, others: [], anchors: [der], at })).toBe(true)
    },
  )

  test('is good for a client too', () => {
    const { domain, certificate } = make('contoso.com')
    const trust = { anchors: trustAnchors([certificate]), requireClientAuthEku: true }
    expect(judgeCertificate([certificate], domain, trust, at)).toEqual({ valid: true })
  })

  test('bears the three names, in A-labels but for the XmppAddr', () => {
    expect(make('bücher.example').certificate.names).toEqual({
      dns: ['xn--bcher-kva.example'],
      srv: ['_xmpp-server.xn--bcher-kva.example'],
      xmpp: ['bücher.example'],
    })
  })

  test('is good for a year, from a little earlier on', () => {
    expect(make('contoso.com').certificate).toMatchObject({
      notBefore: new Date('2026-11-20T11:00:00Z'),
      notAfter: new Date('2027-11-20T12:00:00Z'),
    })
  })

  test('holds a domain that is too long for a common name', () => {
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
    const { certificate } = make(name)
    expect(certificate.names.dns).toEqual([name])
    expect(certificate.subject).toBe(`CN=${name.slice(0, 64)}`)
  })
})
