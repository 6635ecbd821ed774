import { streams } from '../xml/transcript.ts'

/** A whole number from 0 to below a bound. */
export type Random = (below: number) => number

/** A repeatable source of numbers (mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A stream which is well-formed but for a few mutations, or none. */
export function streamDocument(next: Random): Buffer {
  let document: Buffer = Buffer.from(writeStream(next))
  for (let mutations = next(4); mutations > 0; mutations--) document = mutate(document, next)
  return document
}

const snippets = [
  '<',
  '>',
  '/',
  '/>',
  '</',
  '<!',
  '<!--',
  '-->',
  '<!-- c -->',
  '<?',
  '?>',
  '<?pi?>',
  '<![CDATA[',
  ']]>',
  ']]',
  ']',
  '<!DOCTYPE a>',
  '<!DOCTYPE a [<!ENTITY e "x">]>',
  '&',
  ';',
  '&amp;',
  '&lt;',
  '&foo;',
  '&#65;',
  '&#x41;',
  '&#X41;',
  '&#0;',
  '&#x1F;',
  '&#xD800;',
  '&#xFFFE;',
  '&#x10FFFF;',
  '&#x110000;',
  '&#32;',
  '&#9;',
  '&#10;',
  '&#13;',
  '&#;',
  '&#x;',
  '&#65abc;',
  '&amp',
  '&apos;',
  '&quot;',
  '"',
  "'",
  '=',
  "a=''",
  " a='1'",
  " b='2' b='3'",
  " xmlns=''",
  " xmlns:p=''",
  " xmlns:p='urn:p'",
  " xmlns:q='urn:p'",
  " p:a='1' q:a='2'",
  " xmlns:xml='http://www.w3.org/XML/1998/namespace'",
  " xmlns:xml='urn:p'",
  " xmlns:xmlns='urn:p'",
  " xmlns:p='http://www.w3.org/2000/xmlns/'",
  " xmlns='http://www.w3.org/XML/1998/namespace'",
  " xmlns='jabber:server'",
  " xmlns='jabber:serve&#114;'",
  " xml:lang='de'",
  ':',
  'p:',
  'p:a',
  'a:b:c',
  'xmlns:',
  'xml:',
  '1',
  '-',
  '.',
  '\u00e9',
  '\u00d7',
  '\u00b7',
  '\u0300',
  '\u203f',
  '\u2070',
  '\u3001',
  '\ufffd',
  '\ufffe',
  '\uffff',
  '\u{10000}',
  '\u{effff}',
  '\u{f0000}',
  '\u{10ffff}',
  '\u0085',
  '\u2028',
  '\u00a0',
  '\ufeff',
  '\0',
  '\x01',
  '\x0b',
  '\x1f',
  '\x7f',
  ' ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '<a>',
  '</a>',
  '<a/>',
  '<p:a/>',
  '<db:a/>',
  '<message>',
  '</message>',
  '</stream:stream>',
  '<stream:stream>',
  "<?xml version='1.0'?>",
  "<?xml version='1.1'?>",
  "<?xml version='1.0' encoding='UTF-8'?>",
  " encoding='utf-16'",
  '__proto__',
].map(snippet => Buffer.from(snippet)) // prettier-ignore

const rawBytes = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc2],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
].map(bytes => Buffer.from(bytes))

function mutate(document: Buffer, next: Random): Buffer {
  const at = next(document.length + 1)
  const to = Math.min(document.length, at + 1 + next(next(3) === 0 ? 40 : 3))
  const before = document.subarray(0, at)
  switch (next(8)) {
    case 0:
      return Buffer.concat([before, document.subarray(to)])
    case 1:
      return Buffer.concat([before, document.subarray(at, to), document.subarray(at)])
    case 2:
      return Buffer.concat([
        before,
        Buffer.from([next(256)]),
        document.subarray(Math.min(at + 1, document.length)),
      ])
    case 3:
      return Buffer.concat([before, rawBytes[next(rawBytes.length)]!, document.subarray(at)])
    case 4:
      return Buffer.concat([before, snippets[next(snippets.length)]!, document.subarray(to)])
    default:
      return Buffer.concat([before, snippets[next(snippets.length)]!, document.subarray(at)])
  }
}

const names = [
  'message',
  'iq',
  'a',
  'b',
  'body',
  'p:a',
  'db:result',
  'stream:features',
  'caf\u00e9',
  'x-._1',
  '\u{10000}',
  'A1',
]
const spaces = ['', '', '', ' ', '\n', '\t ', '\r\n']
const texts = [
  '',
  'hello',
  ' x ',
  '\u00fcml\u00e4ut',
  '\u4f60\u597d',
  '\u{1f600}',
  '&lt;&amp;&#x1F600;&#13;',
  '<![CDATA[<&]]]]>',
  'a > b',
  ']] >',
  'a\r\nb\rc\td',
]
const values = [
  '',
  'a@fabrikam.com/r',
  'x\ny\tz',
  '&quot;&apos;&#10;&#13;&#9;',
  '\u00e9\u{1f600}',
  'chat',
  '>',
  ']]>',
  "it's",
  '"',
  ' trim ',
]
const namespaces = ['urn:p', 'jabber:server', 'jabber:client', 'urn:\u00e9', 'urn:&#112;']

function writeStream(next: Random): string {
  const prolog = pick(next, [
    '',
    "<?xml version='1.0'?>",
    '<?xml version="1.0" encoding="utf-8" standalone="yes" ?>\n',
    '\n',
    '\ufeff',
  ])
  const root = pick(next, [
    `<stream:stream xmlns='jabber:server' xmlns:stream='${streams}' xmlns:db='jabber:server:dialback' to='a' from="b" version='1.0'`,
    `<stream:stream xmlns:p='urn:p' xmlns:stream='${streams}' xmlns='jabber:server' xml:lang='en'`,
    `<stream:stream xmlns:db='urn:\u00e9' xmlns:p='jabber:server' xmlns:stream="${streams}"`,
    `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}'`,
  ])
  let written = `${prolog}${root}${pick(next, spaces)}>`
  for (let elements = next(4); elements > 0; elements--) written += writeElement(next, 0) + pick(next, spaces)
  return `${written}</stream:stream${pick(next, spaces)}>${pick(next, spaces)}`
}

function writeElement(next: Random, depth: number): string {
  const name = pick(next, names)
  let written = `<${name}`
  if (name.includes(':') && next(4) > 0) {
    written += ` xmlns:${name.split(':', 1)[0]}=${quoted(next, pick(next, namespaces))}`
  }
  const kinds = [...'ftyidxqlp'].filter(() => next(5) === 0)
  for (const kind of kinds) written += ` ${pick(next, spaces)}${writeAttribute(next, kind)}`
  written += pick(next, spaces)
  if (next(4) === 0) return `${written}/>`
  written += `>${pick(next, texts)}`
  for (let children = depth > 2 ? 0 : next(3); children > 0; children--)
    written += writeElement(next, depth + 1) + pick(next, texts)
  return `${written}</${name}${pick(next, spaces)}>`
}

function writeAttribute(next: Random, kind: string): string {
  switch (kind) {
    case 'x':
      return `xmlns=${quoted(next, pick(next, ['', ...namespaces]))}`
    case 'q':
      return `xmlns:q=${quoted(next, pick(next, namespaces))} q:id=${quoted(next, pick(next, values))}`
    case 'l':
      return `xml:lang=${quoted(next, 'en')}`
    case 'p':
      return `p:to=${quoted(next, pick(next, values))}`
    default: {
      const name = { f: 'from', t: 'to', y: 'type', i: 'id', d: '__proto__' }[kind]
      return `${name}${pick(next, spaces)}=${pick(next, spaces)}${quoted(next, pick(next, values))}`
    }
  }
}

function quoted(next: Random, value: string): string {
  if (value.includes("'") || (!value.includes('"') && next(2) === 0)) return `"${value}"`
  return `'${value}'`
}

function pick<T>(next: Random, from: readonly T[]): T {
  return from[next(from.length)]!
}
