/**
 * What is to be sent, in order, handed out in pieces of at most 64 KiB, one at a time. Counts in bytes since the start: what was
 * added, and what the kernel has taken of it.
 */
export class SendQueue<Token> {
  /** Not yet handed out, oldest first. */
  #chunks: Buffer[] = []
  #added = 0
  #handedOut = 0
  #taken = 0
  /** Each token with the end of its bytes. */
  #tokens: { readonly end: number; readonly token: Token }[] = []
  #callbacks: { readonly end: number; readonly then: () => void }[] = []

  /** Bytes that the kernel has not taken. */
  get bytes(): number {
    return this.#added - this.#taken
  }

  add(bytes: Buffer, token?: Token): void {
    this.#chunks.push(bytes)
    this.#added += bytes.length
    if (token !== undefined) this.#tokens.push({ end: this.#added, token })
  }

  /** Calls `then` once all that was added until now is taken: at once, where it is. */
  whenTaken(then: () => void): void {
    if (this.bytes === 0) then()
    else this.#callbacks.push({ end: this.#added, then })
  }

  /** The next piece, to be handed to the kernel when the one before is taken; undefined when there is nothing. */
  next(): Buffer | undefined {
    let length = 0
    let count = 0
    while (count < this.#chunks.length && length < pieceBytes) length += this.#chunks[count++]!.length
    if (length === 0) return undefined
    const chunks = this.#chunks.splice(0, count)
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    if (length > pieceBytes) this.#chunks.unshift(all.subarray(pieceBytes))
    const piece = all.subarray(0, pieceBytes)
    this.#handedOut += piece.length
    return piece
  }

  /** The kernel has taken what was handed out. @param each hears of the tokens of which every byte is taken now, oldest first */
  taken(each: (token: Token) => void = () => {}): void {
    this.#taken = this.#handedOut
    for (const { token } of this.#tokens.splice(0, endedBy(this.#taken, this.#tokens))) each(token)
    for (const { then } of this.#callbacks.splice(0, endedBy(this.#taken, this.#callbacks))) then()
  }

  /** Empties the queue. @returns the tokens of which the kernel has not taken every byte, oldest first */
  takeUnsent(): Token[] {
    this.#chunks = []
    this.#taken = this.#handedOut = this.#added
    return this.#tokens.splice(0).map(({ token }) => token)
  }
}

/** Short enough that even a slow peer takes one in time, and long enough for full speed. */
const pieceBytes = 65_536

/** How many, from the first on, end at or before a place. */
function endedBy(place: number, marks: readonly { readonly end: number }[]): number {
  const firstLater = marks.findIndex(({ end }) => end > place)
  return firstLater < 0 ? marks.length : firstLater
}
