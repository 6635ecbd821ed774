import { describe, expect, test } from 'vitest'
import { type Destination, type Pausable, RunBuilder } from '../../src/xml/run.ts'
import { slicesOf } from './transcript.ts'

/** A destination that writes down what it gets into a book that all of them share. */
class Place implements Destination {
  isFast = true
  readonly isFull = false
  readonly #name: string
  readonly #book: string[]
  readonly #waiting: (() => void)[] = []

  constructor(name: string, book: string[]) {
    this.#name = name
    this.#book = book
  }

  send(run: { bytes: Buffer; stanzas: number }): boolean {
    this.#book.push(`${this.#name} ${run.stanzas}: ${run.bytes}`)
    return this.isFast
  }

  whenDrained(resume: () => void): void {
    this.#waiting.push(resume)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  drains(): void {
    this.isFast = true
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

/** Destinations A and B, a source, and what became of them. */
function scene() {
  const book: string[] = []
  const source: Pausable = { pause: () => book.push('pause'), resume: () => book.push('resume') }
  return { book, a: new Place('A', book), b: new Place('B', book), runs: new RunBuilder(source) }
}

const stanza = (id: number) => `<message id='${id}'/>`

describe('a run', () => {
  test('is one piece of the buffer that its stanzas stood in', () => {
    const { book, a, runs } = scene()
    const slices = slicesOf(`${stanza(1)}${stanza(2)}${stanza(3)}`)
    for (const slice of slices) runs.add(a, slice, 'message')
    expect(book).toEqual([])
    runs.flush()
    expect(book).toEqual([`A 3: ${stanza(1)}${stanza(2)}${stanza(3)}`])
  })

  test('holds the white space between its stanzas, and none about them', () => {
    const { book, a, runs } = scene()
    for (const slice of slicesOf(` \n${stanza(1)} \r\n\t ${stanza(2)}\n `)) runs.add(a, slice, 'message')
    runs.flush()
    expect(book).toEqual([`A 2: ${stanza(1)} \r\n\t ${stanza(2)}`])
  })

  test.each([
    ['a refused stanza', "<message from='evil'/>"],
    ['a stanza in white space', '\n <presence/>\n '],
    ['a short element', '<a/>'],
  ])('never has %s slip into it', (_, between) => {
    const { book, a, runs } = scene()
    const [first, , third] = slicesOf(`${stanza(1)}${between}${stanza(3)}`)
    runs.add(a, first!, 'message')
    runs.add(a, third!, 'message')
    runs.flush()
    expect(book).toEqual([`A 1: ${stanza(1)}`, `A 1: ${stanza(3)}`])
  })

  test.each([['</a>'], ['x'], ['\0'], ['\u00a0'], ['\v'], ['\f']])(
    'is not continued over %j, even of a single byte',
    between => {
      const { book, a, runs } = scene()
      const bytes = Buffer.from(`<a/>${between}<b/>`)
      runs.add(a, { bytes, start: 0, end: 4 }, 'message')
      runs.add(a, { bytes, start: bytes.length - 4, end: bytes.length }, 'message')
      runs.flush()
      expect(book).toEqual(['A 1: <a/>', 'A 1: <b/>'])
    },
  )

  test('ends where the buffer does: the same place in another one is not the same', () => {
    const { book, a, runs } = scene()
    const bytes = Buffer.from('<a/><b/>')
    runs.add(a, { bytes, start: 0, end: 4 }, 'message')
    runs.add(a, { bytes: Buffer.from(bytes), start: 4, end: 8 }, 'message')
    runs.flush()
    expect(book).toEqual(['A 1: <a/>', 'A 1: <b/>'])
  })

  test('ends where the next stanza goes elsewhere: order is kept for each destination', () => {
    const { book, a, b, runs } = scene()
    const slices = slicesOf([1, 2, 3, 4, 5].map(stanza).join(''))
    const ways = [a, b, a, a, b]
    slices.forEach((slice, at) => {
      runs.add(ways[at]!, slice, 'message')
    })
    runs.flush()
    expect(book).toEqual([
      `A 1: ${stanza(1)}`,
      `B 1: ${stanza(2)}`,
      `A 2: ${stanza(3)}${stanza(4)}`,
      `B 1: ${stanza(5)}`,
    ])
  })

  test('is sent once', () => {
    const { book, a, runs } = scene()
    runs.flush()
    runs.add(a, slicesOf(stanza(1))[0]!, 'message')
    runs.flush()
    runs.flush()
    expect(book).toEqual([`A 1: ${stanza(1)}`])
  })

  test('begins anew after a flush, even in the same buffer', () => {
    const { book, a, runs } = scene()
    const [first, second] = slicesOf(stanza(1) + stanza(2))
    runs.add(a, first!, 'message')
    runs.flush()
    runs.add(a, second!, 'message')
    runs.flush()
    expect(book).toEqual([`A 1: ${stanza(1)}`, `A 1: ${stanza(2)}`])
  })
})

describe('a source', () => {
  test('waits for a slow destination, and goes on when it has drained', () => {
    const { book, a, runs } = scene()
    a.isFast = false
    runs.add(a, slicesOf(stanza(1))[0]!, 'message')
    runs.flush()
    expect(book).toEqual([`A 1: ${stanza(1)}`, 'pause'])
    a.drains()
    expect(book).toEqual([`A 1: ${stanza(1)}`, 'pause', 'resume'])
  })

  test('is paused once, and waits for the last of several', () => {
    const { book, a, b, runs } = scene()
    a.isFast = b.isFast = false
    const ways = [a, b, a, b]
    slicesOf([1, 2, 3, 4].map(stanza).join('')).forEach((slice, at) => {
      runs.add(ways[at]!, slice, 'message')
    })
    runs.flush()
    expect(book.filter(line => line === 'pause')).toHaveLength(1)
    expect([a.waiting, b.waiting]).toEqual([1, 1])
    a.drains()
    expect(book).not.toContain('resume')
    b.drains()
    expect(book.filter(line => line === 'resume')).toHaveLength(1)
  })

  test('may be made to wait again', () => {
    const { book, a, runs } = scene()
    for (const slice of slicesOf(stanza(1) + stanza(2))) {
      a.isFast = false
      runs.add(a, slice, 'message')
      runs.flush()
      a.drains()
    }
    expect(book.filter(line => /^[pr]/.test(line))).toEqual(['pause', 'resume', 'pause', 'resume'])
  })

  test('goes on at once where the destination is gone meanwhile', () => {
    const { book, runs } = scene()
    const gone: Destination = { send: () => false, whenDrained: resume => resume(), isFull: false }
    runs.add(gone, slicesOf(stanza(1))[0]!, 'message')
    runs.flush()
    expect(book).toEqual(['pause', 'resume'])
  })
})
