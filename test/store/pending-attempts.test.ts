import { describe, expect, test } from 'vitest'
import type { Ring } from '../../src/store/attempts.ts'
import { PendingAttempts } from '../../src/store/pending-attempts.ts'
import { failed, record } from '../support/attempts.ts'

const ring: Ring = { name: 'ring', most: 6, ofSource: 4, ofRemote: 5 }

/** What is left of attempts, each given as its source and its name; numbered from 0. */
function left(given: readonly (readonly [string, string])[], most = 100, of = (_: string): Ring => ring) {
  const pending = new PendingAttempts(most)
  for (const [number, [source, remote]] of given.entries())
    pending.put({ ring: of(source), source, record: record(number, remote, failed) })
  return pending.all.map(({ record: { durationMs } }) => durationMs)
}

const times = (many: number, source: string, remote = source) =>
  Array.from({ length: many }, () => [source, remote] as const)

describe('attempts that wait', () => {
  test('give way to the newest of their own source', () => {
    expect(left([...times(1, 'a'), ...times(6, 'b')])).toEqual([0, 3, 4, 5, 6])
  })

  test('give way to those of their own name, of whom there are most', () => {
    expect(left([...times(1, 'a', 'x'), ...times(4, 'b', 'x'), ...times(2, 'c', 'x')])).toEqual([
      0, 3, 4, 5, 6,
    ])
  })

  test('give way in a full ring where there are most', () => {
    expect(left([...times(1, 'a'), ...times(4, 'b'), ...times(3, 'c')])).toEqual([0, 3, 4, 5, 6, 7])
  })

  test('give way in the largest ring where there is no room at all', () => {
    const given = [...times(2, 'a'), ...times(4, 'b'), ...times(1, 'c')]
    expect(left(given, 5, name => ({ ...ring, name }))).toEqual([0, 1, 4, 5, 6])
  })

  test('are one each, whatever becomes of them', () => {
    const pending = new PendingAttempts(9)
    const attempt = { ring, source: 'a', record: record(1, 'a', failed) }
    pending.put(attempt)
    pending.put({ ...attempt, ring: { ...ring, name: 'other' } })
    expect(pending.all.map(({ ring: { name } }) => name)).toEqual(['other'])
    pending.keep(['ring'])
    expect(pending.all).toEqual([])
  })
})
