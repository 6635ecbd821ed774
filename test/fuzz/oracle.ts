import { SaxesParser } from 'saxes'
import { type Element, serialize, toElement } from '../../src/xml/element.ts'
import { elementsOf, Reader, type Slice } from '../../src/xml/reader.ts'
import { rewrite } from '../../src/xml/rewrite.ts'
import { tag } from '../../src/xml/writer.ts'
import { server, wideLimits } from '../xml/transcript.ts'

/** An element with all names resolved: namespace, local name, attributes in order, children. */
export type Tree = readonly [
  namespace: string,
  name: string,
  attributes: readonly Attribute[],
  children: (Tree | string)[],
]
type Attribute = readonly [namespace: string, name: string, value: string]

/** The top-level elements of a stream; undefined where it is refused. */
export type Verdict = readonly Tree[] | undefined

class Refusal extends Error {}
class RootClosed extends Error {}

/**
 * What saxes, with the restrictions of RFC 6120 §11 added, makes of a stream up to the end of its root.
 */
export function oracle(bytes: Buffer): Verdict {
  const elements: Tree[] = []
  try {
    parse(validStart(bytes), elements)
  } catch (error) {
    if (error instanceof RootClosed) return elements
    if (error instanceof Refusal) return undefined
    throw error
  }
  return undefined
}

/** What the reader makes of a stream which it accepts. */
export function reading(bytes: Buffer): Tree[] {
  return readEach(bytes, (slice, declarations) => canonical(toElement(slice, declarations)))
}

/**
 * The trees of all elements, their content namespace changed for another: in the tree; by rewriting; and, where an element
 * is portable, by reading its bytes in the other stream. All are the same.
 */
export function rewriting(bytes: Buffer): { expected: Tree[]; rewritten: Tree[]; moved: Tree[] } {
  const expected = readEach(bytes, (slice, declarations) => mapped(canonical(toElement(slice, declarations))))
  const rewritten = readEach(bytes, (slice, declarations) =>
    moved(rewrite(slice, { from: server, to: inside, declarations })),
  )
  const portable = readEach(bytes, (slice, declarations) =>
    slice.isPortable ? moved(slice.toBuffer()) : mapped(canonical(toElement(slice, declarations))),
  )
  return { expected, rewritten, moved: portable }
}

/** The trees of all elements, written and read again in a stream with the same declarations. */
export function writing(bytes: Buffer): Tree[] {
  return readEach(bytes, (slice, declarations) => {
    const attributes = Array.from(declarations, ([prefix, namespace]) => [
      prefix ? `xmlns:${prefix}` : 'xmlns',
      namespace,
    ])
    const text = tag('root', Object.fromEntries(attributes), serialize(toElement(slice, declarations)))
    return reading(Buffer.from(text))[0]!
  })
}

const inside = 'jabber:component:accept'

function moved(bytes: Buffer): Tree {
  const [slice, ...others] = elementsOf(bytes, inside)
  if (slice === undefined || others.length > 0) throw new Error(`not one element: ${bytes}`)
  return canonical(toElement(slice, new Map([['', inside]])))
}

function mapped([namespace, name, attributes, children]: Tree): Tree {
  const map = (uri: string): string => (uri === server ? inside : uri)
  return [
    map(namespace),
    name,
    attributes.map(([uri, local, value]): Attribute => [map(uri), local, value]).sort(),
    children.map(child => (typeof child === 'string' ? child : mapped(child))),
  ]
}

function readEach(
  bytes: Buffer,
  read: (slice: Slice, declarations: ReadonlyMap<string, string>) => Tree,
): Tree[] {
  const trees: Tree[] = []
  const handler = {
    header() {},
    element: (slice: Slice) => trees.push(read(slice, reader.declarations)),
    end() {},
  }
  const reader = new Reader(server, handler, wideLimits)
  reader.write(bytes)
  return trees
}

const spaceReference = /&#(?:x0*(?:9|a|d|20)|0*(?:9|10|13|32));/i
const paddedNamespace = /xmlns[^=<>]*=\s*(?:"\s|'\s|"[^"]*\s"|'[^']*\s'|"[^"]*&#[^"]*"|'[^']*&#[^']*')/

const oddLocalName =
  /<[^\s"'<>=:]+:[\u0300-\u036f\d\u00b7\u203f\u2040.-]|\s[^\s"'<>=:]+:[\u0300-\u036f\d\u00b7\u203f\u2040.-][^\s"'<>=]*\s*=/

/** Why the reader and saxes may differ on a stream, all of which a test explains; undefined where they may not. */
export function explanation(bytes: Buffer, said: string | undefined): string | undefined {
  const text = bytes.toString()
  if (said === 'fault bad-format' && spaceReference.test(text))
    return 'white space by reference between elements'
  if (paddedNamespace.test(text)) return 'saxes trims namespace names'
  if (said === 'fault not-well-formed' && oddLocalName.test(text))
    return 'saxes checks how local names begin loosely'
  return undefined
}

function parse(text: string, elements: Tree[]): void {
  const parser = new SaxesParser({ xmlns: true, position: false })
  const open: Tree[] = []
  let isClosed = false
  const refuse = (): never => {
    throw isClosed ? new RootClosed() : new Refusal()
  }
  const addText = (added: string): void => {
    if (open.length > 1) appendText(open.at(-1)![3], added)
    else if (/[^ \t\r\n]/.test(added)) refuse()
  }
  parser.on('error', error => {
    // Comes after the event for the tag that it closes instead.
    if (error.message.includes('unexpected close tag')) isClosed = false
    refuse()
  })
  parser.on('comment', refuse)
  parser.on('processinginstruction', refuse)
  parser.on('doctype', refuse)
  parser.on('xmldecl', declaration => {
    if (declaration.version !== '1.0') refuse()
    if (declaration.encoding !== undefined && declaration.encoding.toLowerCase() !== 'utf-8') refuse()
  })
  parser.on('opentag', tag => {
    const attributes = Object.values(tag.attributes)
      .filter(({ name }) => name !== 'xmlns' && !name.startsWith('xmlns:'))
      .map(({ uri, local, value }): Attribute => [uri, local, value])
    const tree: Tree = [tag.uri, tag.local, attributes.sort(), []]
    if (open.length === 1) elements.push(tree)
    else open.at(-1)?.[3].push(tree)
    open.push(tree)
  })
  parser.on('closetag', () => {
    open.pop()
    isClosed ||= open.length === 0
  })
  parser.on('text', addText)
  parser.on('cdata', added => (open.length > 1 ? addText(added) : refuse()))
  parser.write(text)
  if (isClosed) throw new RootClosed()
}

function canonical(element: Element): Tree {
  const attributes = Object.entries(element.attrs)
    .filter(([name]) => name !== 'xmlns' && !name.startsWith('xmlns:'))
    .map(([name, value]): Attribute => {
      const [prefix, local] = name.includes(':') ? name.split(':', 2) : [undefined, name]
      return [prefix === undefined ? '' : (element.findNS(prefix) ?? 'none'), local!, value!]
    })
  const children: (Tree | string)[] = []
  for (const child of element.children) {
    if (typeof child === 'string') appendText(children, child)
    else children.push(canonical(child))
  }
  return [element.getNS() ?? '', element.getName(), attributes.sort(), children]
}

function appendText(children: (Tree | string)[], text: string): void {
  const last = children.at(-1)
  if (typeof last === 'string') children[children.length - 1] = last + text
  else if (text !== '') children.push(text)
}

/** The characters before the first byte that is not UTF-8. */
function validStart(bytes: Buffer): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return decoder.decode(bytes)
  } catch {
    return validStart(bytes.subarray(0, firstInvalid(bytes)))
  }
}

function firstInvalid(bytes: Buffer): number {
  // What is not UTF-8 becomes U+FFFD, and what is there as U+FFFD is kept: the first byte that differs is invalid.
  const repaired = Buffer.from(bytes.toString('utf8'))
  let at = 0
  while (at < bytes.length && bytes[at] === repaired[at]) at++
  // The difference may show behind the lead byte of the bad sequence.
  while (at > 0 && (bytes[at - 1]! & 0xc0) === 0x80) at--
  return at > 0 && bytes[at - 1]! >= 0xc0 ? at - 1 : at
}
