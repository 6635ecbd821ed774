import { describe, expect, test } from 'vitest'
import type { Method, Terms } from '../../src/negotiation/stream.ts'
import { matrixRows } from '../../src/policy/matrix.ts'
import { OutboundPeer } from '../support/outbound-peer.ts'
import {
  anything,
  auth,
  clearOnly,
  dialback,
  dialbackOverTls,
  external,
  externalOnly,
  externalOrDialback,
  proceed,
  result,
  starttls,
  starttlsRequired,
  terms,
  tlsFailure,
} from './words.ts'

/** A partner that speaks XMPP 1.0, does not declare the dialback namespace, and has offered this in the clear. */
function inTheClear(of: Terms, ...features: string[]): OutboundPeer {
  const peer = new OutboundPeer(of)
  peer.accepts()
  peer.opens({ 'xmlns:db': undefined })
  peer.offers(...features)
  return peer
}

/** A partner that has offered this after STARTTLS, under a certificate for these domains. */
function secured(of: Terms, certificate: readonly string[], ...features: string[]): OutboundPeer {
  const peer = inTheClear(of, starttls)
  peer.receives(starttls)
  peer.sends(proceed)
  peer.secures(...certificate)
  peer.opens({ 'xmlns:db': undefined })
  peer.offers(...features)
  return peer
}

const key = (id: string) => result(`key:${id}`, 'contoso.com', 'fabrikam.com')

const good = ['fabrikam.com']
const bad = ['example.net']

/** What each set of permitted methods comes to, by what the partner shows and offers under TLS. */
const underTls: Record<string, { good: (Method | undefined)[]; bad: (Method | undefined)[] }> = {
  // offers:                   EXTERNAL + dialback, EXTERNAL, dialback, nothing
  'sasl-external-tls': {
    good: ['sasl-external-tls', 'sasl-external-tls', undefined, undefined],
    bad: [undefined, undefined, undefined, undefined],
  },
  'sasl-external-tls,dialback-tls': {
    good: ['sasl-external-tls', 'sasl-external-tls', 'dialback-tls', undefined],
    bad: ['dialback-tls', undefined, 'dialback-tls', undefined],
  },
  'dialback-tls': {
    good: ['dialback-tls', undefined, 'dialback-tls', undefined],
    bad: ['dialback-tls', undefined, 'dialback-tls', undefined],
  },
}
const offers = [[external, dialback], [external], [dialback], []]

const rows = matrixRows.filter(({ valid }) => valid)
const withTls = rows.filter(({ tls }) => tls !== 'notSupported')

describe.each(withTls)('under TLS $tls, SASL $sasl, dialback $dialback', row => {
  const chosen = underTls[row.methods.filter(method => method !== 'dialback-tcp').join()]!

  test.each([
    { certificate: 'valid', names: good, expected: chosen.good },
    { certificate: 'not valid', names: bad, expected: chosen.bad },
    { certificate: 'missing', names: [], expected: chosen.bad },
  ])(
    'the strongest method that the partner offers is taken, its certificate $certificate',
    ({ names, expected }) => {
      offers.forEach((offered, at) => {
        const peer = secured(row, names, ...offered)
        switch (expected[at]) {
          case 'sasl-external-tls':
            peer.receives(auth('='))
            break
          case 'dialback-tls':
            peer.receives(key('r2'))
            break
          default: {
            // Who misses EXTERNAL for his certificate alone learns what is wrong with it.
            const isFaulty = chosen.good[at] === 'sasl-external-tls' && names !== good
            peer.isGivenUp(/no permitted method is left/, {}, isFaulty ? 'not-authorized' : undefined)
          }
        }
      })
    },
  )
})

describe('in the clear', () => {
  test.each(rows)(
    'with TLS $tls, SASL $sasl, dialback $dialback, a partner without TLS gets what is permitted',
    row => {
      const peer = inTheClear(row, dialback)
      if (row.methods.includes('dialback-tcp')) peer.receives(key('r1'))
      else peer.isGivenUp(row.tls === 'required' ? /requires TLS/ : /no permitted method is left/)
    },
  )

  test.each([
    ['is offered', anything, [starttls, dialback]],
    ['is offered as required', anything, [starttlsRequired, dialback]],
    ['and nothing else is offered', externalOnly, [starttls]],
  ] as const)('TLS is used wherever it %s and permitted', (_, of, features) => {
    const peer = inTheClear(of, ...features)
    peer.receives(starttls)
  })

  test('TLS is not begun where the policy has none', () => {
    inTheClear(clearOnly, starttls, dialback).receives(key('r1'))
  })

  test('a partner that requires TLS is not spoken to without (RFC 6120 §5.3.1)', () => {
    inTheClear(clearOnly, starttlsRequired, dialback).isGivenUp(/partner requires TLS/)
  })

  test('EXTERNAL is never tried, though it be offered', () => {
    const peer = inTheClear(terms('optional', 'sasl-external-tls'), external)
    peer.isGivenUp(/the partner offers SASL EXTERNAL, the stream is in clear text/)
  })

  test('dialback is not tried unless it is offered', () => {
    inTheClear(clearOnly).isGivenUp(/the partner offers nothing/)
  })

  test('the dialback namespace in the header is an offer (XEP-0220 §2.3.1)', () => {
    const peer = new OutboundPeer(clearOnly)
    peer.accepts()
    peer.opens()
    peer.offers()
    peer.receives(key('r1'))
  })
})

describe('a partner whose STARTTLS comes to nothing is never spoken to in clear text', () => {
  function asked(): OutboundPeer {
    const peer = inTheClear(anything, starttls, dialback)
    peer.receives(starttls)
    return peer
  }

  test('where it refuses', () => {
    const peer = asked()
    peer.sends(tlsFailure)
    peer.isGivenUp(/offered TLS and then refused it/)
  })

  test('where the handshake fails', () => {
    const peer = asked()
    peer.sends(proceed)
    peer.breaks('the TLS handshake failed')
    peer.isGivenUp(/handshake failed/)
  })

  test.each([
    dialback,
    `<stream:features>${dialback}</stream:features>`,
    "<result xmlns='jabber:server:dialback'/>",
  ])('where it answers by %s', element => {
    const peer = asked()
    peer.sends(element)
    peer.isGivenUp(/answer to <starttls\/> was due/, {}, 'bad-format')
  })

  test('where it speaks on behind <proceed/>: that is not read', () => {
    const peer = asked()
    peer.sends(`${proceed}<stream:features>${dialback}</stream:features>`)
    peer.receivesNothing()
    peer.secures(...good)
    peer.opens()
    peer.offers(dialback)
    peer.receives(key('r2'))
  })
})

describe('direct TLS', () => {
  test('leads to EXTERNAL as STARTTLS does', () => {
    const peer = new OutboundPeer(externalOnly)
    peer.accepts(good)
    peer.opens()
    peer.offers(external)
    peer.receives(auth('='))
  })

  test('has no STARTTLS in it, though it be offered', () => {
    const peer = new OutboundPeer(dialbackOverTls)
    peer.accepts(bad)
    peer.opens()
    peer.offers(starttls, dialback)
    peer.receives(key('r1'))
  })
})

describe('dialback under TLS', () => {
  test('goes on under a certificate that is not valid, and says so', () => {
    const peer = secured(dialbackOverTls, bad, dialback)
    peer.receives(key('r2'))
    peer.isReported(/goes on under a certificate that is not valid: the certificate is not for fabrikam\.com/)
  })

  test('says nothing of a valid one', () => {
    const peer = secured(dialbackOverTls, good, dialback)
    peer.isReported()
  })
})

describe('giving up', () => {
  test('says what is permitted, what is offered, and what the certificate is worth', () => {
    secured(externalOnly, bad, external).isGivenUp(
      /^no permitted method is left: the policy permits sasl-external-tls, the partner offers SASL EXTERNAL, the certificate is not for fabrikam\.com$/,
      {},
      'not-authorized',
    )
  })

  test('hints at our own certificate where the partner offers no EXTERNAL', () => {
    secured(externalOnly, good, dialback).isGivenUp(/does not accept our certificate/)
  })

  test('blames nobody for EXTERNAL where the policy does without', () => {
    const peer = secured(dialbackOverTls, good, external)
    peer.isGivenUp(/^((?!our certificate).)*$/)
  })
})

describe('a mechanism', () => {
  const mechanisms = (...names: string[]) =>
    `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${names.map(name => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`

  test('is found among others, and with white space about it', () => {
    secured(externalOrDialback, good, mechanisms('PLAIN', ' EXTERNAL\n')).receives(auth('='))
  })

  test.each([
    mechanisms('PLAIN'),
    mechanisms('external'),
    '<mechanisms><mechanism>EXTERNAL</mechanism></mechanisms>',
  ])('is none of ours in %s', offered => {
    secured(externalOrDialback, good, offered, dialback).receives(key('r2'))
  })
})

test('every set of methods that the matrix knows is in the table here', () => {
  const sets = withTls.map(({ methods }) => methods.filter(method => method !== 'dialback-tcp').join())
  expect(new Set(sets)).toEqual(new Set(Object.keys(underTls)))
})
