import { classes, isQualifiedName, isXmlCharacter, kind } from './characters.ts'
import { malformed, XmlFault } from './fault.ts'

/**
 * What a reference stands for, given what is between its `&` and its `;` (XML 1.0 §4.1, §4.6).
 * @returns undefined where it is neither one of the five entities nor a character that XML may hold
 */
export function resolveReference(reference: string): string | undefined {
  if (reference.startsWith('#')) return resolveCharacter(reference)
  switch (reference) {
    case 'amp':
      return '&'
    case 'lt':
      return '<'
    case 'gt':
      return '>'
    case 'quot':
      return '"'
    case 'apos':
      return "'"
    default:
      return undefined
  }
}

/** Checks a reference, however its bytes are cut; offsets count from `base`. */
export class ReferenceScanner {
  /** Its `;` was read. */
  isComplete = false
  #mark = 0

  /** Expects what follows an `&` at this offset. */
  begin(offset: number): void {
    this.isComplete = false
    this.#mark = offset
  }

  /**
   * Reads on, up to the `;` or `end`.
   * @throws {XmlFault} when this is an entity other than the five (RFC 6120 §11.1), or no reference
   */
  scan(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from
    while (i < end && (classes[bytes[i]!]! & kind.reference) !== 0) i++
    if (i === end) return i
    if (bytes[i] !== 0x3b) throw malformed('an & that begins no reference')
    checkReference(bytes.toString('latin1', base + this.#mark, i))
    this.isComplete = true
    return i + 1
  }
}

/** Decodes validated element content without markup: line ends as XML 1.0 §2.11 has them, references resolved. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  return resolveAll(decodeVerbatim(bytes, start, end))
}

/** Decodes the validated content of a CDATA section: line ends as XML 1.0 §2.11 has them. */
export function decodeVerbatim(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/** Decodes a validated attribute value, normalised as XML 1.0 §3.3.3 has it. */
export function decodeValue(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return resolveAll(/[\t\r\n]/.test(text) ? text.replace(/\r\n|[\t\r\n]/g, ' ') : text)
}

function checkReference(reference: string): void {
  if (resolveReference(reference) !== undefined) return
  if (isQualifiedName(reference)) throw new XmlFault('restricted-xml', 'an entity other than the five of XML')
  throw malformed('a malformed reference, or one to no character of XML')
}

function resolveCharacter(reference: string): string | undefined {
  const digits = /^#(?:x([0-9A-Fa-f]+)|([0-9]+))$/.exec(reference)
  if (digits === null) return undefined
  const codePoint = digits[1] === undefined ? Number.parseInt(digits[2]!, 10) : Number.parseInt(digits[1], 16)
  return isXmlCharacter(codePoint) ? String.fromCodePoint(codePoint) : undefined
}

function resolveAll(text: string): string {
  return text.includes('&')
    ? text.replace(/&([^;]*);/g, (_, reference) => resolveReference(reference)!)
    : text
}
