import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Notify, serviceManagerOf } from '../../src/cli/service-manager.ts'
import { type Log, silent } from '../../src/telemetry/log.ts'

const pid = 4711
const socket = { NOTIFY_SOCKET: '/run/systemd/notify' }
const watched = { ...socket, WATCHDOG_USEC: '20000000', WATCHDOG_PID: String(pid) }

/** A service manager, what it was told, and what the log says; `state` may be changed. */
function scene(env: Readonly<Record<string, string>>, notify?: Notify) {
  const told: string[] = []
  const warnings: unknown[] = []
  const log: Log = { ...silent, warn: (_, fields) => warnings.push(fields?.['reason']) }
  const now = { state: 'ready: listening' }
  const tell: Notify = async (variables, isOver) => {
    await notify?.(variables, isOver)
    told.push(variables.join(' '))
  }
  const manager = serviceManagerOf({ env, pid }, () => now.state, log, tell)
  return { manager, told, warnings, now }
}

describe('the service manager', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('hears that the gateway is ready, twice in each time of its watchdog that it lives, what changes, and that it stops', async () => {
    const { manager, told, now } = scene(watched)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([])
    manager.ready()
    await vi.advanceTimersByTimeAsync(10_000)
    now.state = 'not ready:\n  fabrikam.com: refused'
    await vi.advanceTimersByTimeAsync(10_000)
    manager.stopping()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([
      'READY=1',
      'STATUS=ready: listening',
      'WATCHDOG=1',
      'WATCHDOG=1 STATUS=not ready: fabrikam.com: refused',
      'WATCHDOG=1',
      expect.stringMatching(/^STOPPING=1 STATUS=stopping/),
    ])
    manager.close()
  })

  test('hears no more of the state than it takes in: 4096 bytes in a message', async () => {
    const { manager, told, now } = scene(watched)
    now.state = `not ready: ${'bücher.example: cannot connect; '.repeat(500)}`
    manager.ready()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told[0]).toBe('READY=1')
    expect(told[1]).toMatch(/^STATUS=not ready: bücher.*… \(gatehouse health tells all\)$/)
    expect(told[1]).not.toContain('\uFFFD')
    expect(Math.max(...told.map(line => Buffer.byteLength(line)))).toBeLessThan(1100)
    manager.close()
  })

  test('hears of a state again that it could not be told', async () => {
    let isAway = false
    const { manager, told, now } = scene(watched, async () => {
      if (isAway) throw new Error('away')
    })
    manager.ready()
    await vi.advanceTimersByTimeAsync(0)
    isAway = true
    now.state = 'not ready'
    await vi.advanceTimersByTimeAsync(5000)
    isAway = false
    await vi.advanceTimersByTimeAsync(5000)
    expect(told).toContain('WATCHDOG=1 STATUS=not ready')
    manager.close()
  })

  test('hears that the gateway lives, though it is hearing of its state at that very time', async () => {
    const slow = Promise.withResolvers<void>()
    const { manager, told, now } = scene(watched, variables =>
      variables.length > 1 && variables[0] === 'WATCHDOG=1' ? slow.promise : Promise.resolve(),
    )
    manager.ready()
    await vi.advanceTimersByTimeAsync(9000)
    now.state = 'not ready'
    await vi.advanceTimersByTimeAsync(1000) // both are due
    slow.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(told.at(-1)).toBe('WATCHDOG=1 STATUS=not ready')
    manager.close()
  })

  test.each([
    ['has no watchdog', socket],
    ['watches another process', { ...watched, WATCHDOG_PID: '1' }],
    ['gives no good time', { ...socket, WATCHDOG_USEC: '0' }],
  ])('that %s hears the state alone', async (_, env) => {
    const { manager, told, now } = scene(env)
    manager.ready()
    await vi.advanceTimersByTimeAsync(30_000)
    now.state = 'not ready'
    await vi.advanceTimersByTimeAsync(30_000)
    expect(told).toEqual(['READY=1', 'STATUS=ready: listening', 'STATUS=not ready'])
    manager.close()
  })

  test('is not there without its socket, and hears nothing', async () => {
    const { manager, told } = scene({ WATCHDOG_USEC: '20000000' })
    manager.ready()
    await vi.advanceTimersByTimeAsync(60_000)
    manager.stopping()
    expect(told).toEqual([])
    manager.close()
  })

  test('hears one thing after the other, and no more than one waits for a slow one', async () => {
    const slow = Promise.withResolvers<void>()
    const { manager, told } = scene(watched, variables =>
      variables.includes('READY=1') ? slow.promise : Promise.resolve(),
    )
    manager.ready()
    await vi.advanceTimersByTimeAsync(60_000)
    manager.stopping()
    slow.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(told.map(line => line.slice(0, 9))).toEqual(['READY=1', 'STATUS=re', 'STOPPING='])
    manager.close()
  })

  test('that cannot be told is told of once in the log, until it can', async () => {
    let isAway = true
    const { manager, told, warnings } = scene(watched, async () => {
      if (isAway) throw Object.assign(new Error('spawn systemd-notify ENOENT'), { code: 'ENOENT' })
    })
    manager.ready()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(warnings).toEqual(['systemd-notify is not on the path; it comes with systemd'])
    isAway = false
    await vi.advanceTimersByTimeAsync(10_000)
    isAway = true
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told[0]).toBe('WATCHDOG=1 STATUS=ready: listening')
    expect(warnings).toHaveLength(2)
    manager.close()
  })

  test('is not told of where the gateway ends before it has heard', async () => {
    const { manager, warnings } = scene(watched, (_, isOver) => {
      const { promise, reject } = Promise.withResolvers<void>()
      isOver.addEventListener('abort', () => reject(new Error('aborted')))
      return promise
    })
    manager.ready()
    await vi.advanceTimersByTimeAsync(0)
    manager.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(warnings).toEqual([])
  })
})
