import { describe, expect, test } from 'vitest'
import type { InsideEnvironment } from '../../src/internal/connector.ts'
import { answersTo, EmbeddedConnector } from '../../src/internal/embedded.ts'
import { elementsOf } from '../../src/xml/reader.ts'
import type { Pausable } from '../../src/xml/run.ts'
import { domain } from '../support/inbound-peer.ts'

const content = 'jabber:component:accept'
const echo = 'echo@contoso.com'

/** What the embedded inside answers to a stanza of juliet's. */
function answers(name: string, attributes: string, children = '', to = echo): readonly string[] {
  const text = `<${name} from='juliet@fabrikam.com/balcony' to='${to}'${attributes && ` ${attributes}`}>${children}</${name}>`
  return elementsOf(Buffer.from(text), content).flatMap(answersTo)
}

const back = (from = echo) => `from='${from}' to='juliet@fabrikam.com/balcony'`
const unavailable =
  "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

describe('echo', () => {
  test.each([
    ["type='chat' id='1'", "id='1' type='chat'"],
    ["id='2'", "id='2'"],
    ["type='groupchat'", "type='groupchat'"],
  ])('answers a message with %s by its body, and nothing else of it', (attributes, answered) => {
    const children = "<subject>s</subject><body>a &lt; b &amp; <![CDATA[<c>]]></body><x xmlns='urn:x'/>"
    expect(answers('message', attributes, children)).toEqual([
      `<message ${back()} ${answered}><body>a &lt; b &amp; &lt;c&gt;</body></message>`,
    ])
  })

  test.each([
    ['message', "type='error'", '<body>x</body>'],
    ['message', '', "<composing xmlns='http://jabber.org/protocol/chatstates'/>"],
    ['iq', "type='result' id='1'", ''],
    ['iq', "type='error' id='1'", unavailable],
    ['presence', "type='error'", ''],
    ['presence', "type='unavailable'", ''],
    ['presence', "type='subscribed'", ''],
    ['presence', '', ''],
  ])('is silent about <%s %s>%s', (name, attributes, children) => {
    expect(answers(name, attributes, children)).toEqual([])
  })

  test('accepts every subscription, and is there', () => {
    const there = `<presence from='${echo}/gatehouse' to='juliet@fabrikam.com'><status>echoes what you write</status></presence>`
    expect(answers('presence', "type='subscribe' id='1'", '', `${echo}/x`)).toEqual([
      `<presence from='${echo}' to='juliet@fabrikam.com' id='1' type='subscribed'/>`,
      there,
    ])
    expect(answers('presence', "type='probe'")).toEqual([there])
    expect(answers('presence', "type='unsubscribe'")).toEqual([
      `<presence from='${echo}' to='juliet@fabrikam.com' type='unsubscribed'/>`,
    ])
  })
})

describe.each([echo, 'contoso.com', `${echo}/r`])('%s', to => {
  test('answers a ping (XEP-0199)', () => {
    expect(answers('iq', "type='get' id='1'", "<ping xmlns='urn:xmpp:ping'/>", to)).toEqual([
      `<iq ${back(to)} id='1' type='result'/>`,
    ])
  })

  test('answers disco (XEP-0030), and holds to what it says there', () => {
    const [info] = answers(
      'iq',
      "type='get' id='1'",
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
      to,
    )
    expect(info).toContain(
      "type='result'><query xmlns='http://jabber.org/protocol/disco#info'><identity category=",
    )
    const features = [...info!.matchAll(/<feature var='([^']+)'/g)].map(([, name]) => name)
    expect(features).toEqual([
      'http://jabber.org/protocol/disco#info',
      'http://jabber.org/protocol/disco#items',
      'urn:xmpp:ping',
    ])
    const [items] = answers(
      'iq',
      "type='get' id='2'",
      "<query xmlns='http://jabber.org/protocol/disco#items'/>",
      to,
    )
    expect(items).toBe(
      `<iq ${back(to)} id='2' type='result'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`,
    )
  })

  test.each([
    ["type='get' id='1'", "<query xmlns='jabber:iq:version'/>"],
    ["type='set' id='1'", "<ping xmlns='urn:xmpp:ping'/>"],
    ["type='get' id='1'", ''],
  ])('does not serve an IQ of %s with %s', (attributes, children) => {
    expect(answers('iq', attributes, children, to)).toEqual([
      `<iq ${back(to)} id='1' type='error'>${unavailable}</iq>`,
    ])
  })
})

describe('anybody else', () => {
  test.each(['romeo@contoso.com', 'romeo@contoso.com/orchard'])('at %s is not there', to => {
    const error = (name: string) => [`<${name} ${back(to)} id='1' type='error'>${unavailable}</${name}>`]
    const ping = "<ping xmlns='urn:xmpp:ping'/>"
    expect(answers('message', "id='1'", '<body>x</body>', to)).toEqual(error('message'))
    expect(answers('iq', "type='get' id='1'", ping, to)).toEqual(error('iq'))
    expect(answers('presence', "type='subscribe' id='1'", '', to)).toEqual([])
  })

  test('has the domain itself refuse messages', () => {
    expect(answers('message', "id='1'", '<body>x</body>', 'contoso.com')).toEqual([
      `<message ${back('contoso.com')} id='1' type='error'>${unavailable}</message>`,
    ])
  })
})

describe('the embedded connector', () => {
  /** A connector, and what goes out of it. */
  function connected() {
    const sent: string[] = []
    const sources: Pausable[] = []
    const environment: InsideEnvironment = {
      openSink: (source, remote) => {
        sources.push(source)
        return {
          stanza: slice => void sent.push(`${remote}: ${slice.toBuffer()}`),
          flush: () => void sent.push('flush'),
        }
      },
      taken: ({ stanzas }) => void sent.push(`${stanzas} taken`),
      bounce: () => expect.fail('nothing bounces'),
      isLocal: () => true,
    }
    return { connector: new EmbeddedConnector(environment), sent, sources }
  }

  const hello = (id: number) =>
    `<message from='juliet@fabrikam.com' to='${echo}' id='${id}'><body>${id}</body></message>`
  const run = { bytes: Buffer.from(`${hello(1)}\n${hello(2)}`), stanzas: 2 }

  test('answers a run in its order, all at once', () => {
    const { connector, sent } = connected()
    expect(connector.destination(domain('fabrikam.com')).send(run)).toBe(true)
    const answered = (id: number) =>
      `fabrikam.com: <message from='${echo}' to='juliet@fabrikam.com' id='${id}'><body>${id}</body></message>`
    expect(sent).toEqual(['2 taken', answered(1), answered(2), 'flush'])
  })

  test('has one way for each partner domain, until that is no partner any more', () => {
    const { connector } = connected()
    const way = connector.destination(domain('fabrikam.com'))
    expect(connector.destination(domain('fabrikam.com'))).toBe(way)
    connector.setPartners([domain('fabrikam.com')])
    expect(connector.destination(domain('fabrikam.com'))).toBe(way)
    connector.setPartners([])
    expect(connector.destination(domain('fabrikam.com'))).not.toBe(way)
  })

  test('is slow while its answers find a slow reader, and goes on afterwards', () => {
    const { connector, sources } = connected()
    const way = connector.destination(domain('fabrikam.com'))
    sources[0]!.pause()
    expect(way.send(run)).toBe(false)
    let resumed = 0
    way.whenDrained(() => resumed++)
    expect(resumed).toBe(0)
    sources[0]!.resume()
    expect(resumed).toBe(1)
    expect(way.send(run)).toBe(true)
    way.whenDrained(() => resumed++)
    expect(resumed).toBe(2)
  })

  test('is ready, holds nothing, and has nothing to stop', async () => {
    const { connector } = connected()
    expect(connector).toMatchObject({ isReady: true, waiting: 0, faults: [] })
    await expect(connector.stop()).resolves.toBeUndefined()
  })
})
