import { decodeValue } from './references.ts'
import { Scanner } from './scanner.ts'
import type { Envelope } from './tags.ts'
import { escapeAttribute } from './writer.ts'

/** The bounds of one header, and of one top-level element, which is at depth 1. */
export type XmlLimits = {
  readonly elementBytes: number
  readonly depth: number
  /**
   * The bytes were within bounds when they came: attributes and prefixes are not counted again. `rewrite` may have added what an
   * element borrows of its root.
   */
  readonly isReread?: boolean
}

/** What the open tag of a stream's root says. */
export type HeaderSlice = {
  readonly name: string
  readonly namespace: string
  /** Those without a prefix, and `xml:lang`. */
  readonly attributes: ReadonlyMap<string, string>
  /** From prefix, '' for the default, to namespace. */
  readonly declarations: ReadonlyMap<string, string>
}

/** Hears what a reader read, from within `Reader.write`. */
export type ReaderHandler = {
  header(header: HeaderSlice): void
  element(element: Slice): void
  /** The root was closed. */
  end(): void
}

/** One complete and validated top-level element, as bytes. */
export class Slice {
  /** Holds these and other bytes, and never changes; adjacent slices of one chunk have the same. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly namespace: string
  /**
   * These bytes mean the same under any root whose default namespace is that stream's content namespace: no declaration
   * in them names the content namespace they were read in, and they use none of their root but that.
   */
  readonly isPortable: boolean
  readonly #envelope: Envelope
  #tag: string | undefined
  #name: string | undefined
  #from: string | undefined
  #to: string | undefined
  #type: string | undefined
  #id: string | undefined

  constructor(
    bytes: Buffer,
    start: number,
    end: number,
    namespace: string,
    isPortable: boolean,
    envelope: Envelope,
  ) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.namespace = namespace
    this.isPortable = isPortable
    this.#envelope = envelope
  }

  /** The local name. */
  get name(): string {
    return (this.#name ??= this.#decode(this.#envelope.nameStart, this.#envelope.nameEnd) ?? '')
  }

  get from(): string | undefined {
    return (this.#from ??= this.#decode(this.#envelope.fromStart, this.#envelope.fromEnd))
  }

  get to(): string | undefined {
    return (this.#to ??= this.#decode(this.#envelope.toStart, this.#envelope.toEnd))
  }

  get type(): string | undefined {
    return (this.#type ??= this.#decode(this.#envelope.typeStart, this.#envelope.typeEnd))
  }

  get id(): string | undefined {
    return (this.#id ??= this.#decode(this.#envelope.idStart, this.#envelope.idEnd))
  }

  /** The element's bytes, not copied. */
  toBuffer(): Buffer {
    return this.bytes.subarray(this.start, this.end)
  }

  /** The element's bytes with another value of its attribute `to`, which it must have. */
  withTo(to: string): Buffer {
    const { toStart, toEnd } = this.#envelope
    const [from, until] = [this.start + toStart, this.start + toEnd]
    return Buffer.concat([
      this.bytes.subarray(this.start, from),
      Buffer.from(escapeAttribute(to)),
      this.bytes.subarray(until, this.end),
    ])
  }

  #decode(start: number, end: number): string | undefined {
    if (start === 0) return undefined
    const { plainEnd } = this.#envelope
    if (plainEnd === 0) return decodeValue(this.bytes, this.start + start, this.start + end)
    // One call for all of them: such a call takes longer than it takes to read the tag.
    this.#tag ??= this.bytes.toString('latin1', this.start, this.start + plainEnd)
    return this.#tag.slice(start, end)
  }
}

const minBufferBytes = 512
const noDeclarations: ReadonlyMap<string, string> = new Map()
const unbounded: XmlLimits = { elementBytes: 2 ** 30, depth: 2 ** 30, isReread: true }
const nothing = Buffer.alloc(0)

/**
 * Cuts the bytes of one stream into its header, its top-level elements and its end. What it makes of them does not
 * depend on how they are cut into chunks. It keeps no more of them than one element and one chunk.
 */
export class Reader {
  readonly #handler: ReaderHandler
  readonly #scanner: Scanner
  #bytes: Buffer = nothing
  #position = 0 // scanned up to here
  #fill = 0 // bytes there are
  #ownsBytes = false // may more bytes be added behind `fill`?
  #isDeaf = false // after a fault, the end, or `stop`
  #isStopped = false
  #unread = 0

  constructor(contentNamespace: string, handler: ReaderHandler, limits: XmlLimits) {
    this.#handler = handler
    this.#scanner = new Scanner(contentNamespace, limits)
  }

  /** Holds from the next element on. */
  get limits(): XmlLimits {
    return this.#scanner.limits
  }

  set limits(limits: XmlLimits) {
    this.#scanner.limits = limits
  }

  /** What the stream's header declares: from prefix, '' for the default, to namespace. */
  get declarations(): ReadonlyMap<string, string> {
    return this.#scanner.tags.header?.declarations ?? noDeclarations
  }

  /** The number of bytes received behind the point where `stop` took effect. */
  get unread(): number {
    return this.#unread
  }

  /**
   * Reads the next bytes, which must not change any more.
   * @throws {XmlFault} when they are not a stream's; all that comes later is ignored
   */
  write(chunk: Buffer): void {
    if (this.#isStopped) this.#unread += chunk.length
    if (this.#isDeaf || chunk.length === 0) return
    this.#append(chunk)
    try {
      this.#read()
    } catch (error) {
      this.#silence()
      throw error
    }
    if (!this.#isDeaf) this.#keepRest()
  }

  /** Expects a new prolog and header next, as after SASL (RFC 6120 §6.4.6). */
  restart(): void {
    if (this.#scanner.isInside) this.#position = this.#scanner.base
    this.#scanner.restart(this.#position)
  }

  /** Reads nothing behind the element that is being heard of. */
  stop(): void {
    if (this.#isDeaf) return
    this.#unread = this.#fill - (this.#scanner.isInside ? this.#scanner.base : this.#position)
    this.#isStopped = true
    this.#silence()
  }

  #append(chunk: Buffer): void {
    if (this.#fill === 0) {
      this.#bytes = chunk
      this.#ownsBytes = false
    } else {
      if (this.#fill + chunk.length > this.#bytes.length) {
        this.#move(0, Math.max(2 * this.#fill, this.#fill + chunk.length))
      }
      chunk.copy(this.#bytes, this.#fill)
    }
    this.#fill += chunk.length
  }

  #read(): void {
    const scanner = this.#scanner
    while (this.#position < this.#fill && !this.#isDeaf) {
      this.#position = scanner.scan(this.#bytes, this.#position, this.#fill)
      if (scanner.event === 'header') this.#handler.header(scanner.tags.header!)
      else if (scanner.event === 'element') this.#handler.element(this.#slice())
      else if (!scanner.isDone) return
      if (scanner.isDone && !this.#isDeaf) {
        this.#silence()
        this.#handler.end()
      }
    }
  }

  #slice(): Slice {
    const { base, tags } = this.#scanner
    // From here on these bytes are somebody else's, too.
    this.#ownsBytes = false
    return new Slice(this.#bytes, base, this.#position, tags.namespace, tags.isPortable, tags.envelope)
  }

  /** Keeps what is not complete, in a buffer of its own: a chunk, or a slice, would keep much more alive. */
  #keepRest(): void {
    const start = this.#scanner.isInside ? this.#scanner.base : this.#fill
    if (start === this.#fill) {
      this.#bytes = nothing
      this.#fill = this.#position = this.#scanner.base = 0
    } else if (!this.#ownsBytes || start > 0) {
      this.#move(start, Math.max(minBufferBytes, this.#fill - start))
    }
  }

  #move(start: number, size: number): void {
    const bytes = Buffer.allocUnsafe(size)
    this.#bytes.copy(bytes, 0, start, this.#fill)
    this.#bytes = bytes
    this.#ownsBytes = true
    this.#position -= start
    this.#fill -= start
    this.#scanner.base -= start
  }

  #silence(): void {
    this.#isDeaf = true
    this.#bytes = nothing
  }
}

/**
 * Reads complete elements again, as if inside a stream with this content namespace and nothing else declared.
 * @throws {XmlFault} when the bytes are no such elements
 */
export function elementsOf(bytes: Buffer, contentNamespace: string): Slice[] {
  const elements: Slice[] = []
  const handler = { header() {}, element: (element: Slice) => void elements.push(element), end() {} }
  const reader = new Reader(contentNamespace, handler, unbounded)
  reader.write(Buffer.from(`<stream xmlns='${escapeAttribute(contentNamespace)}'>`))
  reader.write(bytes)
  return elements
}
