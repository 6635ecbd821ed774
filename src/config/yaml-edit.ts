import { isCollection, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml'
import {
  behindColon,
  behindComments,
  boundsOf,
  type Collection,
  columnOf,
  commasOf,
  contentsOf,
  dashOf,
  endOf,
  isKey,
  lineBehind,
  lineEnd,
  lineStart,
  nodeAt,
  pairOf,
  startOf,
} from './yaml-places.ts'
import type { Path, YamlSource } from './yaml-source.ts'
import { isWrittenMap, render, type Style, type Written } from './yaml-written.ts'

// Text is cut out and put in at the places of its nodes, for the library's own printer would lay out the whole file
// anew. Where a text is written in a way that this cannot deal with, it comes back as it was, or comes to hold something
// else than was meant: the caller reads the result, and compares.

/** Puts items at the end of the list behind a key of the whole file, which may be empty or missing. */
export function appendItems(
  text: string,
  key: string,
  items: readonly Written[],
  root = contentsOf(text),
): string {
  const lines = [`${key}:`, ...itemLines(items, '  ')]
  if (root === null) return insertLines(text, text.length, lines)
  if (isNothing(root)) return putInPlaceOf(text, root, lines)
  const pair = isMap(root) ? pairOf(root, key) : undefined
  if (pair === undefined) return text
  const list = pair.value
  if (isSeq(list) && list.items.length > 0) return append(text, root, list, items)
  const [from, to] = [behindColon(pair), boundsOf(pair)[1]]
  if (!/^(\s*(\[\s*\]|~|null|Null|NULL))?$/.test(text.slice(from, to))) return append(text, root, list, items)
  if (isFlow(root)) {
    if (isSeq(list)) return append(text, root, list, items)
    return `${text.slice(0, from)} ${render(items, 'json')}${text.slice(to)}`
  }
  // Behind the colon stands nothing, [] or null: the list goes below it.
  const bare = text.slice(0, from) + text.slice(to)
  return insertLines(bare, lineEnd(bare, from), itemLines(items, '  '))
}

/** Puts items at the end of a list that has some. */
export function appendItemsAt(text: string, path: Path, items: readonly Written[]): string {
  const root = contentsOf(text)
  return items.length === 0 ? text : append(text, root, nodeAt(root, path), items)
}

/** Puts a key at the end of a mapping. */
export function appendKey(text: string, path: Path, key: string, value: Written): string {
  const root = contentsOf(text)
  const map = nodeAt(root, path)
  if (!isMap(map) || map.items.length === 0) return text
  const style = styleAt(root, [...path, key])
  const line = `${render(key, style)}: ${render(value, style)}`
  return isFlow(map)
    ? appendInFlow(text, map, [line])
    : appendLines(text, map, startOf(map.items[0]!.key), [line])
}

/** Writes another value in the place of the one at a path. */
export function replaceAt(text: string, path: Path, value: Written): string {
  const root = contentsOf(text)
  const node = nodeAt(root, path)
  if (node === undefined) return text
  const [from, to] = [startOf(node), endOf(node)]
  const old = text.slice(from, to)
  // A block scalar takes the end of its line with it, and may have a comment behind its header.
  const [, comment = ''] = /^[|>][-+0-9]*([ \t]+#[^\r\n]*)/.exec(old) ?? []
  const tail = comment + (/\r?\n$/.exec(old)?.[0] ?? '')
  return text.slice(0, from) + render(value, styleAt(root, path)) + tail + text.slice(to)
}

/** Takes out a key with its value; comments that stand above it stay. */
export function cutKeyAt(text: string, path: Path): string {
  const root = contentsOf(text)
  const map = nodeAt(root, path.slice(0, -1))
  if (!isMap(map)) return text
  const index = map.items.findIndex(({ key }) => isKey(key, String(path.at(-1))))
  if (index < 0) return text
  return isFlow(map) ? cutInFlow(text, map, [index]) : cutKey(text, map, index)
}

/** Takes items out of a list; comments that stand above them stay. @param indexes ascending */
export function cutItemsAt(
  text: string,
  path: Path,
  indexes: readonly number[],
  root = contentsOf(text),
): string {
  const list = nodeAt(root, path)
  if (!isSeq(list) || indexes.length === 0) return text
  if (isFlow(list)) return cutInFlow(text, list, indexes)
  // From the end on: what stands before is where it was.
  const cut = indexes.reduceRight((rest, index) => cutItem(rest, list, index), text)
  const owner = nodeAt(root, path.slice(0, -1))
  const pair = isMap(owner) ? pairOf(owner, String(path.at(-1))) : undefined
  if (list.items.length > indexes.length || pair === undefined) return cut
  const at = behindColon(pair)
  return `${cut.slice(0, at)} []${cut.slice(at)}`
}

/** The lines of an item of a list in block style behind a key of the whole file; undefined where they are not its own. */
export function linesOfItem(
  { text, root }: Pick<YamlSource, 'text' | 'root'>,
  key: string,
  index: number,
): readonly [from: number, to: number] | undefined {
  const list = nodeAt(root, [key])
  if (!isSeq(list) || isFlow(list)) return undefined
  const [dash, next] = [dashOf(list, index), dashOf(list, index + 1)]
  if (dash === undefined) return undefined
  const [from, to] = [lineStart(text, dash), next === undefined ? text.length : lineStart(text, next)]
  return /\S/.test(text.slice(from, dash)) ? undefined : [from, to]
}

/** `{}`, null, or nothing behind `---`. */
function isNothing(root: Node): boolean {
  return isMap(root) ? isFlow(root) && root.items.length === 0 : isScalar(root) && root.value === null
}

/** Whole lines where the root was, with the comment that stood behind it above them. */
function putInPlaceOf(text: string, root: Node, lines: readonly string[]): string {
  const [from, to] = [startOf(root), endOf(root)]
  const bare = text.slice(0, from) + text.slice(to)
  const [start, end] = [lineStart(bare, from), lineEnd(bare, from)]
  if (from === to) return insertLines(text, from === start ? from : end, lines)
  if (/\S/.test(bare.slice(start, end))) return insertLines(bare, end, lines)
  return insertLines(bare.slice(0, start) + bare.slice(end), start, lines)
}

function append(text: string, root: Node | null, list: unknown, items: readonly Written[]): string {
  if (!isSeq(list)) return text
  if (isFlow(list)) {
    const style = root !== null && isFlow(root) ? 'json' : 'flow'
    return appendInFlow(
      text,
      list,
      items.map(item => render(item, style)),
    )
  }
  const dash = dashOf(list, 0)
  return dash === undefined ? text : appendLines(text, list, dash, itemLines(items, ''))
}

/** Lines behind the last one of a collection in block style, under the place where its first item begins. */
function appendLines(text: string, collection: Collection, first: number, lines: readonly string[]): string {
  const column = columnOf(text, first)
  const own = isSeq(collection) ? column : column - 1
  const at = behindComments(text, lineBehind(text, collection), own)
  return insertLines(
    text,
    at,
    lines.map(line => ' '.repeat(column) + line),
  )
}

function appendInFlow(text: string, collection: Collection, items: readonly string[]): string {
  const last: unknown = collection.items.at(-1)
  const close = endOf(collection) - 1
  if (last === undefined) return `${text.slice(0, close)}${items.join(', ')}${text.slice(close)}`
  const [from, to] = boundsOf(last)
  const start = lineStart(text, from)
  const end = lineEnd(text, to)
  if (/\S/.test(text.slice(start, from)) || close < end) {
    return `${text.slice(0, to)}, ${items.join(', ')}${text.slice(to)}`
  }
  // The last item has a line of its own, perhaps with a comment: so do the new ones.
  const comma = commasOf(collection).some(at => at > to) ? '' : ','
  const lines = items.map((item, at) => text.slice(start, from) + item + (at < items.length - 1 ? ',' : ''))
  const below = insertLines(text, end, lines)
  return below.slice(0, to) + comma + below.slice(to)
}

function cutItem(text: string, list: YAMLSeq, index: number): string {
  const dash = dashOf(list, index)
  if (dash === undefined || /\S/.test(text.slice(lineStart(text, dash), dash))) return text
  const from = lineStart(text, dash)
  return cutLines(text, from, behindComments(text, lineBehind(text, list.items[index]), columnOf(text, dash)))
}

function cutKey(text: string, map: YAMLMap, index: number): string {
  const [from, to] = boundsOf(map.items[index])
  const end = text[to - 1] === '\n' ? to : lineEnd(text, to)
  const start = lineStart(text, from)
  if (!/\S/.test(text.slice(start, from)))
    return cutLines(text, start, behindComments(text, end, columnOf(text, from)))
  // It stands behind the dash: the next key goes there, or a comment stays between the two.
  const next = map.items[index + 1]
  if (next === undefined) return text
  const following = startOf(next.key)
  if (!/\S/.test(text.slice(end, following))) return text.slice(0, from) + text.slice(following)
  return text.slice(0, from).trimEnd() + (/\r?\n$/.exec(text.slice(0, end))?.[0] ?? '') + text.slice(end)
}

function cutInFlow(text: string, collection: Collection, indexes: readonly number[]): string {
  const bounds = collection.items.map(boundsOf)
  const last = bounds.at(-1)
  if (last === undefined) return text
  const gone = new Set(indexes)
  const commas = commasOf(collection)
  const cut = indexes.map(at => bounds[at]!)
  const staying = bounds.findLastIndex((_, at) => !gone.has(at))
  const from = staying < 0 ? bounds[0]![0] : bounds[staying]![1]
  // JSON knows no comma behind the last item; it knows no comments either, so that none is lost with that comma.
  if (gone.has(bounds.length - 1) && !commas.some(comma => comma > last[1])) {
    if (!text.slice(from, last[0]).includes('#')) {
      const before = cut.filter(([start]) => start < from)
      return cutWithCommas(text.slice(0, from) + text.slice(last[1]), before, commas)
    }
  }
  return cutWithCommas(text, cut, commas)
}

/** Each with the comma behind it. */
function cutWithCommas(
  text: string,
  bounds: readonly (readonly [number, number])[],
  commas: readonly number[],
): string {
  return bounds.reduceRight((rest, [start, end]) => {
    const to = commas.find(comma => comma > end) ?? end
    const line = lineStart(rest, start)
    const behind = /[ \t]*(#.*)?\r?\n/y
    behind.lastIndex = to
    if (!/\S/.test(rest.slice(line, start)) && behind.test(rest))
      return rest.slice(0, line) + rest.slice(behind.lastIndex)
    return rest.slice(0, start) + rest.slice(to).replace(/^[ \t]+/, '')
  }, text)
}

/** Without whole lines; a text without a newline at its end is to have none after it either. */
function cutLines(text: string, from: number, to: number): string {
  const isOpen = to === text.length && !text.endsWith('\n')
  // Two empty lines, one from above and one from below, become one.
  const isAlone = /\n[ \t]*\r?\n$/.test(text.slice(0, from))
  const below = isAlone ? text.slice(to).replace(/^[ \t]*\r?\n/, '') : text.slice(to)
  return (isOpen ? text.slice(0, from).replace(/\r?\n$/, '') : text.slice(0, from)) + below
}

/** Puts in whole lines at the start of a line, or at the end of the text. */
function insertLines(text: string, at: number, lines: readonly string[]): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const isOpen = at === text.length && at > 0 && !text.endsWith('\n')
  const inserted = isOpen ? newline + lines.join(newline) : lines.map(line => line + newline).join('')
  return text.slice(0, at) + inserted + text.slice(at)
}

function itemLines(items: readonly Written[], indent: string): string[] {
  return items.flatMap(item =>
    isWrittenMap(item)
      ? Object.entries(item).map(
          ([key, value], at) =>
            `${indent}${at === 0 ? '- ' : '  '}${render(key, 'block')}: ${render(value, 'block')}`,
        )
      : [`${indent}- ${render(item, 'block')}`],
  )
}

/** How a value at this path must be written: within brackets, more has to stand in quotes. */
function styleAt(root: Node | null, path: Path): Style {
  if (root !== null && isFlow(root)) return 'json'
  return path.some((_, length) => isFlow(nodeAt(root, path.slice(0, length)))) ? 'flow' : 'block'
}

function isFlow(node: unknown): boolean {
  return isCollection(node) && node.flow === true
}
