import { describe, expect, test } from 'vitest'
import { judgeExternal } from '../../src/negotiation/sasl-external.ts'
import { domain, InboundPeer } from '../support/inbound-peer.ts'
import {
  abort,
  answer,
  auth,
  base64,
  challenge,
  dialback,
  dialbackOverTls,
  external,
  externalOnly,
  externalOrDialback,
  message,
  response,
  result,
  saslFailure,
  success,
} from './words.ts'

/** A partner under TLS, with a certificate for these domains. */
function secured(terms: ConstructorParameters<typeof InboundPeer>[0], ...names: string[]): InboundPeer {
  const peer = new InboundPeer(terms, { directTls: names })
  peer.opens('fabrikam.com', 'contoso.com')
  const methods = new Set<string>(terms.methods)
  peer.receivesFeatures(
    ...(names.includes('fabrikam.com') && methods.has('sasl-external-tls') ? [external] : []),
    ...(methods.has('dialback-tls') ? [dialback] : []),
  )
  return peer
}

describe('SASL EXTERNAL', () => {
  test.each([
    ['absent (=)', '='],
    ['the domain of the stream', base64('fabrikam.com')],
    ['that domain in capitals', base64('FABRIKAM.com')],
  ])('succeeds with an authorization identity that is %s', (_, content) => {
    const peer = secured(externalOnly, 'fabrikam.com')
    peer.sends(auth(content))
    peer.receives(success)
    peer.hasProven('fabrikam.com contoso.com sasl-external-tls valid')
    expect(peer.domains).toEqual([]) // nothing is taken before the header that follows
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures()
    expect(peer.domains).toEqual(['fabrikam.com'])
  })

  test.each([
    ['absent', ''],
    ['absent (=)', '='],
    ['the domain', base64('fabrikam.com')],
  ])('without content asks by an empty challenge; the response may be %s', (_, content) => {
    const peer = secured(externalOnly, 'fabrikam.com')
    peer.sends(auth(''))
    peer.receives(challenge)
    peer.hasProven()
    peer.sends(response(content))
    peer.receives(success)
    peer.hasProven('fabrikam.com contoso.com sasl-external-tls valid')
  })

  test.each([
    ['another domain', base64('example.net'), 'invalid-authzid'],
    ['another domain of ours', base64('contoso.com'), 'invalid-authzid'],
    ['a subdomain', base64('sub.fabrikam.com'), 'invalid-authzid'],
    ['an address at the domain', base64('juliet@fabrikam.com'), 'invalid-authzid'],
    ['two names', base64('fabrikam.com\0fabrikam.com'), 'invalid-authzid'],
    ['no base64', 'fabrikam.com', 'incorrect-encoding'],
    ['base64 without its padding', base64('fabrikam').replace('=', ''), 'incorrect-encoding'],
    ['base64 with something behind', `${base64('fabrikam.com')}%`, 'incorrect-encoding'],
    ['base64url', '-_-_', 'incorrect-encoding'],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0xfd]).toString('base64'), 'incorrect-encoding'],
  ])('fails with %s, at once and as a response', (_, content, condition) => {
    const peer = secured(externalOnly, 'fabrikam.com')
    peer.sends(auth(content))
    peer.receives(saslFailure(condition))
    peer.sends(auth(''))
    peer.receives(challenge)
    peer.sends(response(content))
    peer.receives(saslFailure(condition))
    peer.hasProven()
    peer.isOpen()
  })

  test('fails under a certificate for another domain', () => {
    const peer = secured(externalOnly, 'example.net')
    peer.sends(auth('='))
    // RFC 6120 §6.5: the peer's operator may know what is wrong with his certificate.
    peer.receives(saslFailure('not-authorized', 'the certificate is not for fabrikam.com'))
    peer.isReported(/not for fabrikam\.com/, /not offered: .* not for fabrikam\.com/)
    peer.isOpen()
    peer.sends(message)
    peer.isClosedWith('not-authorized')
  })

  test('fails without a certificate, whatever the authorization identity', () => {
    const peer = secured(externalOnly)
    peer.sends(auth(base64('fabrikam.com')))
    peer.receives(saslFailure('not-authorized', 'the certificate is not for fabrikam.com'))
  })

  test('fails where the policy does not permit it, though the certificate is good', () => {
    const peer = secured(dialbackOverTls, 'fabrikam.com')
    peer.sends(auth('='))
    peer.receives(saslFailure('not-authorized'))
    peer.hasProven()
  })

  test('fails for a peer that has not named itself', () => {
    const peer = new InboundPeer(externalOnly, { directTls: ['fabrikam.com'] })
    peer.opens(undefined, 'contoso.com')
    peer.receivesFeatures()
    peer.sends(auth(base64('fabrikam.com')))
    peer.receives(saslFailure('not-authorized'))
    peer.hasProven()
  })

  test('is followed by dialback on the same stream where it failed and that is permitted', () => {
    const peer = secured(externalOrDialback, 'example.net')
    peer.sends(auth('='))
    peer.receives(saslFailure('not-authorized', 'the certificate is not for fabrikam.com'))
    peer.sends(result('k1'))
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' })
    peer.isVouchedFor('valid')
    peer.receives(answer('valid'))
    peer.hasProven('fabrikam.com contoso.com dialback-tls invalid')
  })

  test.each([
    ['PLAIN', auth('=', 'PLAIN')],
    ['a mechanism written otherwise', auth('=', 'external')],
    ['none', "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</auth>"],
  ])('is the only mechanism: %s is invalid', (_, element) => {
    const peer = secured(externalOnly, 'fabrikam.com')
    peer.sends(element)
    peer.receives(saslFailure('invalid-mechanism'))
    peer.isOpen()
  })

  test('is not repeated once it has succeeded', () => {
    const peer = secured(externalOnly, 'fabrikam.com')
    peer.sends(auth('='))
    peer.receives(success)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures()
    peer.sends(auth('='))
    peer.receives(saslFailure('invalid-mechanism'))
    peer.isOpen()
    expect(peer.domains).toEqual(['fabrikam.com'])
  })

  test('may be aborted, and then begun again', () => {
    const peer = secured(externalOnly, 'fabrikam.com')
    peer.sends(auth(''))
    peer.receives(challenge)
    peer.sends(abort)
    peer.receives(saslFailure('aborted'))
    peer.sends(response('='))
    peer.receives(saslFailure('malformed-request'))
    peer.hasProven()
    peer.sends(auth('='))
    peer.receives(success)
  })

  // RFC 6120 §6.4.4: two retries at least; each of them has the certificate judged.
  test('may be tried three times again; a fourth failure in all ends the stream', () => {
    const peer = secured(externalOrDialback, 'example.net')
    const failure = saslFailure('not-authorized', 'the certificate is not for fabrikam.com')
    for (let retries = 0; retries < 3; retries++) {
      peer.sends(auth('='))
      peer.receives(failure)
      peer.isOpen()
    }
    peer.sends(auth('='))
    peer.receives(failure)
    peer.isClosedWith('policy-violation')
  })

  test('counts what else fails of it, too', () => {
    const peer = secured(externalOnly, 'fabrikam.com')
    for (const element of [auth('='.repeat(2)), auth('=', 'PLAIN'), response('=')]) peer.sends(element)
    peer.isOpen()
    peer.sends(abort)
    peer.isClosedWith('policy-violation')
  })

  test('proves the pair of the stream alone, even under a certificate for more domains', () => {
    const peer = new InboundPeer(externalOnly, {
      partners: { 'fabrikam.com': externalOnly, 'adatum.com': externalOnly },
      directTls: ['fabrikam.com', 'adatum.com'],
    })
    peer.opens('fabrikam.com', 'it.contoso.com')
    peer.receivesFeatures(external)
    peer.sends(auth(base64('adatum.com')))
    peer.receives(saslFailure('invalid-authzid'))
    peer.sends(auth('='))
    peer.hasProven('fabrikam.com it.contoso.com sasl-external-tls valid')
  })
})

test('an authorization identity may be an IDN in either form', () => {
  const remote = domain('münchen.example')
  for (const name of ['münchen.example', 'xn--mnchen-3ya.example'])
    expect(judgeExternal(base64(name), remote, 'auth')).toEqual({ is: 'success' })
})
