import { describe, expect, test } from 'vitest'
import type { Run } from '../../src/xml/run.ts'
import { domain } from '../support/inbound-peer.ts'
import { fromInside, fromPartner, relayScene } from '../support/relay-scene.ts'

const inbound = (id: number, from = 'juliet@fabrikam.com') =>
  `<message from='${from}' to='romeo@contoso.com' id='${id}'><body>${id}</body></message>`
const outbound = (id: number, to = 'juliet@fabrikam.com', from = 'romeo@contoso.com/orchard') =>
  `<message from='${from}' to='${to}' id='${id}'><body>${id}</body></message>`
const asRun = (text: string): Run => ({ bytes: Buffer.from(text), stanzas: 1 })

describe('a stanza of a partner', () => {
  test('goes inside, byte for byte, on the way of its own domain', () => {
    const scene = relayScene()
    fromPartner(scene, inbound(1) + inbound(2) + inbound(3, 'a@adatum.com') + inbound(4))
    expect(scene.sent).toEqual([
      `in fabrikam.com: ${inbound(1)}${inbound(2)}`,
      `in adatum.com: ${inbound(3, 'a@adatum.com')}`,
      `in fabrikam.com: ${inbound(4)}`,
    ])
    expect(scene.count('direction="in",kind="message",outcome="relayed"')).toBe(4)
  })

  test.each([
    ['invalid-from', "from='eve@example.net' to='romeo@contoso.com'"],
    ['invalid-from', "from='romeo@contoso.com' to='romeo@contoso.com'"],
    ['host-unknown', "from='juliet@fabrikam.com' to='romeo@it.contoso.com'"],
    ['improper-addressing', "from='juliet@fabrikam.com'"],
    ['improper-addressing', "to='romeo@contoso.com'"],
  ])('ends its stream with %s where it has %s, and is told of', (condition, addresses) => {
    const scene = relayScene()
    expect(() => fromPartner(scene, `<message ${addresses}/>`)).toThrow(
      expect.objectContaining({ condition }),
    )
    expect(scene.sent).toEqual([])
    expect(scene.log.events).toEqual([
      { event: 'stanza.refused', local: 'contoso.com', remote: 'fabrikam.com', rule: condition },
    ])
    expect(scene.count('direction="in",kind="message",outcome="refused"')).toBe(1)
  })

  test.each([
    [
      'the content namespace by name',
      "<message xmlns='jabber:server' from='juliet@fabrikam.com' to='contoso.com'><body/></message>",
      "<message xmlns='jabber:component:accept' from='juliet@fabrikam.com' to='contoso.com'><body/></message>",
    ],
    [
      'the content namespace deep inside (XEP-0297)',
      "<message from='juliet@fabrikam.com' to='contoso.com'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:server'/></forwarded></message>",
      "<message from='juliet@fabrikam.com' to='contoso.com'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:component:accept'/></forwarded></message>",
    ],
    [
      'a prefix of its stream header',
      "<message from='juliet@fabrikam.com' to='contoso.com'><stream:x/></message>",
      "<message xmlns:stream='http://etherx.jabber.org/streams' from='juliet@fabrikam.com' to='contoso.com'><stream:x/></message>",
    ],
  ])('is rewritten where it has %s', (_, stanza, expected) => {
    const scene = relayScene()
    fromPartner(scene, inbound(1) + stanza + inbound(2))
    expect(scene.sent).toEqual([
      `in fabrikam.com: ${inbound(1)}`,
      `in fabrikam.com: ${expected}`,
      `in fabrikam.com: ${inbound(2)}`,
    ])
  })

  test('is rewritten where its stream has the content namespace under a prefix', () => {
    const scene = relayScene()
    const stanza = "<s:message from='juliet@fabrikam.com' to='contoso.com'><s:body>x</s:body></s:message>"
    fromPartner(scene, stanza, "xmlns='http://etherx.jabber.org/streams' xmlns:s='jabber:server'")
    expect(scene.sent).toEqual([
      "in fabrikam.com: <s:message xmlns:s='jabber:component:accept' from='juliet@fabrikam.com' to='contoso.com'><s:body>x</s:body></s:message>",
    ])
  })
})

describe('a stanza from the inside', () => {
  test('goes to the partner that it is for, whichever component stream it came on', () => {
    const scene = relayScene()
    fromInside(scene, outbound(1) + outbound(2, 'a@adatum.com'), 'adatum.com')
    expect(scene.sent).toEqual([
      `out contoso.com fabrikam.com: ${outbound(1)}`,
      `out contoso.com adatum.com: ${outbound(2, 'a@adatum.com')}`,
    ])
    expect(scene.count('direction="out",kind="message",outcome="relayed"')).toBe(2)
  })

  test('has jabber:component:accept made jabber:server', () => {
    const scene = relayScene()
    fromInside(
      scene,
      "<iq xmlns='jabber:component:accept' type='get' from='romeo@contoso.com' to='fabrikam.com'/>",
    )
    expect(scene.sent).toEqual([
      "out contoso.com fabrikam.com: <iq xmlns='jabber:server' type='get' from='romeo@contoso.com' to='fabrikam.com'/>",
    ])
  })

  test('that is refused comes back, and takes nothing with it into a run', () => {
    const scene = relayScene()
    fromInside(scene, outbound(1) + outbound(2, 'x@example.net') + outbound(3))
    const [out, back] = [/^out /, /^in /].map(way => scene.sent.filter(sent => way.test(sent)))
    expect(out).toEqual([
      `out contoso.com fabrikam.com: ${outbound(1)}`,
      `out contoso.com fabrikam.com: ${outbound(3)}`,
    ])
    expect(back).toEqual([
      expect.stringMatching(
        /^in fabrikam\.com: <message type='error' from='fabrikam\.com' to='romeo@contoso\.com\/orchard' id='2'><error type='cancel'><not-allowed /,
      ),
    ])
    expect(scene.log.events).toEqual([
      { event: 'stanza.refused', local: null, remote: 'fabrikam.com', rule: 'not-allowed' },
    ])
    expect(scene.count('direction="out",kind="message",outcome="refused"')).toBe(1)
  })

  test.each([
    [
      'a wrong from: the error is from its receiver',
      outbound(1, undefined, 'eve@example.net'),
      'not-allowed',
      'juliet@fabrikam.com',
    ],
    [
      'a receiver of no partner: from the component',
      outbound(1, 'x@example.net'),
      'not-allowed',
      'fabrikam.com',
    ],
    ['a receiver at home: from the component', outbound(1, 'x@contoso.com'), 'not-allowed', 'fabrikam.com'],
    ['no receiver: from the component', "<message from='romeo@contoso.com'/>", 'bad-request', 'fabrikam.com'],
  ])('comes back with %s', (_, stanza, condition, from) => {
    const scene = relayScene()
    fromInside(scene, stanza)
    expect(scene.sent).toHaveLength(1)
    expect(scene.sent[0]).toMatch(`in fabrikam.com: <message type='error' from='${from}' to=`)
    expect(scene.sent[0]).toContain(`<${condition} xmlns=`)
  })

  test.each([
    "<iq type='result' from='romeo@contoso.com' to='x@example.net' id='1'/>",
    "<message type='error' from='romeo@contoso.com' to='x@example.net'/>",
    "<presence from='romeo@contoso.com' to='x@example.net'/>",
  ])('that nobody waits for does not come back: %s', stanza => {
    const scene = relayScene()
    fromInside(scene, stanza)
    expect(scene.sent).toEqual([])
    expect(scene.log.events).toHaveLength(1)
  })

  test('is refused in a name of U-labels', () => {
    const scene = relayScene()
    fromInside(scene, outbound(1, 'x@example.net'), 'münchen.example')
    expect(scene.sent[0]).toMatch(
      /^in xn--mnchen-3ya\.example: <message type='error' from='münchen\.example'/,
    )
  })
})

describe('what could not be delivered', () => {
  const why = { condition: 'remote-server-timeout', text: 'no connection' } as const
  const presence = "<presence from='romeo@contoso.com' to='juliet@fabrikam.com'/>"

  test('to a partner comes back inside, on the way of that partner', () => {
    const scene = relayScene()
    const run = asRun(`${outbound(1)} ${presence}${outbound(2)}`)
    expect(scene.relay.bounceInward(domain('fabrikam.com'), run, why)).toBe(2)
    expect(scene.sent).toEqual([
      expect.stringMatching(
        /^in fabrikam\.com: <message type='error' from='juliet@fabrikam\.com' to='romeo@contoso\.com\/orchard' id='1'><error type='wait'><remote-server-timeout /,
      ),
      expect.stringContaining("id='2'"),
    ])
    expect(scene.count('direction="out",kind="message",outcome="bounced"')).toBe(2)
    expect(scene.count('direction="out",kind="presence",outcome="bounced"')).toBe(0)
    expect(scene.count('direction="out",kind="presence",outcome="dropped"')).toBe(1)
  })

  test('to the inside comes back to its partner, each stanza to its own', () => {
    const scene = relayScene()
    scene.relay.bounceOutward(asRun(inbound(1) + inbound(2, 'a@adatum.com')), why)
    expect(scene.sent).toEqual([
      expect.stringMatching(
        /^out contoso\.com fabrikam\.com: <message type='error' from='romeo@contoso\.com' to='juliet@fabrikam\.com' id='1'>/,
      ),
      expect.stringMatching(
        /^out contoso\.com adatum\.com: <message type='error' from='romeo@contoso\.com' to='a@adatum\.com' id='2'>/,
      ),
    ])
    expect(scene.count('direction="in",kind="message",outcome="bounced"')).toBe(2)
  })

  test.each([
    "<message type='error' from='juliet@fabrikam.com' to='romeo@contoso.com' id='1'/>",
    "<iq type='result' from='juliet@fabrikam.com' to='romeo@contoso.com' id='1'/>",
    "<iq type='error' from='juliet@fabrikam.com' to='romeo@contoso.com' id='1'/>",
  ])('never comes back where it is an answer itself: %s', stanza => {
    const scene = relayScene()
    scene.relay.bounceOutward(asRun(stanza), why)
    scene.relay.bounceInward(domain('fabrikam.com'), asRun(stanza), why)
    expect(scene.sent).toEqual([])
  })

  test('is dropped where there is no more room for errors', () => {
    const scene = relayScene()
    scene.full.add('in fabrikam.com')
    scene.relay.bounceInward(domain('fabrikam.com'), asRun(outbound(1)), why)
    expect(scene.sent).toEqual([])
  })
})
