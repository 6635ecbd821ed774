import { describe, expect, test } from 'vitest'
import { InboundPeer } from '../support/inbound-peer.ts'
import {
  anything,
  auth,
  clearOnly,
  dialback,
  dialbackError,
  dialbackOverTls,
  external,
  externalOnly,
  message,
  result,
  saslFailure,
  starttls,
  success,
  tlsFailure,
} from './words.ts'

describe('a partner whose policy changes while its stream is negotiated', () => {
  test.each([undefined, clearOnly])('has no TLS begun that %o does not support', terms => {
    const peer = new InboundPeer(anything)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(starttls, dialback)
    peer.isNowUnder(terms)
    peer.sends(starttls)
    peer.receives(tlsFailure)
    peer.isClosedWith(undefined)
  })

  test.each([undefined, dialbackOverTls])('has no EXTERNAL succeed that %o does not permit', terms => {
    const peer = new InboundPeer(externalOnly, { directTls: ['fabrikam.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external)
    peer.isNowUnder(terms)
    peer.sends(auth('='))
    peer.receives(saslFailure('not-authorized'))
    peer.hasProven()
  })

  test.each([
    [undefined, 'not-acceptable'],
    [externalOnly, 'not-acceptable'],
    [clearOnly, 'policy-violation'],
  ] as const)('has no key proven that %o does not permit', (terms, condition) => {
    const peer = new InboundPeer(dialbackOverTls, { directTls: [] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(dialback)
    peer.sends(result('k1'))
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' })
    peer.isNowUnder(terms)
    peer.isVouchedFor('valid')
    peer.receives(dialbackError(condition, 'modify'))
    peer.hasProven()
    expect(peer.domains).toEqual([])
  })

  test('loses what it has proven where that is no longer permitted', () => {
    const peer = new InboundPeer(externalOnly, { directTls: ['fabrikam.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external)
    peer.sends(auth('='))
    peer.receives(success)
    peer.isNowUnder(dialbackOverTls)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(dialback)
    peer.sends(message)
    peer.isClosedWith('not-authorized')
  })

  test('is turned away by its next header where it is no partner any more', () => {
    const peer = new InboundPeer(externalOnly, { directTls: ['fabrikam.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.sends(auth('='))
    peer.isNowUnder(undefined)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.isClosedWith('policy-violation')
  })
})
