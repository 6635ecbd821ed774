import { describe, expect, test } from 'vitest'
import { slicesOf, streams } from './transcript.ts'

/** Is each of these elements portable? */
function portable(elements: string, root?: string): boolean[] {
  return slicesOf(elements, root).map(slice => slice.isPortable)
}

describe('An element is portable', () => {
  test.each([
    ['plain', "<message from='a' to='b'><body>x</body></message>"],
    ['with payloads of other namespaces', "<iq><q xmlns='urn:q'><p:a xmlns:p='urn:p' p:b=''/></q></iq>"],
    ['with prefixes of its own', "<message xmlns:db='urn:own'><db:x db:y=''/></message>"],
    ['with xml:lang', "<message xml:lang='de'/>"],
    ['of no namespace', "<message xmlns=''><body/></message>"],
    ['of another namespace', "<features xmlns='urn:f'/>"],
    ['of a namespace as long as that of the stream', "<a><b xmlns='jabber:serveX'/></a>"],
  ])('when it is %s', (_, element) => {
    expect(portable(element)).toEqual([true])
  })
})

describe('An element is not portable', () => {
  test.each([
    ['names the content namespace', "<message xmlns='jabber:server'/>"],
    ['names it for a child', "<message><x xmlns='urn:x'><y xmlns='jabber:server'/></x></message>"],
    ['names it by a reference', "<message><x xmlns='jabber:serve&#x72;'/></message>"],
    ['names it for a prefix', "<message xmlns:s='jabber:server'/>"],
    ['names it for a prefix of a child', "<message><x xmlns:s='jabber:server'/></message>"],
    ['has a prefix of the root', '<db:result/>'],
    ['has a child with a prefix of the root', '<message><db:x/></message>'],
    ['has an attribute with a prefix of the root', "<message><x db:y=''/></message>"],
    ['goes on using a prefix of the root', "<message><x xmlns:db='urn:own'><db:y/></x><db:z/></message>"],
  ])('when it %s', (_, element) => {
    expect(portable(element)).toEqual([false])
  })

  test('when the default namespace of its root is another', () => {
    expect(portable('<a/>', `<s:stream xmlns:s='${streams}' xmlns='jabber:client'>`)).toEqual([false])
    expect(portable('<a/>', `<s:stream xmlns:s='${streams}'>`)).toEqual([false])
  })

  test('by itself: the next one is judged anew', () => {
    expect(portable("<a/><db:a/><a/><a xmlns='jabber:server'/><a/>")).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
  })
})

describe('The namespace of an element', () => {
  test.each([
    ['<a/>', 'jabber:server'],
    ["<a xmlns=''/>", ''],
    ["<a xmlns='urn:&#97;'/>", 'urn:a'],
    ['<db:a/>', 'jabber:server:dialback'],
    ["<db:a xmlns='urn:b' xmlns:db='urn:c'/>", 'urn:c'],
    ['<xml:a/>', 'http://www.w3.org/XML/1998/namespace'],
  ])('%s is %s', (element, namespace) => {
    expect(slicesOf(element).map(slice => slice.namespace)).toEqual([namespace])
  })

  test('is none where nothing declares one', () => {
    expect(slicesOf('<a/>', '<stream>').map(slice => slice.namespace)).toEqual([''])
  })
})
