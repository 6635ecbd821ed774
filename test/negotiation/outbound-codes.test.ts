import { describe, expect, test } from 'vitest'
import type { ReasonCode } from '../../src/xmpp/reason.ts'
import { OutboundPeer } from '../support/outbound-peer.ts'
import {
  clearOnly,
  dialback,
  dialbackOverTls,
  external,
  externalOnly,
  externalOrDialback,
  message,
  proceed,
  saslFailure,
  starttls,
  tlsFailure,
} from './words.ts'

type Ends = (peer: OutboundPeer) => void

const streamError = (condition: string) =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`

/** As far as the features under TLS, with a certificate for fabrikam.com. */
function under(of: ConstructorParameters<typeof OutboundPeer>[0], ...features: string[]): OutboundPeer {
  const peer = new OutboundPeer(of)
  peer.accepts()
  peer.opens({ 'xmlns:db': undefined })
  peer.offers(starttls)
  peer.sends(proceed)
  peer.receives(starttls)
  peer.secures('fabrikam.com')
  peer.opens({ 'xmlns:db': undefined })
  peer.offers(...features)
  return peer
}

function inClear(of: ConstructorParameters<typeof OutboundPeer>[0], ...features: string[]): OutboundPeer {
  const peer = new OutboundPeer(of)
  peer.accepts()
  peer.opens({ 'xmlns:db': undefined })
  peer.offers(...features)
  return peer
}

const cases: readonly [string, ReasonCode, () => OutboundPeer, Ends][] = [
  ['refuses TLS', 'tls-refused', () => inClear(externalOnly, starttls), peer => peer.sends(tlsFailure)],
  [
    'sends a stanza',
    'protocol-violation',
    () => inClear(externalOnly, starttls),
    peer => peer.sends(message),
  ],
  [
    'does not know the domain',
    'peer-host-unknown',
    () => inClear(externalOnly, starttls),
    peer => peer.sends(streamError('host-unknown')),
  ],
  [
    'ends the stream with another error',
    'peer-stream-error',
    () => inClear(externalOnly, starttls),
    peer => peer.sends(streamError('policy-violation')),
  ],
  ['is lost', 'connection-lost', () => inClear(externalOnly, starttls), peer => peer.breaks()],
  ['leaves', 'peer-left', () => inClear(externalOnly, starttls), peer => peer.breaks('gone', 'peer-left')],
  [
    'refuses EXTERNAL',
    'external-refused',
    () => under(externalOnly, external),
    peer => peer.sends(saslFailure('not-authorized')),
  ],
  [
    'leaves instead of an answer to EXTERNAL',
    'external-refused',
    () => under(externalOnly, external),
    peer => peer.breaks('gone', 'peer-left'),
  ],
  [
    'does not answer EXTERNAL in time',
    'establishment-timeout',
    () => under(externalOnly, external),
    peer => peer.breaks('late', 'establishment-timeout'),
  ],
  [
    'leaves instead of an answer to dialback',
    'dialback-unanswered',
    () => under(dialbackOverTls, dialback),
    peer => peer.breaks('gone', 'peer-left'),
  ],
  [
    'does not answer dialback in time',
    'dialback-unanswered',
    () => under(dialbackOverTls, dialback),
    peer => peer.breaks('late', 'dialback-unanswered'),
  ],
  ['offers no dialback in the clear', 'dialback-not-offered', () => inClear(clearOnly), () => {}],
  ['offers no dialback under TLS', 'dialback-not-offered', () => under(dialbackOverTls, external), () => {}],
  ['offers no EXTERNAL', 'external-not-offered', () => under(externalOnly, dialback), () => {}],
  ['offers neither', 'no-permitted-method', () => under(externalOrDialback), () => {}],
]

describe('a partner that we open a stream to', () => {
  test.each(cases)('and that %s fails as %s', (_, code, come, ends) => {
    const peer = come()
    ends(peer)
    expect(peer.failureCodes).toEqual([code])
  })
})
