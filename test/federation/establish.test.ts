import { describe, expect, test } from 'vitest'
import type { FederationEnvironment, Peer } from '../../src/federation/environment.ts'
import { establish } from '../../src/federation/establish.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { DialError } from '../../src/transport/dialer.ts'
import type { Target } from '../../src/transport/service-records.ts'
import { domain } from '../support/inbound-peer.ts'
import { silentLog } from '../support/log.ts'
import { connected } from '../transport/tls-peers.ts'

const pair = { local: domain('contoso.com'), remote: domain('fabrikam.com') }

/** Opens a stream through a scripted dialer. */
function open(
  targets: readonly Target[],
  connect: (target: Target) => Promise<unknown>,
  { tls = 'required', signal = new AbortController().signal } = {},
) {
  const environment = {
    dialer: { targets: async () => targets, connect },
    log: silentLog,
    metrics: new Metrics(),
    record: () => {},
  } as unknown as FederationEnvironment
  const peer = { terms: { tls, methods: [] } } as unknown as Peer
  const owner = { drained() {}, keyAnswer() {}, closing() {}, closed() {} }
  return establish({ pair, peer, purpose: 'stanzas' }, environment, owner, signal)
}

function target(port: number, directTls = false): Target {
  return { host: 'xmpp.fabrikam.com', port, directTls, source: 'srv' }
}

describe('the way to a stream', () => {
  test('drops a connection that comes when nobody wants it any more', async () => {
    const { near } = await connected()
    const abort = new AbortController()
    const connect = async () => {
      abort.abort(new Error('the gateway is stopping'))
      return near
    }
    await expect(open([target(1)], connect, { signal: abort.signal })).rejects.toThrow(
      'the gateway is stopping',
    )
    expect(near.destroyed).toBe(true)
  })

  test.each([
    ['16 targets at most', 'required', Array.from({ length: 20 }, (_, port) => target(port)), 16],
    ['no direct TLS where TLS is not supported', 'notSupported', [target(0), target(1, true), target(2)], 2],
  ] as const)('tries %s, and tells of the last failure', async (_, tls, targets, count) => {
    const tried: number[] = []
    const connect = async ({ port }: Target) => {
      tried.push(port)
      throw new DialError('connect-refused', `port ${port} is closed`)
    }
    await expect(open(targets, connect, { tls })).rejects.toMatchObject({
      name: 'EstablishError',
      message: `port ${tls === 'required' ? 15 : 2} is closed`,
      wasReached: false,
    })
    expect(tried).toHaveLength(count)
  })
})
