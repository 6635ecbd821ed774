import { setTimeout as wait } from 'node:timers/promises'
import type { AdminServer } from './admin/server.ts'
import type { Directory } from './federation/directory.ts'
import type { KeyVerification } from './federation/key-verification.ts'
import type { Connector } from './internal/connector.ts'
import type { Listener } from './transport/listener.ts'

const lookEveryMs = 20

/**
 * Stops in an order in which nothing accepted is lost (contract §5): nobody new is let in; partners' streams end while the
 * inside still takes what they sent; what waits for partners bounces while the inside still takes the bounces; the inside
 * ends while partners still take what it sent; partners' streams end last. Each step has a share of the time.
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
  const until = async (share: number, isDone: () => boolean) => {
    while (!isDone() && performance.now() < startMs + share * shutdownMs) await wait(lookEveryMs)
  }
  for (const listener of listeners) listener.close()
  directory.closeInbound()
  await until(0.3, () => directory.inbound.size === 0)
  keys.stop()
  directory.openNothingMore()
  await until(0.5, () => directory.waiting === 0)
  const inside = connector.stop()
  let insideStopped = false
  void inside.then(() => {
    insideStopped = true
  })
  await until(0.7, () => insideStopped)
  directory.closeOutbound()
  await until(0.9, () => directory.outbound.length === 0)
  directory.destroy()
  await admin.close()
}
