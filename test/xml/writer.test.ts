import { describe, expect, test } from 'vitest'
import { escapeAttribute, escapeText, streamFooter, streamHeader, tag } from '../../src/xml/writer.ts'
import { inChunks, slicesOf, transcript } from './transcript.ts'

describe('A stream header', () => {
  test('declares its namespaces and names the stream', () => {
    expect(
      streamHeader({
        content: 'jabber:server',
        from: 'a',
        to: 'b',
        id: '1',
        version: '1.0',
        lang: 'en',
        dialback: true,
      }),
    ).toBe(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
        "xmlns:db='jabber:server:dialback' from='a' to='b' id='1' version='1.0' xml:lang='en'>",
    )
  })

  test('leaves out what is not given', () => {
    expect(streamHeader({ content: 'jabber:component:accept', to: "o'x" })).toBe(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='o&apos;x'>",
    )
  })

  test('is read by the reader, and ended by the footer', () => {
    const bytes = Buffer.from(
      streamHeader({ content: 'jabber:server', id: '<&>', dialback: true }) + streamFooter,
    )
    expect(transcript(inChunks(bytes, 1)).map(line => line.split(' ', 1)[0])).toEqual(['header', 'end'])
  })
})

describe('A tag', () => {
  test('is written with attributes and children', () => {
    expect(tag('a', { b: '1', c: undefined, d: '' }, tag('e', {}), 'text')).toBe("<a b='1' d=''><e/>text</a>")
    expect(tag('db:result', { 'xml:lang': 'de' })).toBe("<db:result xml:lang='de'/>")
  })

  test.each(['', 'a b', 'a>', '1a', ':a', 'a:', 'a:b:c', 'a\u00d7', '\ud800'])(
    'is refused the name %j',
    name => {
      expect(() => tag(name, {})).toThrow(RangeError)
      expect(() => tag('a', { [name]: '' })).toThrow(RangeError)
    },
  )
})

describe('Escaped text', () => {
  const anything =
    '<&>"\'\t\n\r\r\n]]> \u0000\u0001\u000b\u001f\u007f\u00e9\ufffe\uffff\ud800\u{1f600}\udc00\u{10ffff}'
  const kept = '<&>"\'\t\n\r\r\n]]> \u007f\u00e9\u{1f600}\u{10ffff}'

  test('is read as it was, less what XML does not allow', () => {
    const [slice] = slicesOf(`<m id='${escapeAttribute(anything)}' to="${escapeAttribute(anything)}"/>`)
    expect(slice!.id).toBe(kept)
    expect(slice!.to).toBe(kept)
  })

  test('has no markup in it', () => {
    expect(escapeText('<a>&\r"\'\n\t')).toBe('&lt;a&gt;&amp;&#13;"\'\n\t')
    expect(escapeAttribute('<a>&\r"\'\n\t')).toBe('&lt;a&gt;&amp;&#13;&quot;&apos;&#10;&#9;')
  })
})
