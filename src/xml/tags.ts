import { XmlFault } from './fault.ts'
import { checkDeclaration, isReservedLength, Scope } from './namespaces.ts'
import { OpenTag } from './open-tag.ts'
import type { HeaderSlice } from './reader.ts'
import { decodeValue } from './references.ts'

/**
 * Prefixes that may be declared around one place, beneath the root. Stanzas use a few; a prefix is found by going through
 * them, so that more would let a peer make each of his tags dear.
 */
const maxPrefixes = 64

/** Where in a top-level element its open tag names what routing reads, counted from the element's start; 0 = absent. */
export type Envelope = {
  readonly nameStart: number
  readonly nameEnd: number
  readonly fromStart: number
  readonly fromEnd: number
  readonly toStart: number
  readonly toEnd: number
  readonly typeStart: number
  readonly typeEnd: number
  readonly idStart: number
  readonly idEnd: number
  /** Where the last value ends, where each byte up to there stands for itself; else 0. */
  readonly plainEnd: number
}

/** The open elements around the place where a scanner is, and what the open tags of root and top-level element say. */
export class Tags {
  /** The open tag that is being read, or was read last. */
  readonly tag = new OpenTag()
  /** The number of open elements; the root is the first. */
  depth = 0
  /** What the root's open tag said. */
  header: HeaderSlice | undefined
  /** The namespace of the top-level element read last, its offsets, and whether its bytes are portable. */
  namespace = ''
  envelope: Envelope = nowhere
  isPortable = true
  /** How many prefixes may be in scope. */
  mostPrefixes = maxPrefixes
  readonly #contentNamespace: string
  readonly #contentBytes: number
  #scope = new Scope(new Map())
  #rootDefault = ''
  #maxDepth = 0
  #rootName = Buffer.alloc(0)
  readonly #nameStart: number[] = []
  readonly #nameEnd: number[] = []

  constructor(contentNamespace: string) {
    this.#contentNamespace = contentNamespace
    this.#contentBytes = Buffer.byteLength(contentNamespace)
  }

  /** Forgets the stream: a root is expected next. */
  restart(): void {
    this.depth = 0
    this.header = undefined
  }

  /** A top-level element begins. */
  begin(maxDepth: number): void {
    this.#maxDepth = maxDepth
    this.isPortable = this.#rootDefault === this.#contentNamespace
  }

  /**
   * The open tag is complete.
   * @throws {XmlFault} when it is too deep, a prefix is unbound, or two attributes have one name
   */
  open(bytes: Buffer, base: number): void {
    const { attributes, nameStart, colon, nameEnd } = this.tag
    this.#nameStart[++this.depth] = nameStart
    this.#nameEnd[this.depth] = nameEnd
    if (this.depth === 1) {
      this.#openRoot(bytes, base)
      return
    }
    if (this.depth - 1 > this.#maxDepth) throw new XmlFault('policy-violation', 'elements nested too deep')
    const own = attributes.declarations > 0 ? this.#declare(bytes, base) : undefined
    const namespace =
      colon < 0 ? undefined : this.#use(bytes.toString('utf8', base + nameStart, base + colon))
    if (attributes.prefixed > 0) this.#resolveAttributes(bytes, base)
    if (this.depth > 2) return
    this.namespace = namespace ?? own ?? this.#rootDefault
    this.envelope = this.#locate(bytes, base, colon < 0 ? nameStart : colon + 1, nameEnd)
  }

  /** How many bytes the name of the innermost open element has. */
  get nameLength(): number {
    return this.#nameEnd[this.depth]! - this.#nameStart[this.depth]!
  }

  /** Compares bytes `from` to `to` of the innermost open element's name with those of a name at `at`. */
  isName(bytes: Buffer, base: number, at: number, from: number, to: number): boolean {
    const name = this.depth === 1 ? this.#rootName : bytes
    const start = this.depth === 1 ? 0 : base + this.#nameStart[this.depth]!
    for (let i = from; i < to; i++) if (name[start + i] !== bytes[at + i]) return false
    return true
  }

  /** The innermost open element is closed. */
  close(): void {
    this.#scope.leave(this.depth--)
  }

  #openRoot(bytes: Buffer, base: number): void {
    const { attributes, nameStart, colon, nameEnd } = this.tag
    const values = new Map<string, string>()
    const declarations = new Map<string, string>()
    for (let i = 0; i < attributes.count; i++) {
      const value = this.#value(bytes, base, i)
      const declared = attributes.declaredPrefix(bytes, base, i)
      if (declared !== undefined) {
        checkDeclaration(declared, value)
        declarations.set(declared, value)
        continue
      }
      const name = bytes.toString('utf8', base + attributes.nameStart[i]!, base + attributes.nameEnd[i]!)
      if (attributes.colon[i]! < 0 || name === 'xml:lang') values.set(name, value)
    }
    this.#scope = new Scope(declarations)
    const namespace =
      colon < 0 ? declarations.get('') : this.#use(bytes.toString('utf8', base + nameStart, base + colon))
    if (attributes.prefixed > 0) this.#resolveAttributes(bytes, base)
    this.#rootDefault = declarations.get('') ?? ''
    this.#rootName = Buffer.from(bytes.subarray(base + nameStart, base + nameEnd))
    const name = bytes.toString('utf8', base + (colon < 0 ? nameStart : colon + 1), base + nameEnd)
    this.header = { name, namespace: namespace ?? '', attributes: values, declarations }
  }

  /** Takes the declarations of the tag; returns the default namespace where it declares one. */
  #declare(bytes: Buffer, base: number): string | undefined {
    const { attributes } = this.tag
    let own: string | undefined
    for (let i = 0; i < attributes.count; i++) {
      const prefix = attributes.declaredPrefix(bytes, base, i)
      if (prefix === undefined) continue
      if (prefix === '' && this.depth > 2 && !this.#isNotable(i)) continue
      const namespace = this.#value(bytes, base, i)
      checkDeclaration(prefix, namespace)
      if (namespace === this.#contentNamespace) this.isPortable = false
      if (prefix === '') own = namespace
      else if (prefix !== 'xml') this.#scope.declare(prefix, namespace, this.depth)
      if (this.#scope.size > this.mostPrefixes) throw new XmlFault('policy-violation', 'too many prefixes')
    }
    return own
  }

  // Most declarations are of the default namespace of a payload, of which nothing needs to be known.
  #isNotable(index: number): boolean {
    const { attributes } = this.tag
    const length = attributes.valueEnd[index]! - attributes.valueStart[index]!
    return !attributes.isPlain || length === this.#contentBytes || isReservedLength(length)
  }

  #resolveAttributes(bytes: Buffer, base: number): void {
    this.tag.attributes.checkExpandedNames(bytes, base, prefix => this.#use(prefix))
  }

  #use(prefix: string): string {
    const local = this.#scope.findLocal(prefix)
    if (local !== undefined) return local
    this.isPortable = false
    const namespace = this.#scope.root.get(prefix)
    if (namespace === undefined) throw new XmlFault('bad-namespace-prefix', 'a prefix that is not declared')
    return namespace
  }

  #value(bytes: Buffer, base: number, index: number): string {
    return decodeValue(
      bytes,
      base + this.tag.attributes.valueStart[index]!,
      base + this.tag.attributes.valueEnd[index]!,
    )
  }

  #locate(bytes: Buffer, base: number, nameStart: number, nameEnd: number): Envelope {
    const { attributes } = this.tag
    let fromStart = 0
    let fromEnd = 0
    let toStart = 0
    let toEnd = 0
    let typeStart = 0
    let typeEnd = 0
    let idStart = 0
    let idEnd = 0
    for (let i = 0; i < attributes.count; i++) {
      const start = attributes.valueStart[i]!
      const end = attributes.valueEnd[i]!
      switch (shortName(bytes, base + attributes.nameStart[i]!, base + attributes.nameEnd[i]!)) {
        case 0x746f: // to
          toStart = start
          toEnd = end
          break
        case 0x6964: // id
          idStart = start
          idEnd = end
          break
        case 0x66726f6d: // from
          fromStart = start
          fromEnd = end
          break
        case 0x74797065: // type
          typeStart = start
          typeEnd = end
      }
    }
    const plainEnd = attributes.isPlain ? (attributes.valueEnd[attributes.count - 1] ?? nameEnd) : 0
    return {
      nameStart,
      nameEnd,
      fromStart,
      fromEnd,
      toStart,
      toEnd,
      typeStart,
      typeEnd,
      idStart,
      idEnd,
      plainEnd,
    }
  }
}

const nowhere: Envelope = {
  nameStart: 0,
  nameEnd: 0,
  fromStart: 0,
  fromEnd: 0,
  toStart: 0,
  toEnd: 0,
  typeStart: 0,
  typeEnd: 0,
  idStart: 0,
  idEnd: 0,
  plainEnd: 0,
}

/** A name of up to four characters as one number; -1 for a longer one. */
function shortName(bytes: Buffer, start: number, end: number): number {
  if (end - start > 4) return -1
  let name = 0
  for (let i = start; i < end; i++) name = (name << 8) | bytes[i]!
  return name
}
