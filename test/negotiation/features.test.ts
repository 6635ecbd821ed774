import { describe, expect, test } from 'vitest'
import { offersFor, unionOf, writeFeatures } from '../../src/negotiation/features.ts'
import { matrixRows } from '../../src/policy/matrix.ts'
import { InboundPeer } from '../support/inbound-peer.ts'
import {
  clearOnly,
  dialback,
  dialbackOverTls,
  external,
  externalOnly,
  proceed,
  starttls,
  starttlsRequired,
} from './words.ts'

/** What each valid row of the matrix offers: before TLS; after it with a valid certificate; with one that is not. */
const offers = {
  'required required true': [[starttlsRequired], [external], []],
  'required required false': [[starttlsRequired], [external], []],
  'optional required true': [[starttls, dialback], [external, dialback], [dialback]],
  'optional required false': [[starttls], [external], []],
  'notSupported required true': [[dialback], 'unreachable', 'unreachable'],
  'required optional true': [[starttlsRequired], [external, dialback], [dialback]],
  'required optional false': [[starttlsRequired], [external], []],
  'optional optional true': [[starttls, dialback], [external, dialback], [dialback]],
  'optional optional false': [[starttls], [external], []],
  'notSupported optional true': [[dialback], 'unreachable', 'unreachable'],
  'required notSupported true': [[starttlsRequired], [dialback], [dialback]],
  'optional notSupported true': [[starttls, dialback], [dialback], [dialback]],
  'notSupported notSupported true': [[dialback], 'unreachable', 'unreachable'],
} satisfies Record<string, [string[], string[] | 'unreachable', string[] | 'unreachable']>

const rows = matrixRows
  .filter(({ valid }) => valid)
  .map(row => ({ row, name: `${row.tls} ${row.sasl} ${row.dialback}` }))

test('every valid row of the matrix has its offers here', () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(offers))
})

describe.each(rows)('a partner with TLS, SASL and dialback $name', ({ row, name }) => {
  const [before, afterValid, afterInvalid] = offers[name as keyof typeof offers]

  test('is offered what the policy permits before TLS', () => {
    const peer = new InboundPeer(row)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(...before)
  })

  test.each([
    { certificate: 'a valid one', names: ['fabrikam.com'], expected: afterValid },
    { certificate: 'one for another domain', names: ['example.net'], expected: afterInvalid },
    { certificate: 'none', names: [], expected: afterInvalid },
  ])('is offered what the policy permits after TLS, its certificate: $certificate', ({ names, expected }) => {
    const peer = new InboundPeer(row)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(...before)
    peer.sends(starttls)
    if (expected === 'unreachable') return peer.isClosedWith(undefined)
    peer.receives(proceed)
    peer.secures(...names)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(...expected)
  })

  test('is never offered EXTERNAL twice, nor STARTTLS under TLS', () => {
    const again = offersFor(row, { secure: true, certificateIsValid: true, authenticated: true })
    expect(again).toMatchObject({ external: false, starttls: undefined })
  })
})

describe('a peer without a name', () => {
  const partners = {
    'fabrikam.com': dialbackOverTls,
    'adatum.com': clearOnly,
    'fourthcoffee.com': externalOnly,
  }

  test('is offered what any of the partners may use, but never EXTERNAL', () => {
    const peer = new InboundPeer(externalOnly, { partners })
    peer.opens(undefined, 'contoso.com')
    peer.receivesFeatures(starttls, dialback)
    peer.sends(starttls)
    peer.receives(proceed)
    peer.secures('fabrikam.com', 'fourthcoffee.com')
    peer.opens(undefined, 'contoso.com')
    peer.receivesFeatures(dialback)
  })

  test('is told that TLS is required where every partner must use it', () => {
    const peer = new InboundPeer(externalOnly)
    peer.opens(undefined, 'contoso.com')
    peer.receivesFeatures(starttlsRequired)
  })

  test('is offered no TLS where no partner may use it', () => {
    expect(unionOf([clearOnly, clearOnly])).toEqual(clearOnly)
  })

  test('is turned away where there are no partners', () => {
    const peer = new InboundPeer(externalOnly, { partners: {} })
    peer.opens(undefined, 'contoso.com')
    peer.isClosedWith('policy-violation')
  })
})

test('the limits of XEP-0478 are announced in bytes and whole seconds', () => {
  const nothing = { starttls: undefined, external: false, dialback: false } as const
  expect(writeFeatures(nothing, { stanzaBytes: 10_000, idleMs: 1_499 })).toBe(
    "<stream:features><limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes>" +
      '<idle-seconds>1</idle-seconds></limits></stream:features>',
  )
})
