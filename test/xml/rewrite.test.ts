import { describe, expect, test } from 'vitest'
import { elementsOf, Reader, type Slice } from '../../src/xml/reader.ts'
import { type Cut, rewrite } from '../../src/xml/rewrite.ts'
import { header, server, slicesOf, streams, wideLimits } from './transcript.ts'

const component = 'jabber:component:accept'

/** The element as it is written for a component stream. */
function rewritten(element: string, remove?: Cut['remove'], root = header, depth = 1): string {
  const slices: Slice[] = []
  const reader = new Reader(
    server,
    { header() {}, element: slice => slices.push(slice), end() {} },
    wideLimits,
  )
  reader.write(Buffer.from(`${root}<before/>${element}`))
  const bytes = rewrite(slices[1]!, {
    from: server,
    to: component,
    declarations: reader.declarations,
    cut: remove && { depth, remove },
  })
  expect(elementsOf(bytes, component)).toHaveLength(1)
  return bytes.toString()
}

describe('Rewriting', () => {
  test('leaves a portable element as it is, byte for byte', () => {
    const element = `<message  to = "a"\n><body >caf\u00e9 &#65;<![CDATA[<]]></body ><x xmlns='urn:x' /></message >`
    expect(rewritten(element)).toBe(element)
  })

  test('changes the content namespace at any depth', () => {
    expect(
      rewritten(
        `<s:message xmlns:s="jabber:server"><x xmlns='urn:x'><error xmlns='jabber:serve&#114;'/></x><s:body/></s:message>`,
      ),
    ).toBe(
      `<s:message xmlns:s="${component}"><x xmlns='urn:x'><error xmlns='${component}'/></x><s:body/></s:message>`,
    )
  })

  test('changes no text and no attribute that only looks like a declaration', () => {
    const element = `<m a="jabber:server" xml:b='jabber:server'>xmlns='jabber:server'<![CDATA[<x xmlns='jabber:server'/>]]></m>`
    expect(rewritten(element)).toBe(element)
  })

  test('declares the prefixes it takes from the root, once each', () => {
    expect(rewritten("<db:result to='a'><db:x/><y db:z=''/></db:result>")).toBe(
      "<db:result xmlns:db='jabber:server:dialback' to='a'><db:x/><y db:z=''/></db:result>",
    )
  })

  test('declares no prefix that is declared where it is used', () => {
    const element = "<m><db:x xmlns:db='urn:own'/></m>"
    expect(rewritten(element)).toBe(element)
    expect(rewritten("<m><db:x xmlns:db='urn:own'/><db:y/></m>")).toBe(
      "<m xmlns:db='jabber:server:dialback'><db:x xmlns:db='urn:own'/><db:y/></m>",
    )
  })

  test('changes the content namespace in what it takes from the root', () => {
    const root = `<stream:stream xmlns:stream='${streams}' xmlns:s='jabber:server' xmlns='jabber:client'>`
    expect(rewritten('<s:message/>', undefined, root)).toBe(`<s:message xmlns:s='${component}'/>`)
    expect(rewritten('<message><s:x/></message>', undefined, root)).toBe(
      `<message xmlns='jabber:client' xmlns:s='${component}'><s:x/></message>`,
    )
  })

  test('says so where an element is of no namespace because its root declares none', () => {
    expect(rewritten('<message/>', undefined, '<stream>')).toBe("<message xmlns=''/>")
  })

  test('takes out direct children, by their namespace as it was read', () => {
    const seen: string[] = []
    const remove = ({ name, namespace }: { name: string; namespace: string }) => {
      seen.push(`${namespace} ${name}`)
      return name === 'status' && namespace === server
    }
    const element =
      "<presence><status>busy<b/></status><show>away</show> <s:status xmlns:s='jabber:server'/><status xmlns='urn:x'/>" +
      '<x><status/></x><db:y/><status/></presence>'
    expect(rewritten(element, remove)).toBe(
      "<presence xmlns:db='jabber:server:dialback'><show>away</show> <status xmlns='urn:x'/><x><status/></x><db:y/></presence>",
    )
    expect(seen).toEqual([
      'jabber:server status',
      'jabber:server show',
      'jabber:server status',
      'urn:x status',
      'jabber:server x',
      'jabber:server:dialback y',
      'jabber:server status',
    ])
  })

  test('takes out what is deeper, where it is told to look there, and does not ask of what is within', () => {
    const seen: string[] = []
    const remove: Cut['remove'] = ({ name, depth, attribute }) => {
      seen.push(`${depth} ${name} ${attribute('id')}`)
      return name === 'item' && attribute('id') === 'a&b'
    }
    const element =
      "<iq><p xmlns='urn:x'><items><item x:id='1' id='a&amp;b' xmlns:x='urn:x'><item/></item> <item id='2'>2<deeper/></item></items><item id='a&amp;b'/></p></iq>"
    expect(rewritten(element, remove, header, 3)).toBe(
      "<iq><p xmlns='urn:x'><items> <item id='2'>2<deeper/></item></items></p></iq>",
    )
    expect(seen).toEqual(['1 p undefined', '2 items undefined', '3 item a&b', '3 item 2', '2 item a&b'])
  })

  test('declares nothing for a child it takes out', () => {
    expect(rewritten("<m><db:x xmlns='jabber:server'><db:y/></db:x></m>", child => child.name === 'x')).toBe(
      '<m></m>',
    )
  })

  test('rewrites as deep as a reader reads', () => {
    const element = `${"<a xmlns='jabber:server'>".repeat(200)}${'</a>'.repeat(200)}`
    const [slice] = slicesOf(element)
    const bytes = rewrite(slice!, { from: server, to: component, declarations: new Map() })
    expect(bytes.toString()).toBe(element.replaceAll(server, component))
  })
})
