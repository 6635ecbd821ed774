import { SaxesParser } from 'saxes'
import type { Seen } from './client.ts'

/** What a stream parser tells of. */
export type ParsedStream = {
  header(header: Seen): void
  element(element: Seen): void
  end(): void
  fault(error: Error): void
}

type Open = {
  name: string
  xmlns: string
  attributes: Record<string, string>
  children: Seen[]
  text: string
}

/** Reads one XML stream as a peer of the gateway does: strict, and by a parser that is not the gateway's. */
export class StreamParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #sax = new SaxesParser({ xmlns: true })
  readonly #open: Open[] = []
  /** Everything read so far. */
  text = ''

  constructor(hears: ParsedStream) {
    this.#sax.on('error', error => hears.fault(error))
    this.#sax.on('opentag', ({ local: name, uri: xmlns, attributes: of }) => {
      const attributes = Object.fromEntries(Object.values(of).map(({ name, value }) => [name, value]))
      this.#open.push({ name, xmlns, attributes, children: [], text: '' })
      if (this.#open.length === 1) hears.header(this.#open[0]!)
    })
    const addText = (text: string) => {
      if (this.#open.length > 1) this.#open.at(-1)!.text += text
    }
    this.#sax.on('text', addText)
    this.#sax.on('cdata', addText)
    this.#sax.on('closetag', () => {
      const element = this.#open.pop()!
      if (this.#open.length === 0) hears.end()
      else if (this.#open.length === 1) hears.element(element)
      else this.#open.at(-1)!.children.push(element)
    })
  }

  write(bytes: Buffer): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    this.text += text
    this.#sax.write(text)
  }
}
