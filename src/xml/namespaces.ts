import { malformed } from './fault.ts'

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/** Can a value of so many bytes be a namespace whose declaration `checkDeclaration` looks at? */
export function isReservedLength(bytes: number): boolean {
  return bytes === xmlNamespace.length || bytes === xmlnsNamespace.length
}

/**
 * Checks a declaration by Namespaces in XML 1.0 §3.
 * @param prefix '' for the default namespace
 * @throws {XmlFault} when it is not allowed
 */
export function checkDeclaration(prefix: string, namespace: string): void {
  const isAllowed =
    prefix === 'xml'
      ? namespace === xmlNamespace
      : prefix !== 'xmlns' &&
        namespace !== xmlNamespace &&
        namespace !== xmlnsNamespace &&
        (prefix === '' || namespace !== '')
  if (!isAllowed) throw malformed('a namespace declaration that is not allowed')
}

/** The prefixes declared around the place where a scanner or a cursor is. */
export class Scope {
  /** What the stream root declares; '' is the default namespace. */
  readonly root: ReadonlyMap<string, string>
  readonly #prefixes: string[] = []
  readonly #namespaces: string[] = []
  readonly #depths: number[] = []
  #size = 0

  constructor(root: ReadonlyMap<string, string>) {
    this.root = root
  }

  /** The number of declarations beneath the root. */
  get size(): number {
    return this.#size
  }

  /** Declares a prefix on the element at `depth`. */
  declare(prefix: string, namespace: string, depth: number): void {
    this.#prefixes[this.#size] = prefix
    this.#namespaces[this.#size] = namespace
    this.#depths[this.#size++] = depth
  }

  /** Forgets what was declared at `depth` and below. */
  leave(depth: number): void {
    while (this.#size > 0 && this.#depths[this.#size - 1]! >= depth) this.#size--
  }

  /** The namespace declared for a prefix beneath the root. */
  findLocal(prefix: string): string | undefined {
    for (let i = this.#size - 1; i >= 0; i--) if (this.#prefixes[i] === prefix) return this.#namespaces[i]
    return prefix === 'xml' ? xmlNamespace : undefined
  }

  /** The namespace declared for a prefix. */
  find(prefix: string): string | undefined {
    return this.findLocal(prefix) ?? this.root.get(prefix)
  }
}
