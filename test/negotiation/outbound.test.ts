import { describe, test } from 'vitest'
import type { StreamCondition } from '../../src/xmpp/stream-error.ts'
import { OutboundPeer } from '../support/outbound-peer.ts'
import {
  answer,
  anything,
  auth,
  challenge,
  clearOnly,
  dialback,
  dialbackError,
  dialbackOverTls,
  external,
  externalOnly,
  externalOrDialback,
  message,
  response,
  result,
  saslFailure,
  starttls,
  success,
} from './words.ts'

const good = ['fabrikam.com']

/** A partner that has our `<auth/>`. */
function authenticating(...[terms, options]: ConstructorParameters<typeof OutboundPeer>): OutboundPeer {
  const peer = new OutboundPeer(terms, options)
  peer.accepts(good)
  peer.opens()
  peer.offers(external, dialback)
  peer.receives(auth('='))
  return peer
}

/** A partner that has our dialback key. */
function keyed(terms = dialbackOverTls): OutboundPeer {
  const peer = new OutboundPeer(terms)
  if (terms === clearOnly) peer.accepts()
  else peer.accepts(good)
  peer.opens()
  peer.offers(dialback)
  peer.receives(ourKey('r1'))
  return peer
}

const ourKey = (id: string) => result(`key:${id}`, 'contoso.com', 'fabrikam.com')
const word = (type: 'valid' | 'invalid') => answer(type, 'fabrikam.com', 'contoso.com')
const streamError = (condition: string) =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`

describe('SASL EXTERNAL', () => {
  test('is complete once the partner has opened the stream anew', () => {
    const peer = authenticating(externalOnly)
    peer.sends(success)
    peer.opens()
    peer.offers(dialback)
    peer.isTrustedBy('sasl-external-tls', 'valid')
    peer.receivesNothing()
  })

  test('answers a challenge: the authorization identity is that of the stream (XEP-0178 §3)', () => {
    const peer = authenticating(externalOnly)
    peer.sends(challenge)
    peer.receives(response('='))
    peer.sends(success)
    peer.opens()
    peer.offers()
    peer.isTrustedBy('sasl-external-tls', 'valid')
  })

  test('refused is followed by dialback on the same stream where that is permitted', () => {
    const peer = authenticating(externalOrDialback)
    peer.sends(saslFailure('not-authorized'))
    peer.receives(ourKey('r1'))
    peer.isReported(/refused SASL EXTERNAL \(not-authorized\)/)
    peer.sends(word('valid'))
    peer.isTrustedBy('dialback-tls', 'valid')
  })

  test('refused is the end where dialback is not permitted, and the reason tells what the partner said', () => {
    const peer = authenticating(externalOnly)
    peer.sends(saslFailure('not-authorized').replace('</f', '<text>we do not know you</text></f'))
    peer.isGivenUp(/EXTERNAL \(not-authorized: we do not know you\): it does not accept our certificate/, {
      method: 'sasl-external-tls',
    })
  })

  test('refused is the end where dialback is not offered', () => {
    const peer = new OutboundPeer(externalOrDialback)
    peer.accepts(good)
    peer.opens({ 'xmlns:db': undefined })
    peer.offers(external)
    peer.receives(auth('='))
    peer.sends(saslFailure('not-authorized'))
    peer.isGivenUp(/refused SASL EXTERNAL/, { method: 'sasl-external-tls' })
  })

  test.each([
    ['its connection breaks', (peer: OutboundPeer) => peer.breaks(), /connection lost, instead of an answer/],
    [
      'it ends the stream by an error',
      (peer: OutboundPeer) => peer.sends(streamError('not-authorized')),
      /not-authorized, instead of an answer/,
    ],
  ])('may be left out next time where the partner does not answer it: %s', (_, happens, reason) => {
    const peer = authenticating(externalOrDialback)
    happens(peer)
    peer.isGivenUp(reason, { method: 'sasl-external-tls', retryWithoutExternal: true })
  })

  test('may be left out next time where the partner refuses it and closes before dialback is done', () => {
    const peer = authenticating(externalOrDialback)
    peer.sends(saslFailure('not-authorized'))
    peer.receives(ourKey('r1'))
    peer.breaks()
    peer.isGivenUp(/connection lost/, { method: 'dialback-tls', retryWithoutExternal: true })
  })

  test('is not tried on the connection after that', () => {
    const peer = new OutboundPeer(externalOrDialback, { tryExternal: false })
    peer.accepts(good)
    peer.opens()
    peer.offers(external, dialback)
    peer.receives(ourKey('r1'))
    peer.breaks()
    peer.isGivenUp(/connection lost/, { method: 'dialback-tls' })
  })

  test.each([word('valid'), `<stream:features>${dialback}</stream:features>`, starttls])(
    'is not answered by %s',
    element => {
      const peer = authenticating(externalOrDialback)
      peer.sends(element)
      peer.isGivenUp(/outcome of SASL was due/, {}, 'bad-format')
    },
  )
})

describe('dialback', () => {
  test.each([
    [dialbackOverTls, 'dialback-tls', 'valid'],
    [clearOnly, 'dialback-tcp', 'none'],
  ] as const)('makes the stream ours once the partner says valid: %o', (terms, method, certificate) => {
    const peer = keyed(terms)
    peer.sends(word('valid'))
    peer.isTrustedBy(method, certificate)
  })

  test('answered as invalid gives the stanzas back as internal-server-error', () => {
    const peer = keyed()
    peer.sends(word('invalid'))
    peer.isGivenUp(/our dialback key is invalid/, {
      condition: 'internal-server-error',
      method: 'dialback-tls',
    })
  })

  test.each(['item-not-found', 'policy-violation', 'not-authorized', 'resource-constraint', 'forbidden'])(
    'answered with %s gives them back as remote-server-timeout (XEP-0220 §2.4)',
    condition => {
      const peer = keyed()
      peer.sends(dialbackError(condition, 'cancel', { from: 'fabrikam.com', to: 'contoso.com' }))
      peer.isGivenUp(new RegExp(`error ${condition}$`), { method: 'dialback-tls' })
    },
  )

  test.each([
    ['of another domain', answer('valid', 'example.net', 'contoso.com')],
    ['for another domain of ours', answer('valid', 'fabrikam.com', 'it.contoso.com')],
    ['the other way round', answer('valid', 'contoso.com', 'fabrikam.com')],
    ['about another key', answer('valid', 'fabrikam.com', 'contoso.com', 'r1')],
    ['that is a request', result('k', 'fabrikam.com', 'contoso.com')],
  ])('is not complete by a word %s', (_, element) => {
    const peer = keyed()
    peer.sends(element)
    peer.isReported(/unasked/)
    peer.isOpen()
    peer.sends(word('invalid'))
    peer.isGivenUp(/invalid/, { condition: 'internal-server-error', method: 'dialback-tls' })
  })

  test.each([
    ["<db:result from='fabrikam.com' type='valid'/>", /without valid names/],
    [success, /dialback answer was due/],
    [`<stream:features>${external}</stream:features>`, /dialback answer was due/],
  ])('is broken off by %s', (element, reason) => {
    const peer = keyed()
    peer.sends(element)
    peer.isGivenUp(reason, {}, 'bad-format')
  })

  test.each(['reset', 'host-unknown', 'host-gone'])(
    'fails when the partner closes the stream with %s',
    condition => {
      const peer = keyed()
      peer.sends(streamError(condition))
      peer.isGivenUp(new RegExp(`partner closed the stream: ${condition}`), { method: 'dialback-tls' })
    },
  )
})

describe('a partner before XMPP 1.0', () => {
  test('gets our dialback key at once, in the clear', () => {
    const peer = new OutboundPeer(anything)
    peer.accepts()
    peer.opens({ version: undefined })
    peer.receives(ourKey('r1'))
    peer.sends(word('valid'))
    peer.isTrustedBy('dialback-tcp', 'none')
  })

  test.each([
    ['TLS is required', externalOrDialback, /requires TLS/],
    [
      'dialback in the clear is not permitted',
      { ...anything, methods: ['dialback-tls'] } as const,
      /no permitted method/,
    ],
  ])('is given up where %s', (_, terms, reason) => {
    const peer = new OutboundPeer(terms)
    peer.accepts()
    peer.opens({ version: '0.9' })
    peer.isGivenUp(reason)
  })
})

describe('the answer to our header', () => {
  function answeredBy(attributes: Record<string, string | undefined>): OutboundPeer {
    const peer = new OutboundPeer(anything)
    peer.accepts()
    peer.opens(attributes)
    return peer
  }

  test('may leave from and to out', () => {
    const peer = answeredBy({ from: undefined, to: undefined })
    peer.offers(starttls)
    peer.receives(starttls)
  })

  test.each<[string, Record<string, string | undefined>, RegExp, StreamCondition]>([
    ['another domain in from', { from: 'example.net' }, /is from example\.net/, 'invalid-from'],
    ['no domain in from', { from: 'a b' }, /is from invalid/, 'invalid-from'],
    ['no id', { id: undefined }, /no id/, 'bad-format'],
    ['an empty id', { id: '' }, /no id/, 'bad-format'],
  ])('may not have %s', (_, attributes, reason, condition) => {
    answeredBy(attributes).isGivenUp(reason, {}, condition)
  })

  test.each(['host-unknown', 'host-gone'])('may be followed by %s: there is no such domain', condition => {
    const peer = answeredBy({})
    peer.sends(streamError(condition))
    peer.isGivenUp(new RegExp(condition), { isUnknownHost: true })
  })

  test('may be followed by another error, which tells nothing of the domain', () => {
    const peer = answeredBy({})
    peer.sends(streamError('policy-violation'))
    peer.isGivenUp(/closed the stream: policy-violation/)
  })

  test.each([
    ['features', () => answeredBy({})],
    ['the answer to our key', () => keyed()],
    ['the outcome of SASL', () => authenticating(externalOnly)],
  ])('is not followed by stanzas: they go the other way (instead of %s)', (_, at) => {
    const peer = at()
    peer.sends(message)
    peer.isGivenUp(/stanza on a stream that goes the other way/, {}, 'not-authorized')
  })

  test.each([starttls, word('valid'), success])('is not followed by %s before features', element => {
    const peer = answeredBy({})
    peer.sends(element)
    peer.isGivenUp(/features were due/, {}, 'bad-format')
  })
})
