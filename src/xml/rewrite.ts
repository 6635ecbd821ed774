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
  /** Is this direct child to be taken out? Its namespace is told as it was read. */
  readonly remove?: ((child: { readonly name: string; readonly namespace: string }) => boolean) | undefined
}

/**
 * Rewrites an element for another stream: one content namespace becomes the other at any depth, what it takes from the
 * root of its stream it declares itself, and unwanted children go. All else stays as it is, byte for byte.
 */
export function rewrite(slice: Slice, options: RewriteOptions): Buffer {
  return new Rewriting(slice, options).run()
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
  #cutStart = -1 // where the child begins that is being taken out

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
    if (this.#depth === 2 && this.#isUnwanted()) this.#cutStart = start
    if (this.#cutStart < 0) this.#map()
    if (tag.isEmpty) this.#close()
  }

  #close(): void {
    this.#scope.leave(this.#depth--)
    if (this.#depth > 1 || this.#cutStart < 0) return
    this.#edits.push({ start: this.#cutStart, end: this.#cursor.end, text: '' })
    this.#cutStart = -1
  }

  #isUnwanted(): boolean {
    const { remove } = this.#options
    if (remove === undefined) return false
    const { tag, bytes } = this.#cursor
    const namespace = this.#scope.find(this.#prefix()) ?? ''
    return remove({
      name: bytes.toString('utf8', tag.colon < 0 ? tag.nameStart : tag.colon + 1, tag.nameEnd),
      namespace,
    })
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
