import { getEventListeners } from 'node:events'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { within } from '../../src/transport/deadline.ts'

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

describe('work under a deadline', () => {
  test('is told when its time is up', async () => {
    useFakeTimers()
    const work = within(100, undefined, untilAborted)
    vi.advanceTimersByTime(100)
    await expect(work).rejects.toMatchObject({ name: 'TimeoutError', message: 'no answer in 100 ms' })
  })

  test('is told when its parent ends, with the reason', async () => {
    const parent = new AbortController()
    const work = within(60_000, parent.signal, untilAborted)
    const reason = new Error('shutdown')
    parent.abort(reason)
    await expect(work).rejects.toBe(reason)
    await expect(within(60_000, parent.signal, untilAborted)).rejects.toBe(reason)
  })

  test('leaves no timer, no listener and nothing running', async () => {
    useFakeTimers()
    const parent = new AbortController()
    let own: AbortSignal | undefined
    const result = await within(60_000, parent.signal, async signal => {
      own = signal
      expect(getEventListeners(parent.signal, 'abort')).toHaveLength(1)
      return 7
    })
    expect(result).toBe(7)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0)
    expect(own?.aborted).toBe(true)
  })
})
