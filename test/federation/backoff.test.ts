import { expect, test } from 'vitest'
import { backoffMs } from '../../src/federation/backoff.ts'

test.each([
  [1, 0, 22_500],
  [1, 0.5, 30_000],
  [1, 0.9999, 37_499],
  [2, 0.5, 60_000],
  [4, 0.5, 240_000],
  [5, 0.5, 300_000],
  [5, 0, 225_000],
  [5, 0.9999, 300_000],
  [5_000, 0.5, 300_000],
])(
  'after %i failures, and with %f drawn, a partner is left alone for about %i ms',
  (failures, random, ms) => {
    expect(Math.abs(backoffMs(failures, random) - ms)).toBeLessThanOrEqual(2)
  },
)
