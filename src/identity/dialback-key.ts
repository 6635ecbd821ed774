import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What a dialback key is bound to (XEP-0185 §2): domains as they stand on the wire. */
export type KeyBinding = {
  readonly receiving: string
  readonly originating: string
  /** Id of the stream the key was sent on, given by the receiving server. */
  readonly streamId: string
}

/**
 * Computes the dialback key for one stream (XEP-0185 §2).
 * @param secret known to this gateway's pool alone
 * @returns 64 lower-case hex digits
 */
export function dialbackKey(secret: string, binding: KeyBinding): string {
  const secretDigest = createHash('sha256').update(secret).digest('hex')
  return createHmac('sha256', secretDigest)
    .update(`${binding.receiving} ${binding.originating} ${binding.streamId}`)
    .digest('hex')
}

/** Tells whether a key is the one this gateway would have made; takes the same time for every wrong key. */
export function isDialbackKey(secret: string, binding: KeyBinding, key: string): boolean {
  const expected = Buffer.from(dialbackKey(secret, binding))
  const given = Buffer.from(key)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
