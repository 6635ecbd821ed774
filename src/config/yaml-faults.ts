import {
  type Document,
  type ErrorCode,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  visit,
  type YAMLMap,
} from 'yaml'

/** What would be accepted, where the parser's own words do not say so. */
const words: { readonly [K in ErrorCode]?: string } = {
  BAD_DQ_ESCAPE:
    'a backslash in double quotes begins an escape; expected \\\\ for itself, or the text in single quotes',
  BAD_SCALAR_START: 'a text that begins with this character is to stand in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value with a colon and a space in it is to stand in quotes',
  DUPLICATE_KEY: 'stands here twice; a key may be given once',
  MULTIPLE_DOCS: 'a second document begins here; expected one, without another ---',
  TAB_AS_INDENT: 'expected spaces at the start of the line, not tabs',
  TAG_RESOLVE_FAILED: 'expected a value without a tag',
}

/** What the parser found wrong, in words that say what would be accepted. */
export function faultText({ code, message }: { readonly code: ErrorCode; readonly message: string }): string {
  return words[code] ?? message
}

/** An alias without its anchor: the node that stands in its place, its name, and the way to it. */
export type LostAlias = {
  readonly node: Node
  readonly name: string
  readonly path: readonly (string | number)[]
}

/** Puts null in the place of each alias without an anchor, so that the rest can be read. */
export function withoutLostAliases(document: Document): readonly LostAlias[] {
  const lost: LostAlias[] = []
  const anchors = new Set<string>()
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node) && node.anchor !== undefined) anchors.add(node.anchor)
    },
    Alias: (_, alias, ancestors) => {
      if (anchors.has(alias.source)) return undefined
      const node = new Scalar(null)
      node.range = alias.range ?? null
      lost.push({ node, name: alias.source, path: pathOf([...ancestors, alias]) })
      return node
    },
  })
  return lost
}

/** Puts what only an earlier copy of a key holds into its last one, which is read: so that a fault in either is found. */
export function joinCopies(document: Document): void {
  visit(document, {
    Map: (_, map) => {
      const last = new Map<string, Pair>()
      for (const pair of [...map.items].reverse()) {
        const key = String(isScalar(pair.key) ? pair.key.value : pair.key)
        const kept = last.get(key)
        if (kept === undefined) last.set(key, pair)
        else if (isCollection(kept.value) && isCollection(pair.value)) {
          join(kept.value, pair.value)
          map.items.splice(map.items.indexOf(pair), 1)
        }
      }
    },
  })
}

function join(last: { items: unknown[] }, earlier: { readonly items: readonly unknown[] }): void {
  if (isSeq(last) && isSeq(earlier)) last.items.unshift(...earlier.items)
  if (!isMap(last) || !isMap(earlier)) return
  const isHeld = ({ key }: Pair) => isScalar(key) && last.has(key.value)
  last.items.unshift(...(earlier as YAMLMap).items.filter(pair => !isHeld(pair)))
}

/** The keys and list positions that lead to the last of these nodes, each the child of the one before. */
function pathOf(nodes: readonly unknown[]): readonly (string | number)[] {
  return nodes.flatMap((node, at): readonly (string | number)[] => {
    const parent = nodes[at - 1]
    if (isSeq(parent)) return [parent.items.indexOf(node)]
    return isPair(node) ? [String(isScalar(node.key) ? node.key.value : node.key)] : []
  })
}
