import {
  type CST,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Path } from './yaml-source.ts'

/** A mapping or a list. */
export type Collection = YAMLMap | YAMLSeq

/** What a YAML text holds, every node with the tokens it was made of; null where it holds comments only. */
export function contentsOf(text: string): Node | null {
  return parseDocument(text, { keepSourceTokens: true, prettyErrors: false }).contents as Node | null
}

/** The node at a path of keys and list positions; undefined where there is none, or an alias on the way. */
export function nodeAt(root: Node | null, path: Path): Node | undefined {
  let node: unknown = root
  for (const step of path) {
    if (isMap(node)) node = pairOf(node, String(step))?.value
    else if (isSeq(node)) node = node.items[Number(step)]
    else return undefined
  }
  return (node as Node | null) ?? undefined
}

/** The pair of a key. */
export function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find(pair => isKey(pair.key, key))
}

/** Is this node the key of that name? */
export function isKey(node: unknown, name: string): boolean {
  return isScalar(node) && String(node.value) === name
}

/** Where the node's own text begins, behind its anchor and tag. */
export function startOf(node: unknown): number {
  return (node as Node).range?.[0] ?? 0
}

/** Where it ends, without the comments and white space behind it; a block scalar ends at the start of a line. */
export function endOf(node: unknown): number {
  if ((isMap(node) || isSeq(node)) && node.flow !== true) {
    const last: unknown = node.items.at(-1)
    return last === undefined ? startOf(node) : boundsOf(last)[1]
  }
  return (node as Node).range?.[1] ?? 0
}

/** Where an item of a collection begins and ends: a node, or a key with its value. */
export function boundsOf(item: unknown): readonly [number, number] {
  if (!isPair(item)) return [startOf(item), endOf(item)]
  const { value } = item
  const isEmpty = value === null || startOf(value) === (value as Node).range?.[1]
  return [startOf(item.key), isEmpty ? behindColon(item) : endOf(value)]
}

/** Behind the colon of a pair; behind its key, where it has none. */
export function behindColon(pair: Pair): number {
  const colon = tokenOf(pair.srcToken?.sep, 'map-value-ind')
  return colon === undefined ? endOf(pair.key) : colon + 1
}

/** The dash of an item of a list in block style. */
export function dashOf(list: YAMLSeq, index: number): number | undefined {
  const token = list.srcToken as CST.BlockSequence | undefined
  return tokenOf(token?.items[index]?.start, 'seq-item-ind')
}

/** Behind each comma of a collection in flow style. */
export function commasOf(collection: Collection): readonly number[] {
  const token = collection.srcToken as CST.FlowCollection | undefined
  return (token?.items ?? []).flatMap(({ start }) => {
    const comma = tokenOf(start, 'comma')
    return comma === undefined ? [] : [comma + 1]
  })
}

/** The start of the line that holds `at`. */
export function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1
}

/** The start of the line behind; of the text's last line, its end. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

/** The start of the first line behind a node's text. */
export function lineBehind(text: string, node: unknown): number {
  const end = endOf(node)
  return end > 0 && text[end - 1] === '\n' ? end : lineEnd(text, end)
}

/** How far a character is from the start of its line, in characters. */
export function columnOf(text: string, at: number): number {
  return at - lineStart(text, at)
}

/** Behind the comments that stand at `at`, indented further than `column`: they belong to what is above them. */
export function behindComments(text: string, at: number, column: number): number {
  const line = /([ \t]*)(#.*)?(?:\r?\n|$)/y
  let end = at
  line.lastIndex = at
  for (let found = line.exec(text); found !== null && found[0] !== ''; found = line.exec(text)) {
    if (found[2] !== undefined && found[1]!.length > column) end = line.lastIndex
  }
  return end
}

function tokenOf(
  tokens: readonly CST.SourceToken[] | undefined,
  type: CST.SourceToken['type'],
): number | undefined {
  return tokens?.find(token => token.type === type)?.offset
}
