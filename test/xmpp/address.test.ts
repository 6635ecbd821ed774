import { describe, expect, test } from 'vitest'
import {
  bareAddress,
  canonicalAddress,
  canonicalBare,
  domainOf,
  parseDomain,
  parseJid,
  toUnicode,
} from '../../src/xmpp/address.ts'
import { domain } from '../support/inbound-peer.ts'

describe('a domain', () => {
  test.each([
    ['fabrikam.com', 'fabrikam.com'],
    ['Fabrikam.COM', 'fabrikam.com'],
    ['fabrikam.com.', 'fabrikam.com'],
    ['localhost', 'localhost'],
    ['_xmpp.a-b.example', '_xmpp.a-b.example'],
    ['192.0.2.1', '192.0.2.1'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['MÜNCHEN.example', 'xn--mnchen-3ya.example'],
    ['mu\u0308nchen.example', 'xn--mnchen-3ya.example'], // not composed
    ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['XN--MNCHEN-3YA.example', 'xn--mnchen-3ya.example'],
    ['faß.example', 'xn--fa-hia.example'], // IDNA 2008: not fass
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('%j is compared as %j', (text, expected) => {
    expect(parseDomain(text)).toBe(expected)
  })

  test.each([
    '',
    '.',
    '..',
    'a..b',
    '.a',
    'a..',
    'a b',
    ' fabrikam.com',
    'fabrikam.com\n',
    '-a.example',
    'a-.example',
    'a@b',
    'a/b',
    'a:5269',
    '[::1]',
    'a%2eb',
    'a?b',
    'a#b',
    'a\\b',
    'ü%41.example',
    'xn--ü.example',
    'a\0b',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}aa`,
    `ü${'a'.repeat(63)}.example`,
    'ü'.repeat(1024),
  ])('%j is none', text => {
    expect(parseDomain(text)).toBeUndefined()
  })

  test.each(['fabrikam.com', 'münchen.example', 'bücher.münchen.example'])(
    '%s is written in U-labels',
    text => {
      expect(toUnicode(domain(text))).toBe(text)
    },
  )
})

describe('an address (RFC 7622 §3)', () => {
  test.each([
    ['fabrikam.com', undefined, 'fabrikam.com', undefined],
    ['juliet@fabrikam.com', 'juliet', 'fabrikam.com', undefined],
    ['juliet@fabrikam.com/balcony', 'juliet', 'fabrikam.com', 'balcony'],
    ['fabrikam.com/a@b/c', undefined, 'fabrikam.com', 'a@b/c'],
    ['Juliet@Fabrikam.com/ x y', 'Juliet', 'fabrikam.com', ' x y'],
    ['d\\27artagnan@fabrikam.com/\'<&>"', 'd\\27artagnan', 'fabrikam.com', '\'<&>"'],
    ['юлия@münchen.example/✓', 'юлия', 'xn--mnchen-3ya.example', '✓'],
    [`${'a'.repeat(1023)}@b/${'c'.repeat(1023)}`, 'a'.repeat(1023), 'b', 'c'.repeat(1023)],
  ])('%j has its parts', (text, local, of, resource) => {
    expect(parseJid(text)).toEqual({ local, domain: of, resource })
    expect(domainOf(text)).toBe(of)
  })

  test.each([
    '',
    '@',
    '/',
    '@fabrikam.com',
    'juliet@',
    'juliet@/balcony',
    'fabrikam.com/',
    'juliet@fabrikam.com/',
    'a@b@c',
    'ju liet@fabrikam.com',
    'ju\u00a0liet@fabrikam.com',
    'ju"liet@fabrikam.com',
    "ju'liet@fabrikam.com",
    'ju&liet@fabrikam.com',
    'ju:liet@fabrikam.com',
    'ju<liet@fabrikam.com',
    'ju>liet@fabrikam.com',
    'ju\u0007liet@fabrikam.com',
    'juliet@fabri kam.com',
    'juliet@fabrikam.com/a\nb',
    'juliet@fabrikam.com/\u2028',
    'juliet@fabrikam.com/\ud800',
    'juliet@fabrikam.com/\ue000',
    `${'a'.repeat(1024)}@b`,
    `${'ü'.repeat(512)}@b`, // 1024 bytes
    `b/${'c'.repeat(1024)}`,
    `b/${'ü'.repeat(512)}`,
  ])('is not %j', text => {
    expect(parseJid(text)).toBeUndefined()
    expect(domainOf(text)).toBeUndefined()
  })

  test.each([
    ['juliet@Fabrikam.com/balcony/2', 'juliet@Fabrikam.com'],
    ['juliet@fabrikam.com', 'juliet@fabrikam.com'],
    ['fabrikam.com/a@b', 'fabrikam.com'],
  ])('%s is bare as %s', (text, bare) => {
    expect(bareAddress(text)).toBe(bare)
  })
})

describe('an address is compared (RFC 7622 §3, RFC 8265 §3.3)', () => {
  test.each([
    ['juliet@fabrikam.com', 'juliet@fabrikam.com'],
    ['Juliet@Fabrikam.COM/Balcony', 'juliet@fabrikam.com'],
    ['fabrikam.com/a@b', 'fabrikam.com'],
    ['d\\27Artagnan@fabrikam.com', 'd\\27artagnan@fabrikam.com'],
    ['ЮЛИЯ@München.example', 'юлия@xn--mnchen-3ya.example'],
    ['re\u0301ne\u0301@fabrikam.com', 'réné@fabrikam.com'], // not composed
    ['RE\u0301NÉ@fabrikam.com', 'réné@fabrikam.com'],
    ['ｊｕｌｉｅｔ@fabrikam.com', 'juliet@fabrikam.com'], // full width
    ['\u212bngström@fabrikam.com', 'ångström@fabrikam.com'], // the sign of the unit
    ['strauß@fabrikam.com', 'strauß@fabrikam.com'], // RFC 6122 has it strauss: here they are two
  ])('%j as %j, bare', (text, expected) => {
    expect(canonicalBare(text)).toBe(expected)
    expect(canonicalBare(expected)).toBe(expected)
  })

  test.each(['', 'a b@c', 'a＠b@fabrikam.com', 'a／b@fabrikam.com', '@fabrikam.com'])('%j as none', text => {
    expect(canonicalBare(text)).toBeUndefined()
    expect(canonicalAddress(text)).toBeUndefined()
  })

  test.each([
    ['Juliet@fabrikam.com/Balcony', 'juliet@fabrikam.com/Balcony'],
    ['Juliet@fabrikam.com', 'juliet@fabrikam.com'],
    ['fabrikam.com/re\u0301', 'fabrikam.com/ré'],
    ['fabrikam.com/my\u00a0desk\u3000here', 'fabrikam.com/my desk here'],
  ])('%j as %j, whole', (text, expected) => {
    expect(canonicalAddress(text)).toBe(expected)
  })
})
