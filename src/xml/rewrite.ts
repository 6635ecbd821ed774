import { Cursor } from './markup.ts'
import { Scope } from './namespaces.ts'
import type { Slice } from './reader.ts'
import { decodeValue } from './references.ts'
import { escapeAttribute } from './writer.ts'

export type RewriteOptions = {
  /** The content namespace of the stream the element was read from. */
  readonly from: string
  /** The content namespace of the stream the element is for. */
  readonly to: string
  /** What the header of the stream it was read from declares. */
  readonly declarations: ReadonlyMap<string, string>
  /** What is to be taken out. */
  readonly cut?: Cut | undefined
}

/** What is to be taken out of an element. */
export type Cut = {
  /** How deep it is looked for: 1 = among the children. */
  readonly depth: number
  /** Is this element to be taken out? Asked of each in the order of the document, but not of what is within one taken out. */
  readonly remove: (element: Inner) => boolean
}

/** An element within another, by its open tag; its namespace is told as it was read. */
export type Inner = {
  readonly name: string
  readonly namespace: string
  /** 1 = a child. */
  readonly depth: number
  /** The value of an attribute without a prefix. */
  readonly attribute: (name: string) => string | undefined
}

/**
 * Rewrites an element for another stream: one content namespace becomes the other at any depth, what it takes from the
 * root of its stream it declares itself, and what is unwanted goes. All else stays as it is, byte for byte.
 */
export function rewrite(slice: Slice, options: RewriteOptions): Buffer {
  return new Rewriting(slice, options).run()
}

/** Shows what is within an element, in the order of the document, as deep as `depth`; 1 = the children. */
export function lookInto(
  slice: Slice,
  declarations: ReadonlyMap<string, string>,
  depth: number,
  see: (element: Inner) => void,
): void {
  const remove = (element: Inner) => {
    see(element)
    return false
  }
  rewrite(slice, { from: '', to: '', declarations, cut: { depth, remove } })
}

type Edit = { readonly start: number; readonly end: number; readonly text: string }

class Rewriting {
  readonly #options: RewriteOptions
  readonly #slice: Slice
  readonly #cursor: Cursor
  readonly #scope: Scope
  readonly #edits: Edit[] = []
  /** What the element takes from the root: from prefix to namespace. */
  readonly #borrowed = new Map<string, string>()
  #depth = 0
  #nameEnd = 0
  #cutStart = -1 // where the element begins that is being taken out
  #cutDepth = 0

  constructor(slice: Slice, options: RewriteOptions) {
    this.#options = options
    this.#slice = slice
    this.#cursor = new Cursor(slice.bytes, slice.start, slice.end)
    this.#scope = new Scope(options.declarations)
  }

  run(): Buffer {
    const cursor = this.#cursor
    while (cursor.next()) {
      if (cursor.piece === 'open') this.#open()
      else if (cursor.piece === 'close') this.#close()
    }
    const declarations = Array.from(this.#borrowed, ([prefix, namespace]) => {
      return ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}='${escapeAttribute(this.#mapped(namespace))}'`
    })
    this.#edits.unshift({ start: this.#nameEnd, end: this.#nameEnd, text: declarations.join('') })
    return this.#spliced()
  }

  #open(): void {
    const { tag, bytes, start } = this.#cursor
    this.#depth++
    if (this.#depth === 1) this.#nameEnd = tag.nameEnd
    for (let i = 0; i < tag.attributes.count; i++) {
      const prefix = tag.attributes.declaredPrefix(bytes, 0, i)
      if (prefix !== undefined) this.#scope.declare(prefix, this.#value(i), this.#depth)
    }
    if (this.#cutStart < 0 && this.#isUnwanted()) {
      this.#cutStart = start
      this.#cutDepth = this.#depth
    }
    if (this.#cutStart < 0) this.#map()
    if (tag.isEmpty) this.#close()
  }

  #close(): void {
    this.#scope.leave(this.#depth--)
    if (this.#cutStart < 0 || this.#depth >= this.#cutDepth) return
    this.#edits.push({ start: this.#cutStart, end: this.#cursor.end, text: '' })
    this.#cutStart = -1
  }

  #isUnwanted(): boolean {
    const { cut } = this.#options
    const depth = this.#depth - 1
    if (cut === undefined || depth === 0 || depth > cut.depth) return false
    const { tag, bytes } = this.#cursor
    return cut.remove({
      name: bytes.toString('utf8', tag.colon < 0 ? tag.nameStart : tag.colon + 1, tag.nameEnd),
      namespace: this.#scope.find(this.#prefix()) ?? '',
      depth,
      attribute: name => this.#attribute(name),
    })
  }

  #attribute(name: string): string | undefined {
    const { bytes, tag } = this.#cursor
    const { count, nameStart, nameEnd } = tag.attributes
    for (let i = 0; i < count; i++) {
      if (bytes.toString('utf8', nameStart[i]!, nameEnd[i]!) === name) return this.#value(i)
    }
    return undefined
  }

  /** Notes what has to change in an open tag. */
  #map(): void {
    const { bytes, tag } = this.#cursor
    const { attributes } = tag
    this.#use(this.#prefix())
    for (let i = 0; i < attributes.count; i++) {
      const prefix = attributes.prefix(bytes, 0, i)
      if (prefix !== undefined) this.#use(prefix)
      if (attributes.declaredPrefix(bytes, 0, i) === undefined || this.#value(i) !== this.#options.from)
        continue
      const text = escapeAttribute(this.#options.to)
      this.#edits.push({ start: attributes.valueStart[i]!, end: attributes.valueEnd[i]!, text })
    }
  }

  #use(prefix: string): void {
    if (this.#scope.findLocal(prefix) !== undefined) return
    const namespace = this.#scope.root.get(prefix) ?? ''
    // The default namespace of either root is its content namespace.
    if (prefix !== '' || namespace !== this.#options.from) this.#borrowed.set(prefix, namespace)
  }

  #prefix(): string {
    const { bytes, tag } = this.#cursor
    return tag.colon < 0 ? '' : bytes.toString('utf8', tag.nameStart, tag.colon)
  }

  #value(index: number): string {
    const { bytes, tag } = this.#cursor
    return decodeValue(bytes, tag.attributes.valueStart[index]!, tag.attributes.valueEnd[index]!)
  }

  #mapped(namespace: string): string {
    return namespace === this.#options.from ? this.#options.to : namespace
  }

  #spliced(): Buffer {
    const { bytes, start, end } = this.#slice
    const pieces: Buffer[] = []
    let at = start
    for (const edit of this.#edits) {
      pieces.push(bytes.subarray(at, edit.start), Buffer.from(edit.text))
      at = edit.end
    }
    pieces.push(bytes.subarray(at, end))
    return Buffer.concat(pieces)
  }
}
