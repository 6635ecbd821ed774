import { XmlFault } from './fault.ts'

/** No XMPP element has a third as many. Each is compared with all before it, so that more would make a tag dear. */
const maxAttributes = 64

/** The attributes of one tag as offsets into its bytes, counted from `base`: the bytes may move while it is read. */
export class Attributes {
  count = 0
  /** How many one tag may have. */
  most = maxAttributes
  readonly nameStart: number[] = []
  /** The offset of the colon in the name, or -1. */
  readonly colon: number[] = []
  readonly nameEnd: number[] = []
  /** Is it `xmlns`, or has it that prefix? */
  readonly isDeclaration: boolean[] = []
  readonly valueStart: number[] = []
  readonly valueEnd: number[] = []
  /** How many declare a namespace. */
  declarations = 0
  /** How many others have a prefix that is not `xml`. */
  prefixed = 0
  /** Each byte of the tag is a character that stands for itself: no value has a reference, or white space but the space. */
  isPlain = true

  /** Forgets the tag before. */
  clear(): void {
    this.count = 0
    this.declarations = 0
    this.prefixed = 0
    this.isPlain = true
  }

  /**
   * Takes the name of the next attribute.
   * @throws {XmlFault} when the tag has it already, or has too many
   */
  addName(bytes: Uint8Array, base: number, start: number, colon: number, end: number): void {
    const { count, nameStart, nameEnd } = this
    if (count >= this.most) throw new XmlFault('policy-violation', 'too many attributes')
    for (let i = 0; i < count; i++) {
      if (nameEnd[i]! - nameStart[i]! !== end - start) continue
      if (areEqual(bytes, base + nameStart[i]!, base + start, end - start)) throw duplicate()
    }
    nameStart[count] = start
    nameEnd[count] = end
    this.colon[count] = colon
    const isDeclaration = (colon < 0 ? end : colon) - start === 5 && areBytes(bytes, base + start, xmlns)
    this.isDeclaration[count] = isDeclaration
    if (isDeclaration) this.declarations++
    else if (colon >= 0 && !(colon - start === 3 && areBytes(bytes, base + start, xml))) this.prefixed++
  }

  /** Takes the value of the attribute that was named last. */
  addValue(start: number, end: number): void {
    this.valueStart[this.count] = start
    this.valueEnd[this.count++] = end
  }

  /** The prefix which the attribute declares, '' for the default namespace; undefined where it declares none. */
  declaredPrefix(bytes: Buffer, base: number, index: number): string | undefined {
    if (!this.isDeclaration[index]) return undefined
    const colon = this.colon[index]!
    return colon < 0 ? '' : bytes.toString('utf8', base + colon + 1, base + this.nameEnd[index]!)
  }

  /** The prefix of the attribute's name; undefined where it has none or declares a namespace. */
  prefix(bytes: Buffer, base: number, index: number): string | undefined {
    const colon = this.colon[index]!
    if (colon < 0 || this.isDeclaration[index]) return undefined
    return bytes.toString('utf8', base + this.nameStart[index]!, base + colon)
  }

  /**
   * Checks that no two names are the same once their prefixes are resolved (Namespaces in XML 1.0 §6.3).
   * @param namespaceOf the namespace of a prefix, which is bound
   * @throws {XmlFault} when two are
   */
  checkExpandedNames(bytes: Buffer, base: number, namespaceOf: (prefix: string) => string): void {
    const seen = new Set<string>()
    for (let i = 0; i < this.count; i++) {
      const prefix = this.prefix(bytes, base, i)
      if (prefix === undefined) continue
      // No name holds a space, so that the last one parts the two.
      const local = bytes.toString('utf8', base + this.colon[i]! + 1, base + this.nameEnd[i]!)
      const expanded = `${namespaceOf(prefix)} ${local}`
      if (seen.has(expanded)) throw duplicate()
      seen.add(expanded)
    }
  }
}

const xmlns = Buffer.from('xmlns')
const xml = Buffer.from('xml')

function areBytes(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false
  return true
}

function areEqual(bytes: Uint8Array, one: number, other: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[one + i] !== bytes[other + i]) return false
  return true
}

function duplicate(): XmlFault {
  return new XmlFault('not-well-formed', 'an attribute twice')
}
