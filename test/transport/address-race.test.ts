import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { RaceLost, raceToConnect } from '../../src/transport/address-race.ts'
import { blackHole, closedPort, keep, listen } from './dialer-fixture.ts'
import { openSockets } from './resolver-fixture.ts'

const never = new AbortController().signal
const unreachable = 'ff02::1' // a group: the kernel refuses to connect to it, and sends nothing

function families(ipv6: readonly string[], ipv4: readonly string[]) {
  return { ipv6: Promise.resolve(ipv6), ipv4: Promise.resolve(ipv4) }
}

describe('the race', () => {
  test('is won by IPv4 where IPv6 has no route', async () => {
    const port = await listen()
    expect(keep(await raceToConnect(families([unreachable], ['127.0.0.1']), port, never)).remoteAddress).toBe(
      '127.0.0.1',
    )
  })

  test('takes the families in turn, IPv6 first', async () => {
    const port = await closedPort()
    const lost = await raceToConnect(families(['::1', '::1'], ['127.0.0.1', '127.0.0.2']), port, never).catch(
      (error: unknown) => error,
    )
    expect(lost).toBeInstanceOf(RaceLost)
    expect((lost as RaceLost).failures.map(({ address }) => address)).toEqual([
      '::1',
      '127.0.0.1',
      '::1',
      '127.0.0.2',
    ])
  })

  test('is won by an early attempt that answers after later ones have failed', async () => {
    const { port, release } = await blackHole('::1')
    const racing = raceToConnect(families(['::1'], ['127.0.0.1']), port, never)
    release() // the lost packet is sent again in a second, IPv4 is refused after 250 ms
    expect(keep(await racing).remoteAddress).toBe('::1')
  })

  test('starts another attempt 250 ms after the last one', async () => {
    const { port } = await blackHole('::1')
    let accepted = 0
    await listen('127.0.0.1', port, () => {
      accepted += 1
    })
    useFakeTimers()
    const racing = raceToConnect(families(['::1'], ['127.0.0.1']), port, never)
    await turns()
    vi.advanceTimersByTime(249)
    await turns()
    expect(accepted).toBe(0)
    vi.advanceTimersByTime(1)
    expect(keep(await racing).remoteAddress).toBe('127.0.0.1')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('lets IPv4 wait 50 ms for IPv6 to be found', async () => {
    const port = await listen('::1')
    await listen('127.0.0.1', port)
    useFakeTimers()
    const ipv6 = Promise.withResolvers<string[]>()
    const racing = raceToConnect({ ipv6: ipv6.promise, ipv4: Promise.resolve(['127.0.0.1']) }, port, never)
    await turns()
    vi.advanceTimersByTime(49)
    await turns()
    ipv6.resolve(['::1'])
    expect(keep(await racing).remoteAddress).toBe('::1')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('starts IPv4 soon where IPv6 is not found yet', async () => {
    const port = await listen()
    const pending = { ipv6: new Promise<string[]>(() => undefined), ipv4: Promise.resolve(['127.0.0.1']) }
    expect(keep(await raceToConnect(pending, port, never)).remoteAddress).toBe('127.0.0.1')
  })

  test('is lost at once without any address', async () => {
    await expect(raceToConnect(families([], []), 5269, never)).rejects.toMatchObject({ failures: [] })
  })

  test('does not begin once the signal is aborted', async () => {
    let accepted = 0
    const port = await listen('127.0.0.1', 0, () => {
      accepted += 1
    })
    await expect(raceToConnect(families([], ['127.0.0.1']), port, AbortSignal.abort())).rejects.toThrow(
      RaceLost,
    )
    keep(await raceToConnect(families([], ['127.0.0.1']), port, never))
    await vi.waitFor(() => expect(accepted).toBe(1))
  })

  test('closes the attempts that lost', async () => {
    const { port } = await blackHole('::1')
    await listen('127.0.0.1', port)
    const before = await openSockets()
    const socket = await raceToConnect(families(['::1'], ['127.0.0.1']), port, never)
    socket.destroy()
    // One is left: the half that the server accepted.
    await vi.waitFor(async () => expect((await openSockets()).length).toBe(before.length + 1))
  })
})

function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

// As many as the kernel needs to connect two sockets of this machine.
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate()
}
