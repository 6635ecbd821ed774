import { describe, test } from 'vitest'
import { OutboundPeer } from '../support/outbound-peer.ts'
import {
  answer,
  anything,
  clearOnly,
  dialback,
  dialbackError,
  dialbackOverTls,
  external,
  externalOrDialback,
  message,
  proceed,
  result,
  starttls,
  verify,
} from './words.ts'

const verification = { purpose: 'verification' } as const

/** An authoritative server that is ready to be asked. */
function ready(): OutboundPeer {
  const peer = new OutboundPeer(dialbackOverTls, verification)
  peer.accepts(['example.net'])
  peer.opens()
  peer.offers(dialback)
  peer.isReady()
  return peer
}

/** A partner that has let us in. */
function authenticated(): OutboundPeer {
  const peer = new OutboundPeer(dialbackOverTls)
  peer.accepts(['fabrikam.com'])
  peer.opens()
  peer.offers(dialback)
  peer.receives(result('key:r1', 'contoso.com', 'fabrikam.com'))
  peer.sends(answer('valid', 'fabrikam.com', 'contoso.com'))
  peer.isTrustedBy('dialback-tls', 'valid')
  return peer
}

describe('a stream for verification', () => {
  test('uses TLS where that can be had, and authenticates nobody', () => {
    const peer = new OutboundPeer(anything, verification)
    peer.accepts()
    peer.opens()
    peer.offers(starttls, dialback)
    peer.receives(starttls)
    peer.sends(proceed)
    peer.secures('fabrikam.com')
    peer.opens()
    peer.offers(external, dialback)
    peer.receivesNothing()
    peer.isReady()
  })

  test.each([
    ['TLS is optional and not offered', anything, [dialback]],
    ['the policy has none, though it be offered', clearOnly, [starttls, dialback]],
  ] as const)('goes in the clear where %s', (_, terms, features) => {
    const peer = new OutboundPeer(terms, verification)
    peer.accepts()
    peer.opens()
    peer.offers(...features)
    peer.receivesNothing()
    peer.isReady()
  })

  test('fails where TLS is required and not offered', () => {
    const peer = new OutboundPeer(externalOrDialback, verification)
    peer.accepts()
    peer.opens()
    peer.offers(dialback)
    peer.isGivenUp(/requires TLS/)
  })

  test('fails where the server does not know the domain', () => {
    const peer = new OutboundPeer(anything, verification)
    peer.accepts()
    peer.opens()
    peer.sends("<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
    peer.isGivenUp(/host-unknown/, { isUnknownHost: true })
  })

  test('is ready at once where the server is from before XMPP 1.0', () => {
    const peer = new OutboundPeer(clearOnly, verification)
    peer.accepts()
    peer.opens({ version: undefined })
    peer.isReady()
  })
})

describe.each([
  ['a stream for verification', ready],
  ['a stream for stanzas', authenticated],
])('on %s', (_, open) => {
  test('keys are asked about, each answer with its stream id', () => {
    const peer = open()
    peer.isAskedToVerify('D60000229F', 'k1')
    peer.isAskedToVerify('417GAF25', 'k2')
    peer.receives(
      verify('D60000229F', 'k1', 'contoso.com', 'fabrikam.com'),
      verify('417GAF25', 'k2', 'contoso.com', 'fabrikam.com'),
    )
    peer.sends(answer('invalid', 'fabrikam.com', 'contoso.com', '417GAF25'))
    peer.sends(answer('valid', 'fabrikam.com', 'contoso.com', 'D60000229F'))
    peer.hasAnswered('contoso.com fabrikam.com 417GAF25 invalid', 'contoso.com fabrikam.com D60000229F valid')
    peer.isOpen()
  })

  test.each(['item-not-found', 'remote-server-timeout'])(
    'an error %s is remote-server-not-found to who asks us (XEP-0220 §2.4)',
    condition => {
      const peer = open()
      peer.isAskedToVerify('1', 'k')
      peer.sends(dialbackError(condition, 'cancel', { from: 'fabrikam.com', to: 'contoso.com', id: '1' }))
      peer.hasAnswered('contoso.com fabrikam.com 1 error remote-server-not-found')
      peer.isOpen()
    },
  )

  test.each([
    ['a word about our key', answer('valid', 'fabrikam.com', 'contoso.com')],
    [
      'a word about our key with an id',
      "<db:result from='fabrikam.com' to='contoso.com' id='1' type='valid'/>",
    ],
    ['a key of the partner', result('k')],
    ['a question about a key', verify('1', 'k')],
    ['an answer without id', "<db:verify from='fabrikam.com' to='contoso.com' type='valid'/>"],
    ['an answer without names', "<db:verify id='1' type='valid'/>"],
  ])('nothing comes of %s', (_, element) => {
    const peer = open()
    peer.isAskedToVerify('1', 'k')
    peer.receives(verify('1', 'k', 'contoso.com', 'fabrikam.com'))
    peer.sends(element)
    peer.isReported(/unasked/)
    peer.hasAnswered()
    peer.receivesNothing()
    peer.isOpen()
  })

  test('an answer bears the names that the partner gave it: whoever asked compares them', () => {
    const peer = open()
    peer.sends(answer('valid', 'example.net', 'it.contoso.com', '1'))
    peer.hasAnswered('it.contoso.com example.net 1 valid')
  })

  test('more features change nothing', () => {
    const peer = open()
    peer.offers(external)
    peer.receivesNothing()
    peer.isOpen()
  })

  test.each([
    [message, /goes the other way/, 'not-authorized'],
    [starttls, /<starttls\/> is not understood/, 'unsupported-stanza-type'],
  ] as const)('the partner is cut off for %s', (element, reason, condition) => {
    const peer = open()
    peer.sends(element)
    peer.isGivenUp(reason, {}, condition)
  })
})

test('names go over the wire in U-labels', () => {
  const peer = new OutboundPeer(clearOnly, { local: 'bücher.example', remote: 'münchen.example' })
  peer.accepts()
  peer.receives(
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
      "xmlns:db='jabber:server:dialback' from='bücher.example' to='münchen.example' version='1.0'>",
  )
  peer.sends(
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='xn--mnchen-3ya.example' id='1'>",
  )
  peer.receives(result('key:1', 'bücher.example', 'münchen.example'))
  peer.sends(answer('valid', 'xn--mnchen-3ya.example', 'xn--bcher-kva.example'))
  peer.isTrustedBy('dialback-tcp', 'none')
})
