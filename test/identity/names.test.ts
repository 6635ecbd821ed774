import { describe, expect, test } from 'vitest'
import type { CertificateNames } from '../../src/identity/extensions.ts'
import { coversDomain } from '../../src/identity/names.ts'
import { parseDomain } from '../../src/xmpp/address.ts'

const domain = (text: string) => parseDomain(text) ?? expect.fail(`no domain: ${text}`)

const covers = (names: Partial<CertificateNames>, text: string) =>
  coversDomain({ dns: [], srv: [], xmpp: [], ...names }, domain(text))

type Row = readonly [name: string, domain: string, covered: boolean]

describe('a dNSName (RFC 9525 §6)', () => {
  test.each([
    ['fabrikam.com', 'fabrikam.com', true],
    ['FABRIKAM.com', 'fabrikam.com', true],
    ['fabrikam.com', 'corp.fabrikam.com', false],
    ['corp.fabrikam.com', 'fabrikam.com', false],
    ['fabrikam.com.evil.example', 'fabrikam.com', false],
    ['notfabrikam.com', 'fabrikam.com', false],
    ['xn--bcher-kva.example', 'bücher.example', true],
    ['XN--BCHER-KVA.example', 'bücher.example', true],
    ['bücher.example', 'bücher.example', false],
    ['b\xc3\xbccher.example', 'bücher.example', false],
    ['fabrikam.com.', 'fabrikam.com', false],
    ['fabrikam.com\0', 'fabrikam.com', false],
    ['fabrikam.com\0.evil.example', 'fabrikam.com', false],
    [' fabrikam.com', 'fabrikam.com', false],
    ['fabrikam.com\n', 'fabrikam.com', false],
    ['user@fabrikam.com', 'fabrikam.com', false],
    ['_xmpp-server.fabrikam.com', 'fabrikam.com', false],
    ['a_b.example', 'a_b.example', false],
    ['-fabrikam.com', 'fabrikam.com', false],
    ['fabrikam..com', 'fabrikam.com', false],
    ['', 'fabrikam.com', false],
    ['localhost', 'localhost', true],
  ] satisfies Row[])('%j for %s: %s', (name, of, covered) => {
    expect(covers({ dns: [name] }, of)).toBe(covered)
  })
})

describe('a wildcard (RFC 9525 §6.3)', () => {
  test.each([
    ['*.fabrikam.com', 'corp.fabrikam.com', true],
    ['*.fabrikam.com', 'xn--bcher-kva.fabrikam.com', true],
    ['*.fabrikam.com', 'fabrikam.com', false],
    ['*.fabrikam.com', 'a.corp.fabrikam.com', false],
    ['*.corp.fabrikam.com', 'a.corp.fabrikam.com', true],
    ['*.com', 'fabrikam.com', false],
    ['*', 'localhost', false],
    ['*.', 'localhost', false],
    ['**.fabrikam.com', 'corp.fabrikam.com', false],
    ['c*.fabrikam.com', 'corp.fabrikam.com', false],
    ['*p.fabrikam.com', 'corp.fabrikam.com', false],
    ['xn--*.fabrikam.com', 'xn--bcher-kva.fabrikam.com', false],
    ['corp.*.com', 'corp.fabrikam.com', false],
    ['*.*.com', 'corp.fabrikam.com', false],
    ['*.fabrikam.com\0', 'corp.fabrikam.com', false],
    ['*.Fabrikam.COM', 'corp.fabrikam.com', true],
  ] satisfies Row[])('%j for %s: %s', (name, of, covered) => {
    expect(covers({ dns: [name] }, of)).toBe(covered)
  })
})

describe('an SRVName (RFC 4985, RFC 6120 §13.7.1.2)', () => {
  test.each([
    ['_xmpp-server.fabrikam.com', 'fabrikam.com', true],
    ['_xmpps-server.fabrikam.com', 'fabrikam.com', true],
    ['_XMPP-Server.Fabrikam.com', 'fabrikam.com', true],
    ['_xmpp-client.fabrikam.com', 'fabrikam.com', false],
    ['_xmpp-server._tcp.fabrikam.com', 'fabrikam.com', false],
    ['_xmpp-server.*.com', 'fabrikam.com', false],
    ['_xmpp-server.*.fabrikam.com', 'corp.fabrikam.com', false],
    ['_imap.fabrikam.com', 'fabrikam.com', false],
    ['fabrikam.com', 'fabrikam.com', false],
    ['_xmpp-server.fabrikam.com\0', 'fabrikam.com', false],
    ['_xmpp-server.xn--bcher-kva.example', 'bücher.example', true],
  ] satisfies Row[])('%j for %s: %s', (name, of, covered) => {
    expect(covers({ srv: [name] }, of)).toBe(covered)
  })
})

describe('an XmppAddr (RFC 6120 §13.7.1.4)', () => {
  test.each([
    ['fabrikam.com', 'fabrikam.com', true],
    ['Fabrikam.COM', 'fabrikam.com', true],
    ['bücher.example', 'bücher.example', true],
    ['xn--bcher-kva.example', 'bücher.example', true],
    ['*.fabrikam.com', 'corp.fabrikam.com', false],
    ['user@fabrikam.com', 'fabrikam.com', false],
    ['fabrikam.com/resource', 'fabrikam.com', false],
    ['fabrikam.com.', 'fabrikam.com', false],
    ['fabrikam.com\0', 'fabrikam.com', false],
    ['fabrikam%2ecom', 'fabrikam.com', false],
    ['', 'fabrikam.com', false],
  ] satisfies Row[])('%j for %s: %s', (name, of, covered) => {
    expect(covers({ xmpp: [name] }, of)).toBe(covered)
  })
})

test('one good name among others is enough', () => {
  expect(covers({ dns: ['\0', 'contoso.com', 'fabrikam.com'] }, 'fabrikam.com')).toBe(true)
})

test('without names nothing is covered', () => {
  expect(covers({}, 'fabrikam.com')).toBe(false)
})
