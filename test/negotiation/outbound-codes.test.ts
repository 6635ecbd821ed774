import { describe, expect, test } from 'vitest'
import type { ReasonCode } from '../../src/xmpp/reason.ts'
import { OutboundPeer } from '../support/outbound-peer.ts'
import {
  clearOnly,
  dialback,
  dialbackError,
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

const streamError = (condition: string, text?: string) => {
  const xmlns = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
  const said = text === undefined ? '' : `<text ${xmlns}>${text}</text>`
  return `<stream:error><${condition} ${xmlns}/>${said}</stream:error>`
}

const refusesKey = (condition: string): Ends => {
  const error = dialbackError(condition, 'cancel', { from: 'fabrikam.com', to: 'contoso.com' })
  return peer => peer.sends(error.replace(' ', " xmlns:db='jabber:server:dialback' "))
}

/** As far as the header under TLS, with a certificate for fabrikam.com. */
function secured(of: ConstructorParameters<typeof OutboundPeer>[0]): OutboundPeer {
  const peer = new OutboundPeer(of)
  peer.accepts()
  peer.opens({ 'xmlns:db': undefined })
  peer.offers(starttls)
  peer.sends(proceed)
  peer.receives(starttls)
  peer.secures('fabrikam.com')
  peer.opens({ 'xmlns:db': undefined })
  return peer
}

/** As far as the features under TLS. */
function under(of: ConstructorParameters<typeof OutboundPeer>[0], ...features: string[]): OutboundPeer {
  const peer = secured(of)
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

/** A partner that declares dialback in its header, and offers this under TLS, with a certificate for that domain. */
function declares(
  of: ConstructorParameters<typeof OutboundPeer>[0],
  features: readonly string[],
  certified = 'fabrikam.com',
): OutboundPeer {
  const peer = new OutboundPeer(of)
  peer.accepts([certified])
  peer.opens()
  peer.offers(...features)
  return peer
}

const isSilent: Ends = peer => peer.breaks('late', 'dialback-unanswered')

/** A partner that has refused EXTERNAL, and has our dialback key. */
function refusedExternal(): OutboundPeer {
  const peer = under(externalOrDialback, external, dialback)
  peer.sends(saslFailure('not-authorized'))
  return peer
}

const cases: readonly (readonly [string, ReasonCode, () => OutboundPeer, Ends])[] = [
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
  [
    'ends the stream as it does not trust our certificate, in the words of Prosody',
    'our-certificate-refused',
    () => secured(externalOrDialback),
    peer => peer.sends(streamError('not-authorized', "Your server's certificate is not trusted")),
  ],
  [
    'ends the stream instead of an answer to EXTERNAL, because of our certificate',
    'our-certificate-refused',
    () => under(externalOnly, external),
    peer => peer.sends(streamError('policy-violation', 'certificate of contoso.com expired')),
  ],
  [
    'ends the stream for another reason, with a word about certificates',
    'peer-stream-error',
    () => secured(externalOrDialback),
    peer => peer.sends(streamError('conflict', 'a stream with that certificate is there')),
  ],
  ...(['system-shutdown', 'reset'] as const).map(
    condition =>
      [
        `ends the stream by ${condition}`,
        'peer-stopping',
        () => secured(externalOrDialback),
        (peer: OutboundPeer) => peer.sends(streamError(condition, 'for a new certificate')),
      ] as const,
  ),
  [
    'ends the stream by system-shutdown instead of an answer to EXTERNAL',
    'peer-stopping',
    () => under(externalOnly, external),
    peer => peer.sends(streamError('system-shutdown')),
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
  ...(['remote-server-not-found', 'remote-connection-failed', 'remote-server-timeout'] as const).map(
    condition =>
      [
        `answers dialback with ${condition}`,
        'dialback-cannot-reach-us',
        () => under(dialbackOverTls, dialback),
        refusesKey(condition),
      ] as const,
  ),
  [
    'answers dialback with another error',
    'dialback-refused',
    () => under(dialbackOverTls, dialback),
    refusesKey('policy-violation'),
  ],
  [
    'refuses EXTERNAL, and then dialback',
    'external-refused',
    () => refusedExternal(),
    refusesKey('policy-violation'),
  ],
  [
    'refuses EXTERNAL, and leaves',
    'external-refused',
    () => refusedExternal(),
    peer => peer.breaks('gone', 'peer-left'),
  ],
  [
    'refuses EXTERNAL, and ends the stream',
    'external-refused',
    () => refusedExternal(),
    peer => peer.sends(streamError('not-authorized')),
  ],
  [
    'refuses EXTERNAL, and cannot reach us for dialback',
    'dialback-cannot-reach-us',
    () => refusedExternal(),
    refusesKey('remote-server-not-found'),
  ],
  [
    'offers no EXTERNAL, and is silent about dialback, which it declares alone',
    'external-not-offered',
    () => declares(externalOrDialback, []),
    isSilent,
  ],
  [
    'offers no EXTERNAL, and leaves at dialback, which it declares alone',
    'external-not-offered',
    () => declares(externalOrDialback, []),
    peer => peer.breaks('gone', 'peer-left'),
  ],
  [
    'offers no EXTERNAL, and answers dialback, which it declares alone, with an error',
    'dialback-refused',
    () => declares(externalOrDialback, []),
    refusesKey('policy-violation'),
  ],
  [
    'shows a certificate of another, and is silent about dialback, which it declares alone',
    'certificate-wrong-name',
    () => declares(externalOrDialback, [external], 'evil.example'),
    isSilent,
  ],
  [
    'refuses EXTERNAL, and is silent about dialback, which it declares alone',
    'external-refused',
    () => {
      const peer = declares(externalOrDialback, [external])
      peer.sends(saslFailure('not-authorized'))
      return peer
    },
    isSilent,
  ],
  [
    'refuses EXTERNAL, and is silent about dialback, which it offers',
    'dialback-unanswered',
    () => refusedExternal(),
    isSilent,
  ],
  [
    'is silent about dialback, which it offers, though not EXTERNAL',
    'dialback-unanswered',
    () => declares(externalOrDialback, [dialback]),
    isSilent,
  ],
  [
    'is silent about dialback, which alone is permitted, and which it declares alone',
    'dialback-unanswered',
    () => declares(dialbackOverTls, []),
    isSilent,
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
