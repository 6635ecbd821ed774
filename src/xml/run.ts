import type { Slice } from './reader.ts'

/** How many stanzas of each kind. */
export type Kinds = { readonly message: number; readonly presence: number; readonly iq: number }

/** Whole stanzas, one after the other, all for one destination; the bytes mean the same on any stream. */
export type Run = {
  readonly bytes: Buffer
  readonly stanzas: number
  /** Of those of them that are relayed; absent where none is. */
  readonly kinds?: Kinds | undefined
  /** The gateway's own words: nobody waits for them, and they do not bounce. */
  readonly isOurs?: true
}

/** A place that stanzas can be sent to. */
export type Destination = {
  /**
   * Takes a run over: from here on it is delivered or bounced by the destination.
   * @returns false when the destination is slow; `whenDrained` tells when to go on
   */
  send(run: Run): boolean
  /** Calls back once the destination takes more, or is gone. */
  whenDrained(resume: () => void): void
  /** More waits for a slow peer than may wait for a stream: errors, which cannot wait at their source, find no room. */
  readonly isFull: boolean
}

/** A source of stanzas that can be made to wait: a stream that is read from. */
export type Pausable = { pause(): void; resume(): void }

/**
 * Gathers consecutive stanzas of one source for one destination into one run: neighbouring slices of a buffer leave as one
 * slice of it. Pauses its source while a destination is slow.
 */
export class RunBuilder {
  readonly #source: Pausable
  readonly #slowOnes = new Set<Destination>()
  #destination: Destination | undefined
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  #messages = 0
  #presences = 0
  #iqs = 0

  constructor(source: Pausable) {
    this.#source = source
  }

  /** Adds a portable slice. */
  add(destination: Destination, slice: Pick<Slice, 'bytes' | 'start' | 'end'>, kind: keyof Kinds): void {
    if (destination !== this.#destination || !this.#adjoins(slice)) {
      this.flush()
      this.#destination = destination
      this.#bytes = slice.bytes
      this.#start = slice.start
    }
    this.#end = slice.end
    if (kind === 'message') this.#messages++
    else if (kind === 'presence') this.#presences++
    else this.#iqs++
  }

  /** Sends what was gathered. Called when a read ends. */
  flush(): void {
    const destination = this.#destination
    if (destination === undefined || this.#bytes === undefined) return
    const kinds = { message: this.#messages, presence: this.#presences, iq: this.#iqs }
    const stanzas = kinds.message + kinds.presence + kinds.iq
    const run = { bytes: this.#bytes.subarray(this.#start, this.#end), stanzas, kinds }
    this.#destination = undefined
    this.#bytes = undefined
    this.#messages = this.#presences = this.#iqs = 0
    if (!destination.send(run)) this.#waitFor(destination)
  }

  /** Nothing but white space may lie between two slices of a run: what was refused must not slip along. */
  #adjoins(slice: Pick<Slice, 'bytes' | 'start'>): boolean {
    if (slice.bytes !== this.#bytes) return false
    for (let at = this.#end; at < slice.start; at++) {
      const byte = slice.bytes[at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false
    }
    return true
  }

  #waitFor(destination: Destination): void {
    if (this.#slowOnes.has(destination)) return
    if (this.#slowOnes.size === 0) this.#source.pause()
    this.#slowOnes.add(destination)
    destination.whenDrained(() => {
      this.#slowOnes.delete(destination)
      if (this.#slowOnes.size === 0) this.#source.resume()
    })
  }
}
