import { describe, expect, test } from 'vitest'
import {
  advance,
  type ComponentAction,
  type ComponentEvent,
  type ComponentState,
  componentHandshake,
} from '../../src/negotiation/component.ts'
import { readHeader } from '../../src/negotiation/stream.ts'
import { toElement } from '../../src/xml/element.ts'
import { Reader } from '../../src/xml/reader.ts'
import { domain, streamNamespace } from '../support/inbound-peer.ts'
import { wideLimits } from '../xml/transcript.ts'

/** The internal server, played against the pure machine. */
class InternalServer {
  #state: ComponentState = { at: 'connecting' }
  #heard: ComponentAction[] = []
  readonly #context: { domain: ReturnType<typeof domain>; secret: string }
  readonly #reader: Reader

  constructor(component = 'plays.shakespeare.lit', secret = 'test') {
    this.#context = { domain: domain(component), secret }
    this.#reader = new Reader(
      'jabber:component:accept',
      {
        header: header =>
          this.advance({ on: 'header', header: readHeader(header, 'jabber:component:accept') }),
        element: slice => {
          const isStanza = /^(message|presence|iq)$/.test(slice.name)
          if (isStanza) this.advance({ on: 'stanza' })
          else this.advance({ on: 'element', element: toElement(slice, this.#reader.declarations) })
        },
        end: () => {},
      },
      wideLimits,
    )
  }

  accepts(): void {
    this.advance({ on: 'connected' })
  }

  opens(id?: string): void {
    const idText = id === undefined ? '' : ` id='${id}'`
    this.sends(
      `<stream:stream xmlns:stream='${streamNamespace}' xmlns='jabber:component:accept' from='plays.shakespeare.lit'${idText}>`,
    )
  }

  sends(text: string): void {
    this.#reader.write(Buffer.from(text))
  }

  receives(text: string): void {
    expect(this.#heard).toEqual([{ do: 'send', text }])
    this.#heard = []
  }

  hasAccepted(): void {
    expect(this.#heard).toEqual([{ do: 'accepted' }])
    this.#heard = []
  }

  isClosedWith(condition: string | undefined, reason: RegExp): void {
    expect(this.#heard).toEqual([{ do: 'close', condition, reason: expect.stringMatching(reason) }])
    expect(this.#state).toEqual({ at: 'closed' })
    this.#heard = []
  }

  hearsNothing(): void {
    expect(this.#heard).toEqual([])
  }

  advance(event: ComponentEvent): void {
    const { state, actions } = advance(this.#state, event, this.#context)
    this.#state = state
    this.#heard.push(...actions)
  }
}

/** An internal server that has got our header. */
function greeted(...of: ConstructorParameters<typeof InternalServer>): InternalServer {
  const server = new InternalServer(...of)
  server.accepts()
  server.receives(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='${streamNamespace}' to='${of[0] ?? 'plays.shakespeare.lit'}'>`,
  )
  return server
}

/** An internal server that has got the handshake, too. */
function answered(): InternalServer {
  const server = greeted()
  server.opens('3BF96D32')
  server.receives('<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>')
  return server
}

function accepted(): InternalServer {
  const server = answered()
  server.sends('<handshake/>')
  server.hasAccepted()
  return server
}

const error = (condition: string, text = '') => {
  const said = text && `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${text}</text>`
  return `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>${said}</stream:error>`
}

describe('a component stream', () => {
  test('is the example of XEP-0114 §3', () => {
    accepted()
  })

  test('names the component in U-labels', () => {
    greeted('münchen.example').hearsNothing()
  })

  test('hashes the id and the secret as UTF-8', () => {
    expect(componentHandshake('1', 'geheimnis-ß')).toBe('079a49a9f2e6eddad6a5330fc6b4c48bbc061094')
  })

  test('is closed when the server gives no id: the handshake needs one', () => {
    const server = greeted()
    server.opens()
    server.isClosedWith('bad-format', /no stream id/)
  })

  test.each<[string, () => InternalServer, string | undefined, RegExp]>([
    ['before it was connected', () => new InternalServer(), 'bad-format', /spoke first/],
    ['before the answer to the handshake', answered, 'bad-format', /answer to the handshake/],
    ['again', accepted, 'bad-format', /second stream header/],
  ])('is closed when a header comes %s', (_, at, condition, reason) => {
    const server = at()
    const header = { from: undefined, to: undefined, id: '1', isModern: false, declaresDialback: false }
    server.advance({ on: 'header', header })
    server.isClosedWith(condition, reason)
  })

  test.each(['<message/>', "<handshake xmlns='jabber:server'/>", '<success/>'])(
    'is closed when %s comes instead of the answer to the handshake',
    element => {
      const server = answered()
      server.sends(element)
      server.isClosedWith('bad-format', /answer to the handshake/)
    },
  )

  test('is closed when what comes later is no stanza', () => {
    const server = accepted()
    server.sends('<handshake/>')
    server.isClosedWith('unsupported-stanza-type', /not a stanza/)
  })

  test('says what the server said, and what to do where it refuses the component', () => {
    const refused = answered()
    refused.sends(error('not-authorized', 'Given token does not match'))
    refused.isClosedWith(undefined, /not-authorized \(Given token does not match\); is internal\.secret/)
    const unknown = greeted()
    unknown.opens('1')
    unknown.receives(`<handshake>${componentHandshake('1', 'test')}</handshake>`)
    unknown.sends(error('host-unknown'))
    unknown.isClosedWith(
      undefined,
      /closed the stream: host-unknown; it has to be told of .*docs\/inside\.md\)$/,
    )
    const other = answered()
    other.sends(error('conflict', 'Component already connected'))
    other.isClosedWith(undefined, /conflict \(.*\); another gateway is connected .*docs\/inside\.md\)$/)
    const away = accepted()
    away.sends(error('system-shutdown'))
    away.isClosedWith(undefined, /closed the stream: system-shutdown$/)
  })

  test('ends with its connection, and hears nothing more', () => {
    const server = accepted()
    server.advance({ on: 'lost', reason: 'connection lost' })
    server.isClosedWith(undefined, /connection lost/)
    server.sends('<handshake/>')
    server.hearsNothing()
  })
})
