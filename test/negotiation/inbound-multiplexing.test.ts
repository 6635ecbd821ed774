import { describe, expect, test } from 'vitest'
import { maxPairs } from '../../src/negotiation/inbound-stream.ts'
import type { Terms } from '../../src/negotiation/stream.ts'
import { InboundPeer } from '../support/inbound-peer.ts'
import {
  answer,
  anything,
  auth,
  dialback,
  dialbackError,
  dialbackOverTls,
  externalOnly,
  externalOrDialback,
  result,
  starttls,
} from './words.ts'

const question = { from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' }

/** fabrikam.com under TLS, with a certificate that is not valid, before a gateway with these partners. */
function secured(partners: Record<string, Terms>): InboundPeer {
  const peer = new InboundPeer(dialbackOverTls, { directTls: ['example.net'], partners })
  peer.opens('fabrikam.com', 'contoso.com')
  peer.receivesFeatures(dialback)
  return peer
}

describe('several pairs on one stream (XEP-0220 §2.5)', () => {
  const partners = {
    'fabrikam.com': dialbackOverTls,
    'adatum.com': dialbackOverTls,
    'fourthcoffee.com': externalOnly,
  }

  test('are proven each by itself', () => {
    const peer = secured(partners)
    peer.sends(result('k1') + result('k2', 'adatum.com') + result('k3', 'fabrikam.com', 'it.contoso.com'))
    peer.hasChecked(
      question,
      { ...question, from: 'adatum.com', key: 'k2' },
      { ...question, to: 'it.contoso.com', key: 'k3' },
    )
    peer.isVouchedFor('valid', 'adatum.com')
    peer.receives(answer('valid', 'contoso.com', 'adatum.com'))
    expect(peer.domains).toEqual(['adatum.com'])
    peer.isVouchedFor('invalid')
    peer.receives(answer('invalid'))
    peer.isVouchedFor('valid', 'fabrikam.com', 'it.contoso.com')
    peer.receives(answer('valid', 'it.contoso.com'))
    peer.hasProven(
      'adatum.com contoso.com dialback-tls invalid',
      'fabrikam.com it.contoso.com dialback-tls invalid',
    )
  })

  test('follow the policy of their own domain, whoever opened the stream', () => {
    const peer = secured(partners)
    peer.sends(result('k1', 'fourthcoffee.com'))
    peer.isReported(/not permit/)
    peer.receivesNothing()
    peer.hasChecked()
    peer.isOpen()
  })

  test('may join one that EXTERNAL has proven', () => {
    const peer = new InboundPeer(externalOrDialback, { directTls: ['fabrikam.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.sends(auth('='))
    peer.opens('fabrikam.com', 'contoso.com')
    peer.sends(result('k1', 'fabrikam.com', 'it.contoso.com'))
    peer.hasChecked({ ...question, to: 'it.contoso.com', streamId: 's2' })
    peer.isVouchedFor('valid', 'fabrikam.com', 'it.contoso.com')
    peer.hasProven(
      'fabrikam.com contoso.com sasl-external-tls valid',
      'fabrikam.com it.contoso.com dialback-tls valid',
    )
    expect(peer.domains).toEqual(['fabrikam.com', 'fabrikam.com'])
  })

  test('stay proven when EXTERNAL proves another, whatever the policy of that one', () => {
    const peer = new InboundPeer(externalOnly, {
      partners: { 'fourthcoffee.com': externalOnly, 'adatum.com': dialbackOverTls },
      directTls: ['fourthcoffee.com'],
    })
    peer.opens('fourthcoffee.com', 'contoso.com')
    peer.sends(result('k1', 'adatum.com'))
    peer.hasChecked({ ...question, from: 'adatum.com' })
    peer.isVouchedFor('valid', 'adatum.com')
    peer.sends(auth('='))
    peer.opens('fourthcoffee.com', 'contoso.com')
    expect(peer.domains).toEqual(['adatum.com', 'fourthcoffee.com'])
  })

  test('are limited in number, proven ones and asked ones together', () => {
    const names = Array.from({ length: maxPairs + 1 }, (_, index) => `p${index}.example`)
    const peer = secured(Object.fromEntries(['fabrikam.com', ...names].map(name => [name, dialbackOverTls])))
    for (const name of names) peer.sends(result('k', name))
    const last = names.at(-1)!
    peer.receives(dialbackError('resource-constraint', 'wait', { to: last }))
    peer.hasChecked(...names.slice(0, -1).map(from => ({ ...question, from, key: 'k' })))
    peer.isVouchedFor('valid', names[0])
    peer.receives(answer('valid', 'contoso.com', names[0]))
    peer.sends(result('k', last))
    peer.receives(dialbackError('resource-constraint', 'wait', { to: last }))
    peer.isVouchedFor('invalid', names[1])
    peer.receives(answer('invalid', 'contoso.com', names[1]))
    peer.sends(result('k', last))
    peer.hasChecked({ ...question, from: last, key: 'k' })
    peer.isOpen()
  })
})

test('a peer without a name is judged when its first request names one', () => {
  const partners = {
    'fabrikam.com': dialbackOverTls,
    'adatum.com': anything,
    'fourthcoffee.com': externalOnly,
  }
  const peer = new InboundPeer(anything, { partners })
  peer.opens(undefined, 'contoso.com')
  peer.receivesFeatures(starttls, dialback)
  peer.sends(result('k', 'fourthcoffee.com'))
  peer.receivesNothing()
  peer.sends(result('k', 'fabrikam.com'))
  peer.receives(dialbackError('policy-violation', 'modify'))
  peer.sends(result('k', 'adatum.com'))
  peer.hasChecked({ from: 'adatum.com', to: 'contoso.com', key: 'k', streamId: 's1' })
  peer.isVouchedFor('valid', 'adatum.com')
  expect(peer.domains).toEqual(['adatum.com'])
})
