import { describe, expect, test } from 'vitest'
import { advance, opened } from '../../src/negotiation/inbound.ts'
import type { InboundContext } from '../../src/negotiation/inbound-stream.ts'
import { InboundPeer } from '../support/inbound-peer.ts'
import {
  anything,
  auth,
  clearOnly,
  dialback,
  external,
  externalOnly,
  externalOrDialback,
  message,
  proceed,
  result,
  saslFailure,
  starttls,
  starttlsRequired,
  tlsFailure,
} from './words.ts'

/** A partner whose stream is open in the clear. */
function inTheClear(...[terms, options]: ConstructorParameters<typeof InboundPeer>): InboundPeer {
  const peer = new InboundPeer(terms, options)
  peer.opens('fabrikam.com', 'contoso.com')
  peer.receivesFeatures(
    ...(terms === clearOnly ? [dialback] : terms === anything ? [starttls, dialback] : [starttlsRequired]),
  )
  return peer
}

describe('a partner in the clear', () => {
  test('is cut off when it sends a stanza first (RFC 6120 §4.9.3.12)', () => {
    const peer = inTheClear(externalOnly)
    peer.sends(message)
    peer.isClosedWith('not-authorized')
  })

  test.each(['PLAIN', 'EXTERNAL'])('that tries SASL %s is told to encrypt, and may go on', mechanism => {
    const peer = inTheClear(externalOnly)
    peer.sends(auth('=', mechanism))
    peer.receives(saslFailure('encryption-required'))
    peer.isOpen()
    peer.sends(starttls)
    peer.receives(proceed)
  })

  test('that asks for TLS where its policy has none gets <failure/> and the end (RFC 6120 §5.4.2.2)', () => {
    const peer = inTheClear(clearOnly)
    peer.sends(starttls)
    peer.receives(tlsFailure)
    peer.isClosedWith(undefined)
  })

  test('has nothing read that stands behind its <starttls/>', () => {
    const peer = inTheClear(anything)
    peer.sends(starttls + result('injected') + message)
    peer.receives(proceed)
    peer.secures('fabrikam.com')
    peer.hasChecked()
    peer.isOpen()
  })

  test('keeps nothing of what it proved there: after TLS it starts over (RFC 6120 §5.4.3.3)', () => {
    const peer = inTheClear(anything)
    peer.sends(result('k1'))
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' })
    peer.isVouchedFor('valid')
    peer.hasProven('fabrikam.com contoso.com dialback-tcp none')
    peer.receives("<db:result from='contoso.com' to='fabrikam.com' type='valid'/>")
    peer.sends(starttls)
    peer.receives(proceed)
    peer.secures('fabrikam.com')
    expect(peer.domains).toEqual([])
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external, dialback)
    expect(peer.domains).toEqual([])
    peer.sends(message)
    peer.isClosedWith('not-authorized')
  })

  test('has a key forgotten that was sent before TLS and vouched for after it', () => {
    const peer = inTheClear(anything)
    peer.sends(result('k1') + starttls)
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' })
    peer.receives(proceed)
    peer.secures()
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(dialback)
    peer.isVouchedFor('valid')
    peer.hasProven()
    peer.receivesNothing()
    expect(peer.domains).toEqual([])
  })

  test('is not heard when the answer about its key comes during the handshake', () => {
    const peer = inTheClear(anything)
    peer.sends(result('k1') + starttls)
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' })
    peer.isVouchedFor('valid')
    peer.hasProven()
    peer.isOpen()
  })

  test.each([
    ["<iq xmlns='jabber:client'/>", 'unsupported-stanza-type'],
    ["<compress xmlns='http://jabber.org/protocol/compress'/>", 'unsupported-stanza-type'],
    ["<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>", 'unsupported-stanza-type'],
    [proceed, 'unsupported-stanza-type'],
  ] as const)('is cut off for %s', (element, condition) => {
    const peer = inTheClear(externalOnly)
    peer.sends(element)
    peer.isClosedWith(condition)
  })

  test('ends the stream in good order by a stream error of its own', () => {
    const peer = inTheClear(externalOnly)
    peer.sends("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
    peer.receivesNothing()
    peer.isClosedWith(undefined)
  })
})

describe('a partner under TLS', () => {
  test.each<[string, () => InboundPeer]>([
    [
      'STARTTLS',
      () => {
        const peer = inTheClear(externalOnly)
        peer.sends(starttls)
        peer.receives(proceed)
        peer.secures('fabrikam.com')
        return peer
      },
    ],
    ['direct TLS (XEP-0368)', () => new InboundPeer(externalOnly, { directTls: ['fabrikam.com'] })],
  ])('begun by %s is cut off when it asks for it again', (_, secured) => {
    const peer = secured()
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external)
    peer.sends(starttls)
    peer.receivesNothing()
    peer.isClosedWith('policy-violation')
  })

  test('begun at once is offered EXTERNAL and dialback as after STARTTLS', () => {
    const peer = new InboundPeer(externalOrDialback, { directTls: ['fabrikam.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external, dialback)
  })
})

describe('an event out of turn', () => {
  const context = { mainDomain: 'contoso.com' } as unknown as InboundContext

  test.each(['stanza', 'secured'] as const)('%s instead of a header ends the stream', on => {
    const event = on === 'secured' ? { on, chain: [] } : { on }
    const { state, actions } = advance(opened({ secure: false }), event, context)
    expect(state.at).toBe('closed')
    expect(actions).toMatchObject([{ do: 'close', condition: 'bad-format' }])
  })

  test('during the TLS handshake ends the stream, unless it is the end of the connection', () => {
    expect(advance({ at: 'securing' }, { on: 'stanza' }, context).actions).toMatchObject([
      { do: 'close', condition: 'bad-format' },
    ])
    expect(advance({ at: 'securing' }, { on: 'lost' }, context)).toEqual({
      state: { at: 'closed' },
      actions: [],
    })
  })

  test('finds a closed stream deaf', () => {
    const peer = inTheClear(anything)
    peer.isLost()
    peer.sends(message)
    peer.isRefused('system-shutdown')
    peer.receivesNothing()
    expect(peer.domains).toEqual([])
  })
})
