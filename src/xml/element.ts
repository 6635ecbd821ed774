import { Element as LtxElement, type Node } from '@xmpp/xml'
import { Cursor } from './markup.ts'
import type { Slice } from './reader.ts'
import { decodeText, decodeValue, decodeVerbatim } from './references.ts'
import { escapeText, tag } from './writer.ts'

/** An element as a tree. */
export type Element = LtxElement

/** Attributes by qualified name; what is undefined is absent. */
export type Attributes = Readonly<Record<string, string | undefined>>

/**
 * The tree of a validated element. Its `parent` stands for the stream's root and has no children.
 * @param declarations of the header of the stream it was read from: from prefix, '' for the default, to namespace
 */
export function toElement(slice: Slice, declarations: ReadonlyMap<string, string>): Element {
  const root: LtxElement = new Tree('root')
  for (const [prefix, namespace] of declarations) root.attrs[declarationOf(prefix)] = namespace
  const cursor = new Cursor(slice.bytes, slice.start, slice.end)
  let parent = root
  let element = root
  while (cursor.next()) {
    switch (cursor.piece) {
      case 'open':
        element = openElement(cursor)
        element.parent = parent
        if (parent !== root) parent.children.push(element)
        if (!cursor.tag.isEmpty) parent = element
        break
      case 'close':
        element = parent
        parent = parent.parent!
        break
      case 'text':
        addText(parent, decodeText(cursor.bytes, cursor.start, cursor.end))
        break
      case 'cdata':
        addText(
          parent,
          decodeVerbatim(cursor.bytes, cursor.start + '<![CDATA['.length, cursor.end - ']]>'.length),
        )
    }
  }
  return element
}

/** Builds an element; of its children what is undefined is left out. */
export function xml(name: string, attributes: Attributes = {}, ...children: (Node | undefined)[]): Element {
  const element = new Tree(name, { ...attributes })
  element.append(...children.filter(child => child !== undefined))
  return element
}

/**
 * Writes an element as XML. It declares what it declares itself: whoever took it out of a stream sees to the rest.
 * @throws {RangeError} when a name in it is none
 */
export function serialize(element: Element): string {
  const children = element.children.map(child =>
    typeof child === 'string' ? escapeText(child) : serialize(child),
  )
  return tag(element.name, element.attrs, ...children)
}

/** The first child element of a name, in a namespace where one is given. */
export function firstChild(element: Element, name: string, namespace?: string): Element | undefined {
  return element.getChild(name, namespace)
}

/** The text of the first child element of a name; undefined where there is no such child. */
export function childText(element: Element, name: string, namespace?: string): string | undefined {
  return firstChild(element, name, namespace)?.getText()
}

/** Knows, as ltx does not, that `xmlns=''` ends the reach of a default namespace, and what `xml:` stands for. */
class Tree extends LtxElement {
  override findNS(prefix = ''): string | undefined {
    if (prefix === 'xml') return 'http://www.w3.org/XML/1998/namespace'
    return this.attrs[declarationOf(prefix)] ?? this.parent?.findNS(prefix)
  }
}

function openElement(cursor: Cursor): LtxElement {
  const { bytes, tag: open } = cursor
  const element = new Tree(bytes.toString('utf8', open.nameStart, open.nameEnd))
  // No name that a peer may choose is found in it but those he wrote.
  element.attrs = Object.create(null)
  const { count, nameStart, nameEnd, valueStart, valueEnd } = open.attributes
  for (let i = 0; i < count; i++) {
    const name = bytes.toString('utf8', nameStart[i]!, nameEnd[i]!)
    element.attrs[name] = decodeValue(bytes, valueStart[i]!, valueEnd[i]!)
  }
  return element
}

function addText(parent: LtxElement, text: string): void {
  const last = parent.children.at(-1)
  if (typeof last === 'string') parent.children[parent.children.length - 1] = last + text
  else if (text !== '') parent.children.push(text)
}

function declarationOf(prefix: string): string {
  return prefix === '' ? 'xmlns' : `xmlns:${prefix}`
}
