import { Attributes } from './attributes.ts'
import { classes, decodeCharacter, isNameStart, kind, skipRun, skipSpace } from './characters.ts'
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

/** Checks an open tag, and keeps where its parts are; offsets count from `base`, where the top-level element begins. */
export class OpenTag {
  nameStart = 0
  /** The colon in the name, or -1. */
  colon = -1
  nameEnd = 0
  readonly attributes = new Attributes()
  /** Its `>` was read. */
  isComplete = false
  /** It is `<name/>`; its `/` was read. */
  isEmpty = false
  #state = elementName
  #mark = 0 // where the token that is being read begins
  #colon = -1 // where in it the colon is
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
   * Reads on, up to the tag's end or `end`.
   * @throws {XmlFault} when this is no open tag; prefixes are not looked at
   */
  scan(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from
    if (this.#state === elementName) {
      i = this.#name(bytes, base, i, end)
      if (i === end) return i
      this.nameStart = this.#mark
      this.colon = this.#colon
      this.nameEnd = i - base
      this.#isSpaced = false
      this.#state = between
    }
    while (i < end) {
      if (this.#state >= attributeName) {
        i = this.#attribute(bytes, base, i, end)
        if (i === end) return i
      }
      const gap = i
      i = skipSpace(bytes, i, end)
      if (i > gap) this.#isSpaced = true
      if (i === end) return i
      const byte = bytes[i]!
      if (byte === 0x3e) {
        this.isComplete = true
        return i + 1
      }
      if (this.isEmpty) throw malformed('a slash inside a tag')
      if (byte === 0x2f) {
        this.isEmpty = true
        i++
        continue
      }
      if (!this.#isSpaced) throw malformed('no white space before an attribute')
      this.#mark = i - base
      this.#colon = -1
      this.#state = attributeName
    }
    return i
  }

  /** Reads on in an attribute, up to its end or `end`. */
  #attribute(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from
    if (this.#state === attributeName) {
      i = this.#name(bytes, base, i, end)
      if (i === end) return i
      this.attributes.addName(bytes, base, this.#mark, this.#colon, i - base)
      this.#state = equals
    }
    if (this.#state === equals) {
      i = skipSpace(bytes, i, end)
      if (i === end) return i
      if (bytes[i++] !== 0x3d) throw malformed('an attribute without a value')
      this.#state = quote
    }
    if (this.#state === quote) {
      i = skipSpace(bytes, i, end)
      if (i === end) return i
      this.#quote = bytes[i++]!
      if (this.#quote !== 0x22 && this.#quote !== 0x27) throw malformed('a value without quotes')
      this.#mark = i - base
      this.#state = value
    }
    while (i < end) {
      if (this.#state === reference) {
        i = this.#reference.scan(bytes, base, i, end)
        if (this.#reference.isComplete) this.#state = value
      } else {
        i = skipRun(bytes, i, end, kind.value)
        if (i === end) return i
        const byte = bytes[i++]!
        if (byte === this.#quote) {
          this.attributes.addValue(this.#mark, i - 1 - base)
          this.#isSpaced = false
          this.#state = between
          return i
        }
        if (byte === 0x26) {
          this.attributes.hasReference = true
          this.#reference.begin(i - base)
          this.#state = reference
        } else if (byte !== 0x22 && byte !== 0x27) throw malformed('a value with a < or a control character')
      }
    }
    return i
  }

  /** Goes to the end of a name, and checks the name if the end is there. */
  #name(bytes: Buffer, base: number, from: number, end: number): number {
    let i = skipRun(bytes, from, end, kind.name)
    while (i < end && bytes[i] === 0x3a) {
      if (this.#colon >= 0) throw new XmlFault('bad-namespace-prefix', 'two colons in a name')
      this.#colon = i - base
      i = skipRun(bytes, i + 1, end, kind.name)
    }
    if (i < end) checkName(bytes, base + this.#mark, this.#colon < 0 ? -1 : base + this.#colon, i)
    return i
  }
}

function checkName(bytes: Buffer, start: number, colon: number, end: number): void {
  if (end - start > maxNameBytes) throw new XmlFault('policy-violation', 'a name over the length limit')
  if (colon === start || colon === end - 1) throw new XmlFault('bad-namespace-prefix', 'half a name')
  checkNameStart(bytes, start, end)
  if (colon >= 0) checkNameStart(bytes, colon + 1, end)
}

function checkNameStart(bytes: Buffer, at: number, end: number): void {
  if ((classes[bytes[at]!]! & kind.nameStart) !== 0) return
  if (!isNameStart(decodeCharacter(bytes, at, end)))
    throw malformed('a name that begins with another character')
}
