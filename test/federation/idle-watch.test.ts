import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { IdleWatch } from '../../src/federation/idle-watch.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('an idle watch', () => {
  function watch() {
    const idleAt: number[] = []
    const startMs = performance.now()
    let lastMs = startMs
    const now = () => performance.now() - startMs
    const watching = new IdleWatch(
      100,
      () => lastMs,
      () => idleAt.push(now()),
    )
    return {
      watching,
      idleAt,
      used: () => {
        lastMs = performance.now()
      },
    }
  }

  test('calls once, when nothing has happened for the time', () => {
    const { idleAt } = watch()
    vi.advanceTimersByTime(99)
    expect(idleAt).toEqual([])
    vi.advanceTimersByTime(500)
    expect(idleAt).toEqual([100])
  })

  test('counts from the last use, with one timer however often it is used', () => {
    const { idleAt, used } = watch()
    for (let use = 0; use < 50; use++) {
      vi.advanceTimersByTime(5)
      used()
    }
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(99)
    expect(idleAt).toEqual([])
    vi.advanceTimersByTime(2)
    expect(idleAt).toEqual([350])
  })

  test('is silent once it was stopped', () => {
    const { watching, idleAt } = watch()
    watching.stop()
    vi.advanceTimersByTime(500)
    expect([idleAt, vi.getTimerCount()]).toEqual([[], 0])
  })
})
