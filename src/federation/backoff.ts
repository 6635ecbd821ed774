const firstMs = 30_000
const longestMs = 300_000

/**
 * How long to leave a partner alone after it failed: 30 s, doubled with each failure up to 5 min (contract §4), moved by up to a
 * quarter either way so that gateways do not return all at once.
 * @param failures in a row, 1 or more
 * @param random 0 to 1, exclusive
 * @returns milliseconds
 */
export function backoffMs(failures: number, random: number): number {
  const plain = Math.min(longestMs, firstMs * 2 ** (failures - 1))
  return Math.min(longestMs, Math.round(plain * (0.75 + random / 2)))
}
