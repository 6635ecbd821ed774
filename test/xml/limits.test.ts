import { describe, expect, test } from 'vitest'
import { header, inChunks, transcript } from './transcript.ts'

const tooBig = 'fault policy-violation (too big)'
const over = 'fault policy-violation'

/** What the reader said last of these elements, however they are cut. */
function last(elements: string, limits = { elementBytes: 10_000, depth: 64 }, root = header): string {
  const bytes = Buffer.from(root + elements)
  const whole = transcript([bytes], limits)
  for (const size of [1, 2, 3, 7, 100, bytes.length - 1])
    expect(transcript(inChunks(bytes, size), limits)).toEqual(whole)
  return whole.at(-1)!.slice(0, 40)
}

describe('A reader that allows 200 bytes an element', () => {
  const limits = { elementBytes: 200, depth: 64 }
  const sized = (bytes: number): string => `<m>${'x'.repeat(bytes - 7)}</m>`

  test.each([199, 200])('reads one of %i bytes', bytes => {
    expect(last(sized(bytes), limits)).toMatch(/^element/)
  })

  test.each([
    ['one of 201 bytes', sized(201)],
    ['one that is never complete', `<m>${'x'.repeat(300)}`],
    ['one that would be malformed further on', `<m>${'x'.repeat(200)}&`],
    ['a name', `<${'m'.repeat(300)}`],
    ['a value', `<m a='${'x'.repeat(300)}`],
    ['white space in a tag', `<m${' '.repeat(300)}`],
    ['a reference', `<m>&#${'0'.repeat(300)}`],
    ['a character that the limit cuts', `<m>${'x'.repeat(196)}\u4f60</m>`],
    ['a second one', `${sized(100)}${sized(201)}`],
    ['the end of the stream', `</stream:stream${' '.repeat(300)}>`],
  ])('refuses %s', (_, elements) => {
    expect(last(elements, limits)).toBe(tooBig)
  })

  test('counts each element by itself, and no white space between them', () => {
    expect(last(`${sized(200)}${' '.repeat(500)}`.repeat(5), limits)).toMatch(/^element/)
  })

  test.each([
    ['a header', `<stream to='${'x'.repeat(300)}'>`],
    ['a header that is never complete', `<stream${' '.repeat(300)}`],
    ['white space before a header', ' '.repeat(300)],
    ['an XML declaration', `<?xml version='1.0'${' '.repeat(300)}?>`],
    ['a processing instruction that may be one', `<?xml${'x'.repeat(300)}`],
  ])('refuses %s of more', (_, root) => {
    expect(last('', limits, root)).toBe(tooBig)
  })
})

describe('A reader', () => {
  test('allows elements as deep as its limit, the top-level element being at depth 1', () => {
    const limits = { elementBytes: 10_000, depth: 3 }
    expect(last('<a><b><c/></b></a>', limits)).toMatch(/^element/)
    expect(last('<a><b><c><d/></c></b></a>', limits)).toBe(over)
    expect(last('<a><b><c>', { elementBytes: 10_000, depth: 2 })).toBe(over)
  })

  test('allows 64 attributes a tag', () => {
    const attributes = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}=''`).join('')
    expect(last(`<m${attributes(64)}/>`)).toMatch(/^element/)
    expect(last(`<m${attributes(65)}/>`)).toBe(over)
    expect(last('', undefined, `<stream${attributes(65)}>`)).toBe(over)
  })

  test('allows names of 1024 bytes', () => {
    expect(last(`<${'m'.repeat(1024)}/>`)).toMatch(/^element/)
    expect(last(`<${'m'.repeat(1025)}/>`)).toBe(over)
    expect(last(`<m ${'\u00e9'.repeat(513)}=''/>`)).toBe(over)
  })

  test('allows 64 prefixes around one place', () => {
    const prefixes = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => ` xmlns:p${from + i}='urn:p'`).join('')
    const nested = (count: number) => `<a${prefixes(0, 40)}><b${prefixes(40, count)}/></a>`
    expect(last(nested(64))).toMatch(/^element/)
    expect(last(nested(65))).toBe(over)
    expect(last(`${nested(50)}<a><b${prefixes(0, 60)}/><c${prefixes(0, 60)}/></a>`)).toMatch(/^element/)
  })
})
