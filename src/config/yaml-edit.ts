import { isCollection, isMap, isScalar, isSeq, type Node, stringify, type YAMLMap, type YAMLSeq } from 'yaml'
import {
  behindColon,
  behindComma,
  behindComments,
  boundsOf,
  type Collection,
  columnOf,
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
import type { Path } from './yaml-source.ts'

// Text is cut out and put in at the places of its nodes, for the library's own printer would lay out the whole file
// anew. Where a text is written in a way that this cannot deal with, it comes back as it was, or comes to hold something
// else than was meant: the caller reads the result, and compares.

/** What an edit writes. */
export type Written = string | number | boolean | readonly Written[] | WrittenMap

export type WrittenMap = { readonly [key: string]: Written }

/** Puts items at the end of the list behind a key of the whole file, which may be empty or missing. */
export function appendItems(text: string, key: string, items: readonly Written[]): string {
  const root = contentsOf(text)
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

/** Puts an item at the end of a list. */
export function appendItem(text: string, path: Path, item: Written): string {
  const root = contentsOf(text)
  return append(text, root, nodeAt(root, path), [item])
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

/** Takes out an item of a list, or a key with its value; comments that stand above it stay. */
export function cutAt(text: string, path: Path): string {
  const root = contentsOf(text)
  const parent = nodeAt(root, path.slice(0, -1))
  const step = path.at(-1)!
  if (isSeq(parent)) {
    const index = Number(step)
    if (isFlow(parent)) return cutInFlow(text, parent, index)
    const cut = cutItem(text, parent, index)
    const owner = nodeAt(root, path.slice(0, -2))
    const pair = isMap(owner) ? pairOf(owner, String(path.at(-2))) : undefined
    if (parent.items.length > 1 || pair === undefined) return cut
    const at = behindColon(pair)
    return `${cut.slice(0, at)} []${cut.slice(at)}`
  }
  if (!isMap(parent)) return text
  const index = parent.items.findIndex(({ key }) => isKey(key, String(step)))
  if (index < 0) return text
  return isFlow(parent) ? cutInFlow(text, parent, index) : cutKey(text, parent, index)
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
  const comma = behindComma(collection, to) === undefined ? ',' : ''
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

function cutInFlow(text: string, collection: Collection, index: number): string {
  const item: unknown = collection.items[index]
  if (item === undefined) return text
  const [start, end] = boundsOf(item)
  const comma = behindComma(collection, end)
  const previous: unknown = collection.items[index - 1]
  const before = previous === undefined ? start : boundsOf(previous)[1]
  // JSON knows no comma behind the last item; it knows no comments either, so that none is lost with that comma.
  if (comma === undefined && !text.slice(before, start).includes('#'))
    return text.slice(0, before) + text.slice(end)
  const to = comma ?? end
  const line = lineStart(text, start)
  const rest = /[ \t]*(#.*)?\r?\n/y
  rest.lastIndex = to
  if (!/\S/.test(text.slice(line, start)) && rest.test(text))
    return text.slice(0, line) + text.slice(rest.lastIndex)
  return text.slice(0, start) + text.slice(to).replace(/^[ \t]+/, '')
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

type Style = 'block' | 'flow' | 'json'

/** How a value at this path must be written: within brackets, more has to stand in quotes. */
function styleAt(root: Node | null, path: Path): Style {
  if (root !== null && isFlow(root)) return 'json'
  return path.some((_, length) => isFlow(nodeAt(root, path.slice(0, length)))) ? 'flow' : 'block'
}

/** A value on one line. */
function render(value: Written, style: Style): string {
  if (Array.isArray(value)) return `[${value.map(item => render(item, inner(style))).join(', ')}]`
  if (isWrittenMap(value)) {
    const pairs = Object.entries(value).map(
      ([key, held]) => `${render(key, inner(style))}: ${render(held, inner(style))}`,
    )
    return `{ ${pairs.join(', ')} }`
  }
  if (typeof value !== 'string') return String(value)
  // Also what YAML would break into lines.
  if (style === 'json' || /[\p{Cc}\u2028\u2029\ufeff]/u.test(value)) return JSON.stringify(value)
  const options = { lineWidth: 0, flowCollectionPadding: false } as const
  return style === 'block'
    ? stringify({ k: value }, options).trimEnd().slice('k: '.length)
    : stringify([value], { ...options, collectionStyle: 'flow' })
        .trimEnd()
        .slice(1, -1)
}

function inner(style: Style): Style {
  return style === 'block' ? 'flow' : style
}

function isWrittenMap(value: Written): value is WrittenMap {
  return typeof value === 'object' && !Array.isArray(value)
}

function isFlow(node: unknown): boolean {
  return isCollection(node) && node.flow === true
}
