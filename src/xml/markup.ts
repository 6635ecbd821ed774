import { OpenTag } from './open-tag.ts'

/** What a cursor stands on. */
export type Piece = 'open' | 'close' | 'text' | 'cdata'

/** Goes through the pieces of bytes that a reader has accepted: tags, text and CDATA sections. */
export class Cursor {
  readonly bytes: Buffer
  /** The piece is the bytes from `start` to `end`. */
  piece: Piece = 'text'
  start: number
  end: number
  /** The parts of the open tag, as offsets into `bytes`; for any other piece those of the last one. */
  readonly tag = new OpenTag()
  readonly #last: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.end = start
    this.#last = end
  }

  /** Goes on to the next piece; false when there is none. */
  next(): boolean {
    const { bytes } = this
    const at = this.end
    if (at >= this.#last) return false
    this.start = at
    if (bytes[at] !== 0x3c) {
      this.piece = 'text'
      this.end = bytes.indexOf(0x3c, at)
    } else if (bytes[at + 1] === 0x2f) {
      this.piece = 'close'
      this.end = bytes.indexOf(0x3e, at) + 1
    } else if (bytes[at + 1] === 0x21) {
      this.piece = 'cdata'
      this.end = bytes.indexOf(']]>', at) + 3
    } else {
      this.piece = 'open'
      this.tag.begin(at + 1)
      this.end = this.tag.scan(bytes, 0, at + 1, this.#last)
    }
    return true
  }
}
