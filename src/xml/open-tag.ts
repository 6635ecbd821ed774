import { Attributes } from './attributes.ts'
import { classes, decodeCharacter, isNameStart, kind, skipWide } from './characters.ts'
import { malformed, XmlFault } from './fault.ts'
import { ReferenceScanner } from './references.ts'

/** No name in XMPP is a tenth as long. Prefixes of this length are made strings of. */
const maxNameBytes = 1024

// What the next byte belongs to.
const elementName = 0
const between = 1 // attributes, or the end of the tag
const attributeName = 2
const equals = 3
const quote = 4
const value = 5
const reference = 6
const slash = 7 // behind the `/` that ends the tag

/** Checks an open tag, and keeps where its parts are; offsets count from `base`, where the top-level element begins. */
export class OpenTag {
  nameStart = 0
  /** The colon in the name, or -1. */
  colon = -1
  nameEnd = 0
  readonly attributes = new Attributes()
  /** Its `>` was read. */
  isComplete = false
  /** It is `<name/>`. */
  isEmpty = false
  // Where a scan was when its bytes ran out.
  #state = elementName
  #mark = 0 // where the token begins that is being read
  #colon = -1 // where in a name the colon is
  #isSpaced = false // may an attribute come next?
  #quote = 0
  readonly #reference = new ReferenceScanner()

  /** Expects the name at this offset. */
  begin(offset: number): void {
    this.isComplete = false
    this.isEmpty = false
    this.attributes.clear()
    this.#mark = offset
    this.#colon = -1
    this.#state = elementName
  }

  /**
   * Reads on, up to the tag's end or `end`. Variables hold its state meanwhile: most of a stanza is tags, and fields are slow.
   * @throws {XmlFault} when this is no open tag; prefixes are not looked at
   */
  scan(bytes: Buffer, base: number, from: number, end: number): number {
    const { attributes } = this
    let state = this.#state
    let mark = this.#mark
    let colon = this.#colon
    let isSpaced = this.#isSpaced
    let wanted = this.#quote
    let i = from
    while (i < end) {
      if (state === between) {
        const gap = i
        while (i < end && (classes[bytes[i]!]! & kind.space) !== 0) i++
        if (i > gap) isSpaced = true
        if (i === end) break
        const byte = bytes[i]!
        if (byte === 0x3e) {
          this.isComplete = true
          return i + 1
        }
        if (byte === 0x2f) {
          state = slash
          i++
          continue
        }
        if (!isSpaced) throw malformed('no white space before an attribute')
        mark = i - base
        colon = -1
        state = attributeName
      }
      if (state === attributeName || state === elementName) {
        while (i < end && (classes[bytes[i]!]! & kind.name) !== 0) i++
        if (i < end && bytes[i]! >= 0x80) {
          i = skipWide(bytes, i, end, kind.name)
          attributes.isPlain = false
        }
        if (i === end) break
        if (bytes[i] === 0x3a) {
          if (colon >= 0) throw new XmlFault('bad-namespace-prefix', 'two colons in a name')
          colon = i++ - base
          continue
        }
        checkName(bytes, base, mark, colon, i - base)
        if (state === elementName) {
          this.nameStart = mark
          this.colon = colon
          this.nameEnd = i - base
          isSpaced = false
          state = between
          continue
        }
        attributes.addName(bytes, base, mark, colon, i - base)
        state = equals
      }
      if (state === equals) {
        while (i < end && (classes[bytes[i]!]! & kind.space) !== 0) i++
        if (i === end) break
        if (bytes[i++] !== 0x3d) throw malformed('an attribute without a value')
        state = quote
      }
      if (state === quote) {
        while (i < end && (classes[bytes[i]!]! & kind.space) !== 0) i++
        if (i === end) break
        wanted = bytes[i++]!
        if (wanted !== 0x22 && wanted !== 0x27) throw malformed('a value without quotes')
        mark = i - base
        state = value
      }
      if (state === value) {
        while (i < end && (classes[bytes[i]!]! & kind.value) !== 0) i++
        if (i < end && bytes[i]! >= 0x80) {
          i = skipWide(bytes, i, end, kind.value)
          attributes.isPlain = false
        }
        if (i === end) break
        const byte = bytes[i++]!
        if (byte === wanted) {
          attributes.addValue(mark, i - 1 - base)
          isSpaced = false
          state = between
        } else if (byte === 0x26) {
          attributes.isPlain = false
          this.#reference.begin(i - base)
          state = reference
        } else if ((classes[byte]! & kind.space) !== 0) {
          attributes.isPlain = false
        } else if (byte !== 0x22 && byte !== 0x27) {
          throw malformed('a value with a < or a control character')
        }
      } else if (state === reference) {
        i = this.#reference.scan(bytes, base, i, end)
        if (this.#reference.isComplete) state = value
      } else {
        if (bytes[i] !== 0x3e) throw malformed('a slash inside a tag')
        this.isEmpty = true
        this.isComplete = true
        return i + 1
      }
    }
    this.#state = state
    this.#mark = mark
    this.#colon = colon
    this.#isSpaced = isSpaced
    this.#quote = wanted
    return i
  }
}

function checkName(bytes: Buffer, base: number, start: number, colon: number, end: number): void {
  if (end - start > maxNameBytes) throw new XmlFault('policy-violation', 'a name over the length limit')
  if (colon === start || colon === end - 1) throw new XmlFault('bad-namespace-prefix', 'half a name')
  checkNameStart(bytes, base + start, base + end)
  if (colon >= 0) checkNameStart(bytes, base + colon + 1, base + end)
}

function checkNameStart(bytes: Buffer, at: number, end: number): void {
  if ((classes[bytes[at]!]! & kind.nameStart) !== 0) return
  if (!isNameStart(decodeCharacter(bytes, at, end)))
    throw malformed('a name that begins with another character')
}
