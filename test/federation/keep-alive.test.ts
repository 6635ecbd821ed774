import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KeepAlive } from '../../src/federation/keep-alive.ts'
import { domain } from '../support/inbound-peer.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A stream that is kept alive: pinged after 100 ms, given up 50 ms later; ids are ping-1, ping-2, … */
function kept(remote = 'fabrikam.com') {
  const sent: string[] = []
  const gaveUpAt: number[] = []
  const startMs = performance.now()
  let lastUsedMs = startMs
  let pings = 0
  const keepAlive = new KeepAlive(
    {
      get lastUsedMs() {
        return lastUsedMs
      },
      send: ({ bytes }) => {
        sent.push(`${bytes}`)
        lastUsedMs = performance.now()
        return true
      },
    },
    { local: domain('contoso.com'), remote: domain(remote) },
    { idleMs: 100, answerMs: 50, newId: () => `ping-${++pings}` },
    () => gaveUpAt.push(performance.now() - startMs),
  )
  const isUsed = () => {
    lastUsedMs = performance.now()
  }
  return { keepAlive, sent, gaveUpAt, isUsed }
}

describe('a stream that is kept alive', () => {
  test('is pinged from domain to domain, in U-labels, once it was idle for the time (XEP-0199)', () => {
    const { sent, isUsed } = kept('münchen.example')
    vi.advanceTimersByTime(99)
    isUsed()
    vi.advanceTimersByTime(99)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect(sent).toEqual([
      "<iq type='get' id='ping-1' from='contoso.com' to='münchen.example'><ping xmlns='urn:xmpp:ping'/></iq>",
    ])
  })

  test('is pinged again once it was answered and idle for another time, under another id', () => {
    const { keepAlive, sent, gaveUpAt } = kept()
    vi.advanceTimersByTime(149)
    expect(keepAlive.answered('ping-1')).toBe(true)
    vi.advanceTimersByTime(100)
    expect([sent.length, gaveUpAt]).toEqual([2, []])
    expect(keepAlive.answered('ping-1')).toBe(false) // once is enough
    expect(keepAlive.answered('ping-2')).toBe(true)
  })

  test('is given up, once, where the answer is another’s or none', () => {
    const { keepAlive, gaveUpAt } = kept()
    expect(keepAlive.answered('ping-1')).toBe(false) // nobody has asked yet
    vi.advanceTimersByTime(120)
    expect(keepAlive.answered('ping-2')).toBe(false)
    vi.advanceTimersByTime(1_000)
    expect(gaveUpAt).toEqual([150])
  })

  test.each([
    ['idle', 50],
    ['asked', 120],
  ])('is left alone once that was stopped, though it was %s', (_, afterMs) => {
    const { keepAlive, sent, gaveUpAt } = kept()
    vi.advanceTimersByTime(afterMs)
    const before = sent.length
    keepAlive.stop()
    vi.advanceTimersByTime(1_000)
    expect([sent.length, gaveUpAt, vi.getTimerCount()]).toEqual([before, [], 0])
    expect(keepAlive.answered('ping-1')).toBe(false)
  })
})
