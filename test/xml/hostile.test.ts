import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/xml/reader.ts'
import { header, inChunks, server } from './transcript.ts'

const size = 262_144
const limits = { elementBytes: size, depth: 64 }

function repeat(piece: string | ((i: number) => string), bytes = size - 1000): string {
  if (typeof piece === 'string') return piece.repeat(bytes / Buffer.byteLength(piece))
  let text = ''
  for (let i = 0; text.length < bytes; i++) text += piece(i)
  return text
}

const tags = Array.from({ length: 60 }, (_, i) => ` xmlns:p${i}='u${i}'`).join('')
const attributes = Array.from({ length: 64 }, (_, i) => ` a${i + 10}=''`).join('')
const prefixed = Array.from({ length: 60 }, (_, i) => ` p${i}:a=''`).join('')

const documents: readonly (readonly [what: string, text: string])[] = [
  ['a body', `${header}<m>${repeat('x')}</m>`],
  ['a body of > and ]', `${header}<m>${repeat(']>')}</m>`],
  ['a body of wide characters', `${header}<m>${repeat('\u4f60\u{1f600}')}</m>`],
  ['references', `${header}<m>${repeat('&amp;')}</m>`],
  ['one long reference', `${header}<m>&#${repeat('0')}65;</m>`],
  ['CDATA', `${header}<m><![CDATA[${repeat(']]')}]]></m>`],
  ['a value', `${header}<m a='${repeat('"')}'/>`],
  ['white space in a tag', `${header}<m${repeat(' ')}/>`],
  ['white space between elements', `${header}${repeat(' ')}<m/>`],
  ['white space before the header', `${repeat(' ')}${header}<m/>`],
  ['an XML declaration', `<?xml version='1.0'${repeat(' ')}?>${header}<m/>`],
  ['many small elements', `${header}${repeat('<a/>')}`],
  ['many small children', `${header}<m>${repeat('<a></a>')}</m>`],
  ['many attributes', `${header}<m>${repeat(`<a${attributes}/>`)}</m>`],
  ['many prefixes', `${header}<m${tags}>${repeat('<p0:a/>')}</m>`],
  ['many prefixed attributes', `${header}<m${tags}>${repeat(`<a${prefixed}/>`)}</m>`],
  ['long names', `${header}<m>${repeat(`<${'\u00e9'.repeat(512)}/>`)}</m>`],
]

describe(`Reading ${size} bytes costs less than a second of CPU, whole or byte by byte, when they are`, () => {
  // A reader that looks at all of an unfinished element each time needs twenty seconds for the first of these.
  test.each(documents)('%s', (_, text) => {
    const bytes = Buffer.from(text)
    for (const chunks of [[bytes], inChunks(bytes, 1)]) {
      let elements = 0
      const reader = new Reader(server, { header() {}, element: () => elements++, end() {} }, limits)
      const before = process.cpuUsage()
      for (const chunk of chunks) reader.write(chunk)
      const { user, system } = process.cpuUsage(before)
      expect(elements).toBeGreaterThan(0)
      expect(user + system).toBeLessThan(1e6)
    }
  })
})
