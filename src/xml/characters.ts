import { malformed } from './fault.ts'

/** What an ASCII byte may be; a byte of `classes` is the sum of its kinds, and 0 from 0x80 on. */
export const kind = {
  /** Text that needs no second look: not `<`, `&`, nor `>`, which could end `]]>`. */
  text: 1,
  /** The same in a CDATA section. */
  cdata: 2,
  /** The same in an attribute's value, which also ends at either quote, and where only the space stands for itself. */
  value: 4,
  /** In a name; the colon is none. */
  name: 8,
  /** At the start of a name. */
  nameStart: 16,
  space: 32,
  /** Between `&` and `;`. */
  reference: 64,
} as const

/** The kinds of each byte. */
export const classes: Uint8Array = tabulate()

/** Is this a Char of XML 1.0 §2.2? */
export function isXmlCharacter(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint === 0x9 || codePoint === 0xa || codePoint === 0xd
  if (codePoint < 0xfffe) return codePoint < 0xd800 || codePoint > 0xdfff
  return codePoint > 0xffff && codePoint <= 0x10ffff
}

/** Is this a NameStartChar of XML 1.0 §2.3, but for the colon, which Namespaces in XML 1.0 §4 takes out? */
export function isNameStart(codePoint: number): boolean {
  if (codePoint < 0x80) return (classes[codePoint]! & kind.nameStart) !== 0
  return isWithin(nameStarts, codePoint)
}

/** Is this a NameChar of XML 1.0 §2.3, but for the colon? */
export function isNameCharacter(codePoint: number): boolean {
  if (codePoint < 0x80) return (classes[codePoint]! & kind.name) !== 0
  return isWithin(nameStarts, codePoint) || isWithin(nameRest, codePoint)
}

/** Is this a QName of Namespaces in XML 1.0 §4? */
export function isQualifiedName(name: string): boolean {
  const parts = name.split(':')
  return parts.length <= 2 && parts.every(isUnqualifiedName)
}

/**
 * Goes over characters of one kind and those above ASCII: any Char there, or NameChar for names.
 * @param end no character may be cut there: see `endOfWhole`
 * @returns where the first other byte is, or `end`
 * @throws {XmlFault} when bytes are not UTF-8 or no such character
 */
export function skipWide(bytes: Uint8Array, from: number, end: number, kinds: number): number {
  let i = from
  while (i < end) {
    if (bytes[i]! < 0x80) {
      if ((classes[bytes[i]!]! & kinds) === 0) return i
      i++
      continue
    }
    const codePoint = decodeCharacter(bytes, i, end)
    if (!(kinds === kind.name ? isNameCharacter(codePoint) : isXmlCharacter(codePoint))) {
      throw malformed('not UTF-8, or a character that may not be there')
    }
    i += widthOf(codePoint)
  }
  return i
}

/** Goes over white space. */
export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let i = from
  while (i < end && (classes[bytes[i]!]! & kind.space) !== 0) i++
  return i
}

/** Where the last complete character ends: before `end` if `end` cuts one in two. */
export function endOfWhole(bytes: Uint8Array, from: number, end: number): number {
  for (let i = end - 1; i >= from && i >= end - 3; i--) {
    const byte = bytes[i]!
    if (byte < 0x80) return end
    if (byte >= 0xc0) return i + sequenceLength(byte) > end ? i : end
  }
  return end
}

/**
 * Decodes the character which begins at `at` (RFC 3629 §3).
 * @returns its code point, which may be one that is no Char; -1 where these bytes are none
 */
export function decodeCharacter(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return lead
  const length = sequenceLength(lead)
  if (length === 0 || at + length > end) return -1
  let codePoint = lead & (0x7f >> length)
  for (let i = at + 1; i < at + length; i++) {
    const byte = bytes[i]!
    if ((byte & 0xc0) !== 0x80) return -1
    codePoint = (codePoint << 6) | (byte & 0x3f)
  }
  // Overlong forms. Surrogates, and what is above U+10FFFF, are no Chars.
  return (length === 3 && codePoint < 0x800) || (length === 4 && codePoint < 0x10000) ? -1 : codePoint
}

function sequenceLength(lead: number): number {
  if (lead < 0xc2) return 0
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
}

function widthOf(codePoint: number): number {
  return codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4
}

// First and last of each range, in order. XML 1.0 §2.3, fifth edition.
const nameStarts = [
  0xc0, 0xd6, 0xd8, 0xf6, 0xf8, 0x2ff, 0x370, 0x37d, 0x37f, 0x1fff, 0x200c, 0x200d, 0x2070, 0x218f, 0x2c00,
  0x2fef, 0x3001, 0xd7ff, 0xf900, 0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0xeffff,
]
const nameRest = [0xb7, 0xb7, 0x300, 0x36f, 0x203f, 0x2040]

function isWithin(ranges: readonly number[], codePoint: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (codePoint < ranges[i]!) return false
    if (codePoint <= ranges[i + 1]!) return true
  }
  return false
}

function isUnqualifiedName(name: string): boolean {
  let isFirst = true
  for (const character of name) {
    const codePoint = character.codePointAt(0)!
    if (!(isFirst ? isNameStart(codePoint) : isNameCharacter(codePoint))) return false
    isFirst = false
  }
  return !isFirst
}

function tabulate(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0; byte < 0x80; byte++) {
    const character = String.fromCharCode(byte)
    if (!isXmlCharacter(byte)) continue
    if (!'<&>'.includes(character)) table[byte]! |= kind.text
    if (character !== '>') table[byte]! |= kind.cdata
    if (!'<&\'"\t\r\n'.includes(character)) table[byte]! |= kind.value
    if (/[A-Za-z0-9_.-]/.test(character)) table[byte]! |= kind.name | kind.reference
    if (/[A-Za-z_]/.test(character)) table[byte]! |= kind.nameStart
    if (/[ \t\r\n]/.test(character)) table[byte]! |= kind.space
    if ('#:'.includes(character)) table[byte]! |= kind.reference
  }
  return table
}
