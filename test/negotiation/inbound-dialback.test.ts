import { describe, expect, test } from 'vitest'
import { type InboundOptions, InboundPeer } from '../support/inbound-peer.ts'
import {
  answer,
  auth,
  clearOnly,
  dialback,
  dialbackError,
  dialbackOverTls,
  externalOnly,
  externalOrDialback,
  result,
  starttlsRequired,
  verify,
} from './words.ts'

const question = { from: 'fabrikam.com', to: 'contoso.com', key: 'k1', streamId: 's1' }

/** A partner under TLS whose certificate is not valid: dialback is what is left. */
function secured(options: InboundOptions = {}): InboundPeer {
  const peer = new InboundPeer(dialbackOverTls, { directTls: ['example.net'], ...options })
  peer.opens('fabrikam.com', 'contoso.com')
  peer.receivesFeatures(dialback)
  return peer
}

describe('the receiving server (XEP-0220 §2.2.1)', () => {
  test('has the authoritative server asked, and passes its word on', () => {
    const peer = secured()
    peer.sends(result('  k1\n'))
    peer.hasChecked(question)
    peer.receivesNothing()
    expect(peer.domains).toEqual([])
    peer.isVouchedFor('valid')
    peer.hasProven('fabrikam.com contoso.com dialback-tls invalid')
    peer.receives(answer('valid'))
    expect(peer.domains).toEqual(['fabrikam.com'])
  })

  test('calls it dialback-tcp in the clear', () => {
    const peer = new InboundPeer(clearOnly)
    peer.opens('fabrikam.com', 'contoso.com')
    peer.sends(result('k1'))
    peer.hasChecked(question)
    peer.isVouchedFor('valid')
    peer.hasProven('fabrikam.com contoso.com dialback-tcp none')
  })

  test('says that a key is invalid, and closes the stream where nothing else is proven', () => {
    const peer = secured()
    peer.sends(result('k1'))
    peer.hasChecked(question)
    peer.isVouchedFor('invalid')
    peer.receives(answer('invalid'))
    peer.isReported(/key is invalid/)
    peer.hasProven()
    peer.isClosedWith(undefined)
  })

  test('says nothing of it where replyToInvalidKey is false', () => {
    const peer = secured({ replyToInvalidKey: false })
    peer.sends(result('k1'))
    peer.hasChecked(question)
    peer.isVouchedFor('invalid')
    peer.receivesNothing()
    peer.isReported(/key is invalid/)
    peer.hasProven()
    peer.isOpen()
  })

  test.each([
    ['remote-server-not-found', 'cancel'],
    ['remote-connection-failed', 'wait'],
    ['remote-server-timeout', 'wait'],
  ] as const)('says %s, and keeps the stream', (condition, type) => {
    const peer = secured({ replyToInvalidKey: false })
    peer.sends(result('k1'))
    peer.hasChecked(question)
    peer.isVouchedFor(condition)
    peer.receives(dialbackError(condition, type))
    peer.isReported(/a reason for the log/)
    peer.isOpen()
  })

  test('lets the peer try once more after a failure', () => {
    const peer = secured()
    peer.sends(result('k1'))
    peer.hasChecked(question)
    peer.isVouchedFor('remote-server-timeout')
    peer.sends(result('k2'))
    peer.hasChecked({ ...question, key: 'k2' })
    peer.isVouchedFor('valid')
    expect(peer.domains).toEqual(['fabrikam.com'])
  })

  test('asks once for a pair: what is repeated meanwhile is ignored', () => {
    const peer = secured()
    peer.sends(result('k1') + result('k2'))
    peer.hasChecked(question)
    peer.isReported(/repeated/)
    peer.isVouchedFor('valid')
    peer.receives(answer('valid'))
    expect(peer.domains).toEqual(['fabrikam.com'])
  })

  test('hears nothing of a question from before SASL', () => {
    const peer = new InboundPeer(externalOrDialback, { directTls: ['fabrikam.com'] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.sends(result('k1', 'fabrikam.com', 'it.contoso.com') + auth('='))
    peer.hasChecked({ ...question, to: 'it.contoso.com' })
    peer.hasProven('fabrikam.com contoso.com sasl-external-tls valid')
    peer.opens('fabrikam.com', 'contoso.com')
    peer.isVouchedFor('valid', 'fabrikam.com', 'it.contoso.com')
    peer.hasProven()
    expect(peer.domains).toEqual(['fabrikam.com'])
    peer.sends(result('k2', 'fabrikam.com', 'it.contoso.com'))
    peer.hasChecked({ ...question, to: 'it.contoso.com', key: 'k2', streamId: 's2' })
  })

  test.each(['münchen.example', 'XN--MNCHEN-3YA.Example'])('answers %s by the name it wrote', name => {
    const peer = new InboundPeer(clearOnly, { partners: { 'münchen.example': clearOnly } })
    peer.opens('münchen.example', 'contoso.com')
    peer.receivesFeatures(dialback)
    peer.sends(result('k1', name, 'Contoso.com'))
    peer.hasChecked({ ...question, from: 'xn--mnchen-3ya.example' })
    peer.isVouchedFor('valid', 'xn--mnchen-3ya.example')
    peer.receives(answer('valid', 'Contoso.com', name))
  })
})

describe('the authoritative server (XEP-0220 §2.2.2)', () => {
  test('knows its own key for the stream id, the asker and itself', () => {
    const peer = secured()
    peer.sends(verify('417GAF25', 'key of contoso.com for fabrikam.com on 417GAF25'))
    peer.receives(answer('valid', 'contoso.com', 'fabrikam.com', '417GAF25'))
    expect(peer.domains).toEqual([]) // to judge a key is to trust nobody
    peer.hasProven()
  })

  test.each([
    ['of another stream', 'key of contoso.com for fabrikam.com on other'],
    ['for another domain', 'key of contoso.com for example.net on 417GAF25'],
    ['of another domain of ours', 'key of it.contoso.com for fabrikam.com on 417GAF25'],
    ['made up', '0000'],
  ])('says that a key is invalid that is %s', (_, key) => {
    const peer = secured({ replyToInvalidKey: false })
    peer.sends(verify('417GAF25', key))
    peer.receives(answer('invalid', 'contoso.com', 'fabrikam.com', '417GAF25'))
    peer.isOpen()
  })

  test('answers with the names as they were written', () => {
    const peer = secured({ ourKey: 'k' })
    peer.sends("<db:verify from='Fabrikam.COM' to='CONTOSO.com' id='&lt;1'>k</db:verify>")
    peer.receives("<db:verify from='CONTOSO.com' to='Fabrikam.COM' id='&lt;1' type='valid'/>")
  })

  test('does not know a domain that is not ours', () => {
    const peer = secured()
    peer.sends(verify('1', 'k', 'fabrikam.com', 'example.net'))
    peer.receives(dialbackError('item-not-found', 'cancel', { from: 'example.net', id: '1' }))
    peer.isOpen()
  })
})

/** Both requests: what is true of the one is true of the other. */
const kinds = [
  ['db:result', undefined, (from?: string, to?: string) => result('k', from, to)],
  ['db:verify', '1', (from?: string, to?: string) => verify('1', 'k', from, to)],
] as const

describe.each(kinds)('a %s', (_, id, request) => {
  test('is ignored where no dialback is permitted at all, whatever it names', () => {
    for (const options of [{ directTls: ['example.net'] }, {}]) {
      const peer = new InboundPeer(externalOnly, options)
      peer.opens('fabrikam.com', 'contoso.com')
      peer.receivesFeatures(...('directTls' in options ? [] : [starttlsRequired]))
      peer.isReported(...('directTls' in options ? [/EXTERNAL is not offered/] : []))
      peer.sends(request() + request('fabrikam.com', 'example.net'))
      peer.receivesNothing()
      peer.isReported(/not permit/, /not permit/)
      peer.hasChecked()
      peer.isOpen()
    }
  })

  test.each([dialbackOverTls, externalOrDialback])(
    'before TLS is a policy violation where dialback is for TLS only, and the stream stays: %o',
    terms => {
      const peer = new InboundPeer(terms)
      peer.opens('fabrikam.com', 'contoso.com')
      peer.receivesFeatures(starttlsRequired)
      peer.sends(request())
      peer.receives(dialbackError('policy-violation', 'modify', id === undefined ? {} : { id }))
      peer.hasChecked()
      peer.isOpen()
    },
  )

  test('under TLS is a policy violation where dialback is for clear text only', () => {
    const peer = new InboundPeer(clearOnly, { directTls: [] })
    peer.opens('fabrikam.com', 'contoso.com')
    peer.receivesFeatures()
    peer.sends(request())
    peer.receives(dialbackError('policy-violation', 'modify', id === undefined ? {} : { id }))
  })

  test('for a domain that is not ours: item-not-found, and the stream stays', () => {
    const peer = secured()
    peer.sends(request('fabrikam.com', 'sub.contoso.com'))
    const names = { from: 'sub.contoso.com', ...(id === undefined ? {} : { id }) }
    peer.receives(dialbackError('item-not-found', 'cancel', names))
    peer.isOpen()
  })

  test.each(['example.net', 'sub.fabrikam.com', 'contoso.com'])('from %s ends the stream', stranger => {
    const peer = secured()
    peer.sends(request(stranger))
    peer.receivesNothing()
    peer.isClosedWith('policy-violation')
  })

  test.each(["type='valid'", "type='invalid'", "type='error'"])(
    'with %s answers what nobody asked here, and is ignored',
    type => {
      const peer = secured()
      peer.sends(result('k1'))
      peer.hasChecked(question)
      peer.sends(request().replace('>k<', ` ${type}>k<`))
      peer.receivesNothing()
      peer.isReported(/unasked/)
      peer.hasProven()
      expect(peer.domains).toEqual([])
      peer.isOpen()
    },
  )
})
