import { describe, expect, test } from 'vitest'
import type { StreamCondition } from '../../src/xmpp/stream-error.ts'
import { featuresText, InboundPeer } from '../support/inbound-peer.ts'
import {
  auth,
  clearOnly,
  dialback,
  dialbackOverTls,
  external,
  externalOnly,
  externalOrDialback,
  message,
  proceed,
  result,
  saslFailure,
  starttls,
  starttlsRequired,
  success,
} from './words.ts'

/** The gateway's header, as it answers. */
const header = (attributes: string): string =>
  "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
  `xmlns:db='jabber:server:dialback' ${attributes}>`

describe('a stream header', () => {
  test.each<[string, string | undefined, string | undefined, StreamCondition]>([
    ['without to', 'fabrikam.com', undefined, 'host-unknown'],
    ['to a domain that is not ours', 'fabrikam.com', 'example.net', 'host-unknown'],
    ['to a subdomain of ours that is not listed', 'fabrikam.com', 'sub.contoso.com', 'host-unknown'],
    ['to what is no domain', 'fabrikam.com', 'romeo@contoso.com', 'host-unknown'],
    ['without either name, as far as to goes', undefined, undefined, 'host-unknown'],
    ['from a stranger', 'example.net', 'contoso.com', 'policy-violation'],
    ['from a subdomain of a partner', 'sub.fabrikam.com', 'contoso.com', 'policy-violation'],
    ['from our own domain', 'contoso.com', 'contoso.com', 'policy-violation'],
    ['from another domain of ours', 'it.contoso.com', 'contoso.com', 'policy-violation'],
    ['from what is no domain', 'juliet@fabrikam.com', 'contoso.com', 'invalid-from'],
    ['from an empty name', '', 'contoso.com', 'invalid-from'],
  ])('%s is refused', (_, from, to, condition) => {
    const peer = new InboundPeer(externalOnly)
    peer.opens(from, to)
    peer.isClosedWith(condition)
  })

  test('from our own domain is refused, though that be listed as a partner', () => {
    const peer = new InboundPeer(externalOnly, { partners: { 'it.contoso.com': externalOnly } })
    peer.opens('it.contoso.com', 'contoso.com')
    peer.isClosedWith('policy-violation')
  })

  test('is answered before it is refused (RFC 6120 §4.9.1.2), from a domain of ours', () => {
    const peer = new InboundPeer(externalOnly)
    peer.opens('fabrikam.com', 'example.net')
    peer.receives(header("from='contoso.com' to='fabrikam.com' id='s1' version='1.0'"))
    peer.isClosedWith('host-unknown')
  })

  test('is answered from the domain it asked for, before the features', () => {
    const peer = new InboundPeer(externalOnly)
    peer.opens('Fabrikam.COM.', 'IT.Contoso.com')
    peer.receives(
      header("from='it.contoso.com' to='fabrikam.com' id='s1' version='1.0'"),
      featuresText(starttlsRequired),
    )
    peer.isOpen()
  })

  test('is answered in U-labels, however it was written', () => {
    const peer = new InboundPeer(externalOnly, { partners: { 'münchen.example': externalOnly } })
    peer.opens('xn--mnchen-3ya.example', 'contoso.com', { version: undefined })
    peer.receives(header("from='contoso.com' to='münchen.example' id='s1'"))
  })

  test.each([
    ['absent', undefined, ''],
    ['0.9', '0.9', ''],
    ['1.0', '1.0', " version='1.0'"],
    ['2.0', '2.0', " version='1.0'"],
    ['no number', 'one', ''],
  ])('of a version that is %s is answered accordingly (RFC 6120 §4.7.5)', (_, version, answered) => {
    const peer = new InboundPeer(clearOnly)
    peer.opens('fabrikam.com', 'contoso.com', { version })
    peer.receives(
      header(`from='contoso.com' to='fabrikam.com' id='s1'${answered}`),
      answered === '' ? '' : featuresText(dialback),
    )
  })

  test('of a peer before XMPP 1.0 leads to dialback without features', () => {
    const peer = new InboundPeer(clearOnly)
    peer.opens('fabrikam.com', 'contoso.com', { version: undefined })
    peer.sends(result('k1'))
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' })
    peer.isOpen()
  })

  test('without version and under a policy of TLS leads nowhere', () => {
    const peer = new InboundPeer(externalOnly)
    peer.opens('fabrikam.com', 'contoso.com', { version: undefined })
    peer.sends(message)
    peer.isClosedWith('not-authorized')
  })
})

describe('the header after TLS', () => {
  const partners = { 'fabrikam.com': externalOnly, 'adatum.com': dialbackOverTls }

  function secured(from: string | undefined, ...names: string[]): InboundPeer {
    const peer = new InboundPeer(externalOnly, { partners })
    peer.opens(from, 'contoso.com')
    peer.receivesFeatures(starttlsRequired)
    peer.sends(starttls)
    peer.receives(proceed)
    peer.secures(...names)
    return peer
  }

  test('may name another domain: the policy of that one holds', () => {
    const peer = secured('fabrikam.com', 'fabrikam.com', 'adatum.com')
    peer.opens('adatum.com', 'it.contoso.com')
    peer.receivesFeatures(dialback)
    peer.sends(auth('='))
    peer.isReported(/not permitted/)
    expect(peer.domains).toEqual([])
  })

  test('may be the first to name one', () => {
    const peer = secured(undefined, 'fabrikam.com')
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external)
  })

  test('may not name a stranger', () => {
    const peer = secured('fabrikam.com', 'fabrikam.com', 'example.net')
    peer.opens('example.net', 'contoso.com')
    peer.isClosedWith('policy-violation')
  })

  test('has the certificate judged for the domain that it names, not for the one before', () => {
    const peer = secured('adatum.com', 'adatum.com')
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures()
    peer.sends(auth('='))
    peer.receives(saslFailure('not-authorized', 'the certificate is not for fabrikam.com'))
  })
})

describe('the header after SASL', () => {
  function proven(): InboundPeer {
    const peer = new InboundPeer(externalOrDialback, { directTls: ['fabrikam.com', 'adatum.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(external, dialback)
    peer.sends(auth('='))
    peer.receives(success)
    return peer
  }

  test.each<[string, string | undefined, string | undefined]>([
    ['another from', 'adatum.com', 'contoso.com'],
    ['another to', 'fabrikam.com', 'it.contoso.com'],
    ['no to', 'fabrikam.com', undefined],
    ['a from that is no domain', '@', 'contoso.com'],
  ])('with %s is refused', (_, from, to) => {
    const peer = proven()
    peer.opens(from, to)
    peer.isClosedWith('improper-addressing')
  })

  test.each([['fabrikam.com'], [undefined]])('from %s goes on as the same peer, under a new id', from => {
    const peer = proven()
    peer.opens(from, 'contoso.com')
    peer.receivesFeatures(dialback)
    expect(peer.domains).toEqual(['fabrikam.com'])
    peer.sends(result('k2'))
    peer.hasChecked({ from: 'fabrikam.com', to: 'contoso.com', key: 'k2', streamId: 's2' })
  })
})

describe('a stream that the gateway itself refuses', () => {
  test('gets a header first, where it has had none', () => {
    const peer = new InboundPeer(externalOnly)
    peer.isRefused('resource-constraint')
    peer.receives(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
        "from='contoso.com' id='refused' version='1.0'>",
    )
    peer.isClosedWith('resource-constraint')
  })

  test('gets none again', () => {
    const peer = new InboundPeer(externalOnly)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures(starttlsRequired)
    peer.isRefused('connection-timeout')
    peer.receivesNothing()
    peer.isClosedWith('connection-timeout')
  })
})
