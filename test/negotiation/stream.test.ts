import { describe, expect, test } from 'vitest'
import { readHeader, readStreamError } from '../../src/negotiation/stream.ts'
import { toElement } from '../../src/xml/element.ts'
import { type HeaderSlice, Reader } from '../../src/xml/reader.ts'
import { slicesOf, streams, wideLimits } from '../xml/transcript.ts'

function read(openTag: string, content: 'jabber:server' | 'jabber:component:accept' = 'jabber:server') {
  let header: HeaderSlice | undefined
  const handler = { header: (of: HeaderSlice) => void (header = of), element: () => {}, end: () => {} }
  new Reader(content, handler, wideLimits).write(Buffer.from(openTag))
  return readHeader(header ?? expect.fail('no header'), content)
}

const server = "xmlns='jabber:server'"
const stream = `xmlns:stream='${streams}'`

describe('a stream header', () => {
  test('is read with its domains prepared (RFC 6120 §4.7)', () => {
    const attributes = "from='Fabrikam.COM' to='münchen.example' id='&lt;1' version='1.0'"
    expect(
      read(`<stream:stream ${server} ${stream} xmlns:db='jabber:server:dialback' ${attributes}>`),
    ).toEqual({
      from: 'fabrikam.com',
      to: 'xn--mnchen-3ya.example',
      id: '<1',
      isModern: true,
      declaresDialback: true,
    })
  })

  test('may leave everything out', () => {
    expect(read(`<stream:stream ${server} ${stream}>`)).toEqual({
      from: undefined,
      to: undefined,
      id: undefined,
      isModern: false,
      declaresDialback: false,
    })
  })

  test.each([
    [
      'prefixes of its own',
      `<s:stream ${server} xmlns:s='${streams}' xmlns:d='jabber:server:dialback'>`,
      true,
    ],
    ['the stream namespace as the default', `<stream xmlns='${streams}'>`, false],
    ['the content namespace under a prefix', `<stream xmlns='${streams}' xmlns:s='jabber:server'>`, false],
    ['no default namespace', `<stream:stream ${stream} xmlns:s='jabber:server'>`, false],
  ])('may have %s (RFC 6120 §4.8.5)', (_, openTag, declaresDialback) => {
    expect(read(openTag)).toMatchObject({ declaresDialback })
  })

  test.each([
    ['another stream namespace', `<stream:stream ${server} xmlns:stream='http://etherx.jabber.org/stream'>`],
    ['no stream namespace', `<stream ${server}>`],
    ['the content namespace of clients', `<stream:stream xmlns='jabber:client' ${stream}>`],
    ['the content namespace of components', `<stream:stream xmlns='jabber:component:accept' ${stream}>`],
    ['no content namespace', `<stream:stream ${stream}>`],
  ])('with %s is refused', (_, openTag) => {
    expect(() => read(openTag)).toThrow(expect.objectContaining({ condition: 'invalid-namespace' }))
  })

  test('of a component has the content namespace of components', () => {
    const openTag = `<stream:stream xmlns='jabber:component:accept' ${stream} id='1'>`
    expect(read(openTag, 'jabber:component:accept')).toMatchObject({ id: '1' })
    expect(() => read(`<stream:stream ${server} ${stream}>`, 'jabber:component:accept')).toThrow()
  })

  test('has the name stream', () => {
    expect(() => read(`<stream:flow ${server} ${stream}>`)).toThrow(
      expect.objectContaining({ condition: 'bad-format' }),
    )
  })

  test.each([
    ['1.0', true],
    ['1.1', true],
    ['01.0', true],
    ['2.0', true],
    ['10.0', true],
    ['0.9', false],
    ['1', false],
    ['1.0.0', false],
    ['-1.0', false],
    ['', false],
    [`${'9'.repeat(400)}.0`, false],
  ])('of version %s is modern: %s', (version, isModern) => {
    expect(read(`<stream:stream ${server} ${stream} version='${version}'>`)).toMatchObject({ isModern })
  })
})

describe('a stream error', () => {
  const errors = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"

  test.each([
    ['its condition', `<reset ${errors}/>`, { condition: 'reset', text: 'reset' }],
    [
      'its condition and text',
      `<text ${errors}>later</text><system-shutdown ${errors}/>`,
      { condition: 'system-shutdown', text: 'system-shutdown (later)' },
    ],
    ['nothing', '', { condition: 'undefined-condition', text: 'undefined-condition' }],
    [
      'what is not of its namespace',
      "<reset xmlns='urn:other'/><text xmlns='urn:other'>x</text>",
      { condition: 'undefined-condition', text: 'undefined-condition' },
    ],
    [
      'a long text, cut for the log',
      `<reset ${errors}/><text ${errors}>${'x'.repeat(300)}</text>`,
      { condition: 'reset', text: `reset (${'x'.repeat(200)})` },
    ],
  ])('is told by %s', (_, content, expected) => {
    const [slice] = slicesOf(`<stream:error>${content}</stream:error>`)
    const element = toElement(slice ?? expect.fail('no element'), new Map([['stream', streams]]))
    expect(readStreamError(element)).toEqual(expected)
  })
})
