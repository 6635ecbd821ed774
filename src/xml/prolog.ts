import { skipSpace } from './characters.ts'
import { malformed, XmlFault } from './fault.ts'

// What the next byte belongs to.
const start = 0 // the very first
const marked = 1 // where a byte order mark was, or might have been
const opening = 2 // behind a `<` that is the very first
const declaration = 3 // the XML declaration
const space = 4

/** Checks what comes before a stream's root: a byte order mark, an XML declaration, white space. */
export class Prolog {
  /** The `<` behind it was read, and it does not begin an XML declaration. */
  isComplete = false
  #state = start
  #isRestarted = false
  #mark = 0

  /** Expects the prolog of a stream that begins anew. */
  restart(): void {
    this.isComplete = false
    this.#state = start
    this.#isRestarted = true
  }

  /**
   * Reads on, at least one byte.
   * @throws {XmlFault} when this is no prolog, or one of another encoding or version
   */
  scan(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from
    switch (this.#state) {
      case start:
        // White space that kept the old stream alive may come before the new one's XML declaration.
        if (this.#isRestarted) i = skipSpace(bytes, i, end)
        return i === end ? i : this.#start(bytes, i)
      case marked:
        this.#state = bytes[i] === 0x3c ? opening : space
        return this.#state === opening ? i + 1 : i
      case opening:
        if (bytes[i] === 0) throw foreignEncoding() // UTF-16, XML 1.0 appendix F
        this.#mark = i - 1 - base
        if (bytes[i] === 0x3f) this.#state = declaration
        else this.isComplete = true
        return i
      case declaration:
        while (i < end && bytes[i] !== 0x3e) i++
        if (i === end) return i
        checkXmlDeclaration(bytes.toString('latin1', base + this.#mark, ++i))
        this.#state = space
        return i
      default:
        i = skipSpace(bytes, i, end)
        if (i === end) return i
        if (bytes[i] !== 0x3c) throw malformed('text before the root element')
        this.isComplete = true
        return i + 1
    }
  }

  #start(bytes: Buffer, i: number): number {
    switch (bytes[i]) {
      case 0:
      case 0xfe:
      case 0xff:
        throw foreignEncoding() // UTF-16 or UTF-32, XML 1.0 appendix F
      case 0xef:
        if (bytes[i + 1] !== 0xbb || bytes[i + 2] !== 0xbf) throw malformed('text before the root element')
        this.#state = marked
        return i + 3
      default:
        this.#state = marked
        return i
    }
  }
}

// XML 1.0 §2.8 and §4.3.3.
const xmlDeclaration = new RegExp(
  String.raw`^<\?xml${pseudoAttribute('version', '1\\.0')}(?:${pseudoAttribute('encoding', '[A-Za-z][\\w.-]*')})?` +
    String.raw`(?:${pseudoAttribute('standalone', 'yes|no')})?[ \t\r\n]*\?>$`,
)

function pseudoAttribute(name: string, values: string): string {
  return String.raw`[ \t\r\n]+${name}[ \t\r\n]*=[ \t\r\n]*(?:'(?<${name}1>${values})'|"(?<${name}2>${values})")`
}

function checkXmlDeclaration(text: string): void {
  if (!/^<\?xml[ \t\r\n]/.test(text)) throw new XmlFault('restricted-xml', 'a processing instruction')
  const groups = xmlDeclaration.exec(text)?.groups
  if (groups === undefined) throw malformed('an XML declaration that is not one of XML 1.0')
  const encoding = groups['encoding1'] ?? groups['encoding2'] ?? 'utf-8'
  if (encoding.toLowerCase() !== 'utf-8') throw foreignEncoding()
}

function foreignEncoding(): XmlFault {
  return new XmlFault('unsupported-encoding', 'an encoding other than UTF-8')
}
