import { setTimeout as wait } from 'node:timers/promises'
import type { AdminServer } from './admin/server.ts'
import type { Directory } from './federation/directory.ts'
import type { KeyVerification } from './federation/key-verification.ts'
import type { Connector } from './internal/connector.ts'
import type { Listener } from './transport/listener.ts'

const lookEveryMs = 20

/**
 * Stops in an order in which nothing accepted is lost (contract §5), each step with a share of the time:
 * 1. Nobody new is let in, and partners' streams end, while the inside still takes what they sent.
 * 2. What the inside does not take bounces, while partners' streams may still be opened for that.
 * 3. What partners do not take bounces, while the inside is still there for that.
 * 4. The inside ends, while partners still take what it sends until its own end.
 * 5. Streams to partners end.
 */
export async function stopInOrder(
  parts: {
    listeners: readonly Listener[]
    directory: Directory
    keys: KeyVerification
    connector: Connector
    admin: AdminServer
  },
  shutdownMs: number,
): Promise<void> {
  const { listeners, directory, keys, connector, admin } = parts
  const startMs = performance.now()
  const leftMs = (share: number) => Math.max(0, startMs + share * shutdownMs - performance.now())
  const until = async (share: number, isDone: () => boolean) => {
    while (!isDone() && leftMs(share) > 0) await wait(lookEveryMs)
  }
  for (const listener of listeners) listener.close()
  directory.closeInbound()
  await until(0.25, () => directory.inbound.size === 0)
  for (const listener of listeners) listener.destroy()

  await connector.settle(leftMs(0.4))

  await until(0.5, () => directory.waiting === 0)
  // What the inside had sent behind that is read only now, and has to come back before the inside ends.
  if (await directory.settle(leftMs(0.55))) await wait(leftMs(0.8))

  await connector.stop(leftMs(0.88))
  await until(0.9, () => directory.waiting === 0)

  keys.stop()
  directory.openNothingMore()
  directory.closeOutbound()
  await until(0.97, () => directory.outbound.length === 0)
  directory.destroy()
  await admin.close()
}
