import { describe, expect, test } from 'vitest'
import { elementsOf, Reader, type ReaderHandler, type Slice } from '../../src/xml/reader.ts'
import { header, inChunks, server, wideLimits } from './transcript.ts'

/** A reader that notes what it hears; `on` may act on an element. */
function listen(on: (slice: Slice, reader: Reader) => void = () => {}) {
  const heard: string[] = []
  const slices: Slice[] = []
  const handler: ReaderHandler = {
    header: root => heard.push(`header ${root.attributes.get('id') ?? root.name}`),
    element: slice => {
      heard.push(slice.name)
      slices.push(slice)
      on(slice, reader)
    },
    end: () => heard.push('end'),
  }
  const reader: Reader = new Reader(server, handler, wideLimits)
  return { reader, heard, slices, writes: (text: string) => reader.write(Buffer.from(text)) }
}

describe('A reader', () => {
  test('tells what the header says', () => {
    const roots: unknown[] = []
    const reader = new Reader(
      server,
      { header: root => roots.push(root), element() {}, end() {} },
      wideLimits,
    )
    expect(reader.declarations.size).toBe(0)
    reader.write(
      Buffer.from(
        "<s:stream xmlns:s='urn:s' xmlns='jabber:server' s:x='1' to='a&amp;b' xml:lang='en' xml:space='x'>",
      ),
    )
    const declarations = new Map([
      ['s', 'urn:s'],
      ['', server],
    ])
    const attributes = new Map([
      ['to', 'a&b'],
      ['xml:lang', 'en'],
    ])
    expect(roots).toEqual([{ name: 'stream', namespace: 'urn:s', attributes, declarations }])
    expect(reader.declarations).toEqual(declarations)
  })

  test('reads the envelope from unprefixed attributes, references resolved', () => {
    const { slices, writes } = listen()
    writes(
      `${header}<db:result from='a&apos;b' to="x\ty" type='' id='&#233;\u00e9' db:to='no'/><iq xml:id='no'/>`,
    )
    const [first, second] = slices
    expect(first).toMatchObject({
      name: 'result',
      namespace: 'jabber:server:dialback',
      from: "a'b",
      to: 'x y',
      type: '',
    })
    expect(first!.id).toBe('\u00e9\u00e9')
    expect(second).toMatchObject({
      name: 'iq',
      namespace: server,
      from: undefined,
      to: undefined,
      type: undefined,
    })
    expect(second!.id).toBeUndefined()
  })

  test('gives neighbours of one chunk as slices of one buffer, white space between them', () => {
    const { slices, writes } = listen()
    writes(header)
    writes('<a/> <b>x</b>')
    expect(slices[0]!.bytes).toBe(slices[1]!.bytes)
    expect(slices.map(slice => [slice.start, slice.end])).toEqual([
      [0, 4],
      [5, 13],
    ])
  })

  test.each([1, 3, 7, 64, 1000])('never changes the bytes of a slice (chunks of %i)', size => {
    const { reader, slices } = listen()
    const written = Array.from({ length: 200 }, (_, i) => `<m id='${i}'>${'x'.repeat((i * 37) % 300)}</m>`)
    for (const chunk of inChunks(Buffer.from(header + written.join('\n')), size)) reader.write(chunk)
    expect(slices.map(slice => slice.toBuffer().toString())).toEqual(written)
    expect(slices.map(slice => slice.id)).toEqual(written.map((_, i) => String(i)))
  })

  test('keeps no white space', () => {
    const { reader, heard, writes } = listen()
    writes(header)
    reader.limits = { elementBytes: 10, depth: 5 }
    for (let i = 0; i < 1000; i++) writes(' \r\n\t ')
    writes('<m>345</m>')
    expect(heard).toEqual(['header stream', 'm'])
  })

  test('takes new limits from the next element on', () => {
    const { reader, heard, writes } = listen(slice => {
      if (slice.name === 'auth') reader.limits = { elementBytes: 100, depth: 5 }
    })
    writes(header)
    reader.limits = { elementBytes: 10, depth: 5 }
    writes(`<auth/><m>${'x'.repeat(90)}</m><a>`)
    reader.limits = wideLimits
    expect(() => writes('x'.repeat(100))).toThrow(
      expect.objectContaining({ condition: 'policy-violation', tooBig: true }),
    )
    expect(heard).toEqual(['header stream', 'auth', 'm'])
  })

  test('expects a new stream after a restart, in which nothing of the old one is declared', () => {
    const text = `${header}<db:a/><auth/>\n<?xml version='1.0'?><stream id='second' xmlns='jabber:server'><m/><db:a/>`
    for (const size of [text.length, 1, 5]) {
      const { reader, heard } = listen((slice, it) => slice.name === 'auth' && it.restart())
      expect(() => {
        for (const chunk of inChunks(Buffer.from(text), size)) reader.write(chunk)
      }).toThrow(expect.objectContaining({ condition: 'bad-namespace-prefix' }))
      expect(heard).toEqual(['header stream', 'a', 'auth', 'header second', 'm'])
    }
  })

  test('reads again from the start of what is incomplete when it is restarted between two writes', () => {
    const { reader, heard, writes } = listen()
    writes(`${header}<auth/><stre`)
    reader.restart()
    writes("am id='second'><m/>")
    expect(heard).toEqual(['header stream', 'auth', 'header second', 'm'])
  })

  test('reads nothing behind the element on which it is stopped, and counts it', () => {
    const { reader, heard, writes } = listen((slice, it) => slice.name === 'starttls' && it.stop())
    writes(`${header}<starttls/>\n<m/>`)
    expect(reader.unread).toBe(5)
    writes('<m/>')
    expect(reader.unread).toBe(9)
    expect(heard).toEqual(['header stream', 'starttls'])
  })

  test('counts no byte as unread where nothing follows', () => {
    const { reader, writes } = listen((_, it) => it.stop())
    writes(`${header}<starttls/>`)
    expect(reader.unread).toBe(0)
  })

  test('counts what is incomplete as unread when it is stopped between two writes', () => {
    const { reader, heard, writes } = listen()
    writes(`${header}<m/><m`)
    reader.stop()
    writes('/>')
    expect(reader.unread).toBe(4)
    expect(heard).toEqual(['header stream', 'm'])
  })

  test('ignores all that comes after a fault', () => {
    const { heard, writes } = listen()
    expect(() => writes(`${header}<m/></x>`)).toThrow(
      expect.objectContaining({ condition: 'not-well-formed', tooBig: false }),
    )
    writes('<m/></stream:stream>')
    expect(heard).toEqual(['header stream', 'm'])
  })

  test('ignores all that comes after the end', () => {
    const { heard, writes } = listen()
    writes(`${header}</stream:stream><m/>`)
    writes('<m>&')
    expect(heard).toEqual(['header stream', 'end'])
  })

  test('ignores all that comes after an error of whoever listens, and passes it on', () => {
    const { heard, writes } = listen(() => {
      throw new Error('a bug')
    })
    expect(() => writes(`${header}<a/><b/>`)).toThrow('a bug')
    writes('<c/>')
    expect(heard).toEqual(['header stream', 'a'])
  })
})

describe('elementsOf', () => {
  test('reads complete elements again', () => {
    const elements = elementsOf(
      Buffer.from("<message to='a'/>\n<iq id='1' xmlns='jabber:server'><q/></iq>"),
      server,
    )
    expect(elements.map(({ name, namespace, to, id }) => [name, namespace, to, id])).toEqual([
      ['message', server, 'a', undefined],
      ['iq', server, undefined, '1'],
    ])
  })

  test('refuses what no reader accepts', () => {
    expect(() => elementsOf(Buffer.from('<db:result/>'), server)).toThrow('a prefix that is not declared')
  })
})
