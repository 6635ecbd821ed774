import { describe, expect, test } from 'vitest'
import { childText, type Element, firstChild, serialize, toElement, xml } from '../../src/xml/element.ts'
import { slicesOf } from './transcript.ts'

const declarations = new Map([
  ['', 'jabber:server'],
  ['db', 'jabber:server:dialback'],
])

function tree(text: string): Element {
  return toElement(slicesOf(text)[0]!, declarations)
}

describe('The tree of an element', () => {
  test('has names, attributes and text, references resolved', () => {
    const message = tree(
      '<message to=\'a&amp;b\n\' id="&#10;"><body>x &lt; <![CDATA[<y> &amp;]]>\r\nz</body></message>',
    )
    expect(message.name).toBe('message')
    expect({ ...message.attrs }).toEqual({ to: 'a&b ', id: '\n' })
    expect(firstChild(message, 'body')!.children).toEqual(['x < <y> &amp;\nz'])
    expect(childText(message, 'body', 'jabber:server')).toBe('x < <y> &amp;\nz')
    expect(childText(message, 'body', 'urn:other')).toBeUndefined()
    expect(childText(message, 'subject')).toBeUndefined()
  })

  test('keeps the order of text and children', () => {
    const { children } = tree('<a>1<b/>2<c>3</c><d></d></a>')
    expect(children.map(child => (typeof child === 'string' ? child : child.name))).toEqual([
      '1',
      'b',
      '2',
      'c',
      'd',
    ])
  })

  test('resolves namespaces by what it and its root declare', () => {
    const element = tree(
      "<db:result><a xmlns='urn:a'><b/><c xmlns=''><d/></c></a><p:e xmlns:p='urn:p'/></db:result>",
    )
    expect(element.getNS()).toBe('jabber:server:dialback')
    expect(element.is('result', 'jabber:server:dialback')).toBe(true)
    const a = firstChild(element, 'a', 'urn:a')!
    expect(firstChild(a, 'b')!.getNS()).toBe('urn:a')
    expect(firstChild(a, 'c')!.getNS()).toBe('')
    expect(firstChild(firstChild(a, 'c')!, 'd')!.getNS()).toBe('')
    expect(firstChild(element, 'e')!.getNS()).toBe('urn:p')
    expect(tree('<message/>').getNS()).toBe('jabber:server')
    expect(element.findNS('xml')).toBe('http://www.w3.org/XML/1998/namespace')
  })

  test('has no attribute that was not written, and any that was', () => {
    const { attrs } = tree("<m __proto__='x'/>")
    expect(Object.entries(attrs)).toEqual([['__proto__', 'x']])
    expect(attrs['constructor']).toBeUndefined()
  })

  test('is written as it was read', () => {
    const text = "<message to='&#10;&apos;'><body>&lt;&#13;]]&gt;</body><x xmlns='urn:x' y=''/></message>"
    expect(serialize(tree(text))).toBe(text)
  })
})

describe('An element that was built', () => {
  test('is written with its children, and without what is undefined', () => {
    const element = xml(
      'iq',
      { type: 'get', id: undefined },
      xml('ping', { xmlns: 'urn:xmpp:ping' }),
      undefined,
      'a<b',
    )
    expect(serialize(element)).toBe("<iq type='get'><ping xmlns='urn:xmpp:ping'/>a&lt;b</iq>")
    expect(firstChild(element, 'ping', 'urn:xmpp:ping')!.parent).toBe(element)
  })

  test('is not written when it has a name that is none', () => {
    expect(() => serialize(xml('a><b/'))).toThrow(RangeError)
    expect(() => serialize(xml('a', { "x='' y": '' }))).toThrow(RangeError)
  })
})
