import { SaxesParser } from 'saxes'
import { ns } from '../../src/xmpp/namespaces.ts'
import type { Seen } from './client.ts'

/** What a stream parser tells of. */
export type ParsedStream = {
  header(header: Seen): void
  element(element: Seen): void
  end(): void
  /** The stream begins anew. */
  anew(): void
  fault(error: Error): void
}

type Open = {
  name: string
  xmlns: string
  attributes: Record<string, string>
  children: Seen[]
  text: string
}

/**
 * Reads XML streams as a peer of the gateway does: strict, and by a parser that is not the gateway's. Behind `<success/>` a
 * new stream begins (RFC 6120 §6.4.6).
 */
export class StreamParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #hears: ParsedStream
  #sax: SaxesParser<{ xmlns: true }>
  #open: Open[] = []
  /** Everything read of the stream that is on. */
  text = ''

  constructor(hears: ParsedStream) {
    this.#hears = hears
    this.#sax = this.#begin()
  }

  write(bytes: Buffer): void {
    // No more at once than may belong to one stream.
    for (const piece of this.#decoder.decode(bytes, { stream: true }).split(/(?<=>)/)) {
      this.text += piece
      this.#sax.write(piece)
    }
  }

  #begin(): SaxesParser<{ xmlns: true }> {
    const sax = new SaxesParser({ xmlns: true })
    this.text = ''
    this.#open = []
    sax.on('error', error => this.#hears.fault(error))
    sax.on('opentag', ({ local: name, uri: xmlns, attributes: of }) => {
      const attributes = Object.fromEntries(Object.values(of).map(({ name, value }) => [name, value]))
      this.#open.push({ name, xmlns, attributes, children: [], text: '' })
      if (this.#open.length === 1) this.#hears.header(this.#open[0]!)
    })
    const addText = (text: string) => {
      if (this.#open.length > 1) this.#open.at(-1)!.text += text
    }
    sax.on('text', addText)
    sax.on('cdata', addText)
    sax.on('closetag', () => {
      const element = this.#open.pop()!
      if (this.#open.length === 0) this.#hears.end()
      else if (this.#open.length > 1) this.#open.at(-1)!.children.push(element)
      else {
        this.#hears.element(element)
        if (element.name !== 'success' || element.xmlns !== ns.sasl) return
        this.#sax = this.#begin()
        this.#hears.anew()
      }
    })
    return sax
  }
}
