import { describe, expect, test } from 'vitest'
import { SendQueue } from '../../src/transport/send-queue.ts'

const pieceBytes = 65_536

/** Bytes that tell their place. */
function bytes(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => at % 251))
}

/** Takes all that is left, piece by piece. */
function drain(queue: SendQueue<string>): Buffer[] {
  const pieces: Buffer[] = []
  for (let piece = queue.next(); piece !== undefined; piece = queue.next()) {
    pieces.push(Buffer.from(piece))
    queue.taken()
  }
  return pieces
}

describe('a send queue', () => {
  test('hands out what is short together', () => {
    const queue = new SendQueue<string>()
    for (const text of ['one ', 'two ', 'three']) queue.add(Buffer.from(text))
    expect(String(queue.next())).toBe('one two three')
    expect(queue.bytes).toBe(13)
    queue.taken()
    expect([queue.bytes, queue.next()]).toEqual([0, undefined])
  })

  test.each([
    ['one that is long', [1_000_000]],
    ['short and long ones', [10, 200_000, 1, 65_536, 65_535, 2, 131_072]],
  ])('cuts %s into pieces of 64 KiB, and changes no byte', (_, lengths) => {
    const queue = new SendQueue<string>()
    const all = lengths.map(bytes)
    for (const chunk of all) queue.add(chunk)
    const pieces = drain(queue)
    expect(pieces.slice(0, -1).every(piece => piece.length === pieceBytes)).toBe(true)
    expect(pieces.at(-1)!.length).toBeLessThanOrEqual(pieceBytes)
    expect(Buffer.concat(pieces).equals(Buffer.concat(all))).toBe(true)
  })

  test('gives back the token of what is taken in part, and of nothing that is taken whole', () => {
    const queue = new SendQueue<string>()
    for (const token of ['first', 'second', 'third']) queue.add(bytes(50_000), token)
    queue.next()
    queue.taken()
    queue.next() // handed out, and never taken
    queue.add(bytes(1), 'fourth')
    expect(queue.bytes).toBe(150_001 - pieceBytes)
    expect(queue.takeUnsent()).toEqual(['second', 'third', 'fourth'])
    expect([queue.bytes, queue.next(), queue.takeUnsent()]).toEqual([0, undefined, []])
  })

  test('tells when what was added until then is taken, whatever is added behind it', () => {
    const queue = new SendQueue<string>()
    const told: string[] = []
    queue.whenTaken(() => told.push('nothing'))
    queue.add(bytes(pieceBytes + 1))
    queue.whenTaken(() => told.push('two pieces'))
    queue.add(bytes(pieceBytes))
    queue.next()
    queue.taken()
    expect(told).toEqual(['nothing'])
    queue.next()
    queue.taken()
    expect(told).toEqual(['nothing', 'two pieces'])
  })
})
