import { describe, expect, test } from 'vitest'
import { Attempts } from '../../src/admin/attempts.ts'

function startedAt(start: number) {
  const clock = { ms: start }
  return { clock, attempts: new Attempts(() => clock.ms) }
}

function times(count: number, work: (at: number) => number): number[] {
  return Array.from({ length: count }, (_, at) => work(at))
}

describe('attempts with wrong tokens', () => {
  test('of one address are 10, then one in 6 s', () => {
    const { clock, attempts } = startedAt(1000)
    expect(times(10, () => attempts.begin('192.0.2.1'))).toEqual(Array(10).fill(0))
    expect(attempts.begin('192.0.2.1')).toBe(6000)
    expect(attempts.begin('192.0.2.2')).toBe(0)
    clock.ms += 4000
    expect(attempts.begin('192.0.2.1')).toBe(2000)
    clock.ms += 2000
    expect([attempts.begin('192.0.2.1'), attempts.begin('192.0.2.1')]).toEqual([0, 6000])
    clock.ms += 3_600_000
    expect(times(11, () => attempts.begin('192.0.2.1')).filter(ms => ms > 0)).toHaveLength(1)
  })

  test('of all addresses are 60, then one in a second', () => {
    const { clock, attempts } = startedAt(0)
    expect(times(60, at => attempts.begin(`192.0.2.${at}`))).toEqual(Array(60).fill(0))
    expect(attempts.begin('198.51.100.1')).toBe(1000)
    clock.ms += 1000
    expect([attempts.begin('198.51.100.1'), attempts.begin('198.51.100.2')]).toEqual([0, 1000])
  })

  test('count by network where an address is IPv6, and as IPv4 within it', () => {
    const { attempts } = startedAt(0)
    const spellings = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:1:2:3:4', '2001:db8::ffff:1']
    times(10, at => attempts.begin(spellings[at % 4]!))
    expect(spellings.map(address => attempts.begin(address) > 0)).toEqual([true, true, true, true])
    expect(attempts.begin('2001:db8:1::1')).toBe(0)
    times(10, at => attempts.begin(at % 2 === 0 ? '192.0.2.9' : '::ffff:192.0.2.9'))
    expect(attempts.begin('::ffff:192.0.2.9')).toBeGreaterThan(0)
    expect(attempts.begin('::1')).toBe(0)
  })

  test('do not count where they succeed', () => {
    const { attempts } = startedAt(0)
    for (const at of Array(100).keys()) {
      expect(attempts.begin(`192.0.2.${at % 3}`)).toBe(0)
      attempts.succeeded(`192.0.2.${at % 3}`)
    }
    expect(attempts.size).toBe(0)
  })

  test('hold up nobody who tries something else', () => {
    const { attempts } = startedAt(0)
    times(10, () => attempts.begin('192.0.2.1', 'a'))
    expect([attempts.begin('192.0.2.1', 'a'), attempts.begin('192.0.2.1', 'b')]).toEqual([6000, 0])
    times(60, at => attempts.begin(`198.51.100.${at}`, 'a'))
    expect([attempts.begin('203.0.113.1', 'a'), attempts.begin('203.0.113.1', 'b')]).toEqual([1000, 0])
  })

  test('are remembered of 1024 addresses', () => {
    const { clock, attempts } = startedAt(0)
    for (let at = 0; at < 5000; at++) {
      clock.ms += 1000
      attempts.begin(`10.0.${at >> 8}.${at & 255}`)
    }
    expect(attempts.size).toBe(1024 + 1)
    for (let at = 0; at < 5000; at++) attempts.begin('192.0.2.1', String(at))
    expect(attempts.size).toBe(1024 + 1024)
  })
})
