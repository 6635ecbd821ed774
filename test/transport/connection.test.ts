import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Connection } from '../../src/transport/connection.ts'
import { connected } from './tls-peers.ts'

/** A connection over loopback, and what it told; the far side reads nothing until told to. */
async function connection(stallMs = 5_000) {
  const { near, far } = await connected()
  const told: string[] = []
  const taken: string[] = []
  const wake = Promise.withResolvers<void>()
  const drained = Promise.withResolvers<void>()
  const ours = new Connection<string>(near, stallMs, {
    data: chunk => told.push(`data ${chunk}`),
    halfClosed: () => told.push('half closed'),
    drained: () => drained.resolve(),
    taken: token => taken.push(token),
    closed: error => {
      told.push(`closed${error ? ` ${error.message}` : ''}`)
      wake.resolve()
    },
  })
  return { ours, near, far, told, taken, drained: drained.promise, closed: wake.promise }
}

/** Writes tokens 0, 1, 2 … of 64 KiB until the connection says stop, and a few more. @returns how many */
async function fill(ours: Connection<string>): Promise<number> {
  const bytes = Buffer.alloc(65_536)
  for (let token = 0; ; token++) {
    if (!ours.write(bytes, String(token))) return token + 1
    await nextTurn()
  }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

async function bytesRead(far: Socket): Promise<number> {
  let count = 0
  for await (const chunk of far) count += (chunk as Buffer).length
  return count
}

describe('a connection', () => {
  test('gathers what is written in one turn, and sends it in order', async () => {
    const { ours, far } = await connection()
    for (const text of ['one ', 'two ', 'three']) ours.write(Buffer.from(text))
    expect(ours.unsentBytes).toBe(13)
    const [chunk] = await once(far, 'data')
    expect(String(chunk)).toBe('one two three')
    expect([ours.unsentBytes, ours.takeUnsent()]).toEqual([0, []])
  })

  test('says when the peer reads too slowly, and when it goes on; then everything arrives', async () => {
    const { ours, far, drained } = await connection()
    const count = await fill(ours)
    expect(ours.unsentBytes).toBeGreaterThan(65_536)
    const read = bytesRead(far)
    await drained
    expect(ours.write(Buffer.from('.'))).toBe(true)
    ours.end(1_000)
    expect(await read).toBe(count * 65_536 + 1)
    far.end()
  })

  test('knows what the kernel never took: the last tokens, in order, those of the same turn included', async () => {
    const { ours, far, closed, told, taken } = await connection()
    const count = await fill(ours)
    ours.write(Buffer.from('last'), 'last')
    far.resetAndDestroy()
    await closed
    const unsent = ours.takeUnsent()
    const first = Number(unsent[0])
    expect(first).toBeGreaterThan(0) // the kernel took something
    expect(unsent).toEqual([...Array.from({ length: count - first }, (_, at) => String(first + at)), 'last'])
    expect(taken).toEqual(Array.from({ length: first }, (_, at) => String(at)))
    expect(told.at(-1)).toMatch(/^closed/)
    expect(ours.takeUnsent()).toEqual([])
  })

  test('keeps the token of what is written after the end, which goes nowhere', async () => {
    const { ours, closed } = await connection()
    ours.write(Buffer.from('a'), 'a')
    ours.destroy()
    await closed
    ours.write(Buffer.from('b'), 'b')
    expect(ours.takeUnsent()).toEqual(['a', 'b'])
  })

  test('tells of a half-close, and still sends', async () => {
    const { ours, far, told, closed } = await connection()
    far.end('bye')
    const read = bytesRead(far)
    while (!told.includes('half closed')) await nextTurn()
    ours.write(Buffer.from('and you'))
    ours.end(1_000)
    expect(await read).toBe(7)
    await closed
    expect(told).toEqual(['data bye', 'half closed', 'closed'])
  })

  test('ends at the latest after its grace, whatever the peer does', async () => {
    const { ours, closed, told } = await connection()
    ours.end(20)
    await closed
    expect(told).toEqual(['closed'])
  })

  test('is dropped where the peer takes nothing for the time, and knows what it did not take', async () => {
    const { ours, closed, told } = await connection(60)
    const count = await fill(ours)
    await closed
    expect(told).toEqual(['closed the peer has taken nothing for 0.06 s'])
    expect(ours.takeUnsent().at(-1)).toBe(String(count - 1))
  })

  test('stays while a peer takes what was one long write little by little, each part of it in time', async () => {
    const { ours, far, told } = await connection(1_000)
    await fill(ours)
    ours.write(Buffer.alloc(64 * 2 ** 20), 'long') // many times what the kernel keeps
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let rounds = 0
    for (; ours.unsentBytes > 0; rounds++) {
      vi.advanceTimersByTime(999)
      const { unsentBytes } = ours
      far.resume()
      while (ours.unsentBytes === unsentBytes) await nextTurn()
      far.pause()
    }
    expect(rounds).toBeGreaterThan(5)
    expect([told, ours.takeUnsent()]).toEqual([[], []])
  })

  test('sends all that waits before it ends', async () => {
    const { ours, far, closed, told } = await connection()
    const count = await fill(ours)
    ours.write(Buffer.alloc(1_000_000))
    ours.end(5_000)
    expect(await bytesRead(far)).toBe(count * 65_536 + 1_000_000)
    far.end()
    await closed
    expect(told).toEqual(['half closed', 'closed'])
  })

  test('stops reading while it is paused', async () => {
    const { ours, far, told } = await connection()
    ours.pause()
    far.write('early')
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect(told).toEqual([])
    ours.resume()
    while (told.length === 0) await nextTurn()
    expect(told).toEqual(['data early'])
  })
})
