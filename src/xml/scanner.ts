import { classes, endOfWhole, kind, skipSpace, skipWide } from './characters.ts'
import { malformed, XmlFault } from './fault.ts'
import { Prolog } from './prolog.ts'
import type { XmlLimits } from './reader.ts'
import { ReferenceScanner } from './references.ts'
import { Tags } from './tags.ts'

/** What a scan ended at: a complete header, a complete top-level element, or the end of the bytes. */
export type ScanEvent = 'header' | 'element' | 'nothing'

// What the next byte belongs to.
const prolog = 0
const stream = 1 // white space between elements
const markup = 2 // behind a `<`
const openTag = 3
const closeName = 4
const closeTag = 5 // behind the name of a close tag
const text = 6
const reference = 7
const bang = 8 // behind `<!`
const cdata = 9
const done = 10 // behind the root's close tag

const cdataStart = Buffer.from('[CDATA[')

/**
 * Checks the bytes of one stream (RFC 6120 §11), each of them once, however they are cut. The offsets it keeps count from
 * `base`, so that the bytes may move between two scans.
 */
export class Scanner {
  limits: XmlLimits
  event: ScanEvent = 'nothing'
  /** Where the header or element begins that is being read, or was read last. Who moves the bytes moves it too. */
  base = 0
  readonly tags: Tags
  readonly #prolog = new Prolog()
  readonly #reference = new ReferenceScanner()
  #state = prolog
  #elementBytes: number
  #mark = 0 // where the token that is being read begins

  constructor(contentNamespace: string, limits: XmlLimits) {
    this.limits = limits
    this.tags = new Tags(contentNamespace)
    if (limits.isReread) this.tags.mostPrefixes = this.tags.tag.attributes.most = Infinity
    this.#elementBytes = limits.elementBytes
  }

  /** Is a header awaited, or an element begun? */
  get isInside(): boolean {
    return this.#state !== stream && this.#state !== done
  }

  /** Is the root closed? */
  get isDone(): boolean {
    return this.#state === done
  }

  /** Expects a prolog and a header from `base` on. */
  restart(base: number): void {
    this.base = base
    this.tags.restart()
    this.#prolog.restart()
    this.#state = prolog
    this.#elementBytes = this.limits.elementBytes
  }

  /**
   * Reads from `from` until a header or an element is complete or the root is closed, or as far as `fill`.
   * @returns where the next scan goes on
   * @throws {XmlFault} when the bytes are no stream
   */
  scan(bytes: Buffer, from: number, fill: number): number {
    this.event = 'nothing'
    let i = from
    let end = this.#endOfScan(bytes, i, fill)
    while (i < end) {
      switch (this.#state) {
        case stream:
          i = skipSpace(bytes, i, end)
          if (i === end) break
          this.#begin(bytes[i]!, i)
          end = this.#endOfScan(bytes, ++i, fill)
          break
        case text:
          while (i < end && (classes[bytes[i]!]! & kind.text) !== 0) i++
          if (i < end && bytes[i]! >= 0x80) i = skipWide(bytes, i, end, kind.text)
          if (i < end) this.#behindText(bytes, i++)
          break
        case markup:
          if (this.#markup(bytes[i]!, i)) i++
          break
        case openTag:
          i = this.tags.tag.scan(bytes, this.base, i, end)
          if (!this.tags.tag.isComplete) break
          this.#open(bytes)
          if (this.event !== 'nothing') return i
          break
        case closeTag:
          i = skipSpace(bytes, i, end)
          if (i === end) break
          if (bytes[i++] !== 0x3e) throw malformed('a close tag with more than a name')
          this.#close()
          if (this.event !== 'nothing' || this.isDone) return i
          break
        default:
          i = this.#step(bytes, i, end)
      }
    }
    if (this.isInside && fill - this.base >= this.#elementBytes) {
      throw new XmlFault('policy-violation', 'an element over the size limit', true)
    }
    return i
  }

  #endOfScan(bytes: Buffer, from: number, fill: number): number {
    return this.isInside ? endOfWhole(bytes, from, Math.min(fill, this.base + this.#elementBytes)) : fill
  }

  /** A top-level element begins, or the root's close tag. */
  #begin(byte: number, at: number): void {
    if (byte !== 0x3c) throw strayByte(byte)
    this.base = at
    this.#elementBytes = this.limits.elementBytes
    this.tags.begin(this.limits.depth)
    this.#state = markup
  }

  /** Reads on in one of the other states. */
  #step(bytes: Buffer, from: number, end: number): number {
    let i = from
    switch (this.#state) {
      case closeName:
        return this.#closeName(bytes, i, end)
      case reference:
        i = this.#reference.scan(bytes, this.base, i, end)
        if (this.#reference.isComplete) this.#state = text
        return i
      case bang:
        this.#bang(bytes[i]!, i)
        return i + 1
      case cdata:
        i = skipWide(bytes, i, end, kind.cdata)
        return i < end ? this.#cdata(bytes, i) : i
      default:
        i = this.#prolog.scan(bytes, this.base, i, end)
        if (this.#prolog.isComplete) this.#state = markup
        return i
    }
  }

  /** Judges the byte that ends a run of text. */
  #behindText(bytes: Buffer, i: number): void {
    switch (bytes[i]) {
      case 0x3c:
        this.#state = markup
        break
      case 0x26:
        this.#reference.begin(i + 1 - this.base)
        this.#state = reference
        break
      case 0x3e:
        // A tag comes before all text, so that there are two bytes to look back at.
        if (bytes[i - 1] === 0x5d && bytes[i - 2] === 0x5d) throw malformed(']]> in text')
        break
      default:
        throw malformed('a control character')
    }
  }

  /** Judges the byte behind a `<`; returns whether it belongs to no name. */
  #markup(byte: number, i: number): boolean {
    switch (byte) {
      case 0x2f:
        if (this.tags.depth === 0) throw malformed('a close tag without an open tag')
        this.#mark = i + 1 - this.base
        this.#state = closeName
        return true
      case 0x21:
        this.#mark = i + 1 - this.base
        this.#state = bang
        return true
      case 0x3f:
        throw new XmlFault('restricted-xml', 'a processing instruction')
      default:
        this.tags.tag.begin(i - this.base)
        this.#state = openTag
        return false
    }
  }

  #open(bytes: Buffer): void {
    this.tags.open(bytes, this.base)
    this.#state = this.tags.depth === 1 ? stream : text
    if (this.tags.depth === 1) this.event = 'header'
    if (this.tags.tag.isEmpty) this.#close()
  }

  #closeName(bytes: Buffer, i: number, end: number): number {
    const name = this.base + this.#mark
    const nameEnd = name + this.tags.nameLength
    const stop = Math.min(nameEnd, end)
    if (!this.tags.isName(bytes, this.base, name, i - name, stop - name))
      throw malformed('a close tag of another name')
    if (stop === nameEnd) this.#state = closeTag
    return stop
  }

  #close(): void {
    this.tags.close()
    this.#state = this.tags.depth === 0 ? done : this.tags.depth === 1 ? stream : text
    if (this.tags.depth === 1) this.event = 'element'
  }

  #bang(byte: number, i: number): void {
    const matched = i - this.base - this.#mark
    // A comment, or a document type declaration.
    if (matched === 0 && (byte === 0x2d || byte === 0x44))
      throw new XmlFault('restricted-xml', 'a comment or a DTD')
    if (byte !== cdataStart[matched]) throw malformed('a <! that begins nothing')
    if (this.tags.depth === 0) throw malformed('text before the root element')
    if (this.tags.depth === 1) throw new XmlFault('bad-format', 'text between elements')
    if (matched === cdataStart.length - 1) this.#state = cdata
  }

  #cdata(bytes: Buffer, i: number): number {
    if (bytes[i] !== 0x3e) throw malformed('a control character')
    if (bytes[i - 1] === 0x5d && bytes[i - 2] === 0x5d) this.#state = text
    return i + 1
  }
}

function strayByte(byte: number): XmlFault {
  const isText = byte >= 0xc2 ? byte <= 0xf4 : (classes[byte]! & kind.cdata) !== 0 || byte === 0x3e
  return isText ? new XmlFault('bad-format', 'text between elements') : malformed('a byte that is no text')
}
