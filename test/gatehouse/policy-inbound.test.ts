import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type InitiatingPeer, inboundOutcome, initiatingPeers } from '../support/policy-outcome.ts'
import { initiate, serve } from '../support/profiled-peer.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { PeerIdentity } from '../support/wire-peer.ts'
import {
  type Account,
  casesOf,
  differences,
  forEach,
  identities,
  logOf,
  partnersFor,
  rows,
} from './policy-product.ts'

const settings = { limits: { unauthenticatedPerAddress: 1000 } }
const establishmentMs = 30_000

// Only where many cases fail: each waits for what does not come.
const patience = { timeout: 120_000 }

describe('every peer that opens a stream', () => {
  test.each(rows)('under TLS $tls, SASL $sasl, dialback $dialback', patience, async row => {
    const cases = casesOf(row, initiatingPeers, inboundOutcome)
    const gateway = await startGateway({ partners: partnersFor(row, cases), settings })
    const identify = identities(gateway, row)
    // Time stands still until every peer has said all it has to say: a slow machine changes nothing.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const met = await forEach(cases, 12, async ({ domain, peer }) => {
      if (peer.dialback) await serve(gateway, identify(domain, serverCertificate(peer)), authoritative(peer))
      return meet(gateway, identify(domain, peer.certificate), peer)
    })
    vi.advanceTimersByTime(establishmentMs)
    const seen = await Promise.all(met.map(conclude => conclude()))
    expect(differences(row, cases, seen)).toEqual([])
    await gateway.hasNoStreams()
  })
})

/** The server of a peer's domain, which is asked about its keys. */
function authoritative({ tls, dialback }: InitiatingPeer) {
  return { tls, dialback, certificate: 'valid', external: 'notOffered' } as const
}

function serverCertificate({ certificate }: InitiatingPeer) {
  return certificate === 'none' ? 'valid' : certificate
}

/** Lets a peer do what it can; then, unless that was the end of its stream, awaits the time limit. */
async function meet(
  gateway: RunningGateway,
  identity: PeerIdentity,
  peer: InitiatingPeer,
): Promise<() => Promise<Account>> {
  const { domain, local } = identity
  let told: readonly string[] = []
  const account = (wire: string) => ({ told, wire, log: logOf(gateway, 'in', domain) })
  const settled = (wire: unknown) => async () => account(String(wire))
  const closed = () => gateway.event('stream.closed', of => of.direction === 'in' && of.remote === domain)
  try {
    const attempt = await initiate(gateway, identity, peer)
    const { wire } = attempt
    told = attempt.told
    switch (attempt.at) {
      case 'authenticated':
        wire.send(`<message from='a@${domain}' to='echo@${local}'/>`)
        wire.end('</stream:stream>')
        return settled((await closed()).stanzasIn === 1 ? 'stanza taken' : 'no stanza taken')
      case 'peer-leaves':
        wire.end('</stream:stream>')
        await closed()
        return settled('peer-leaves')
      case 'waiting':
        return () =>
          wire.isClosedWith('connection-timeout').then(
            () => account('connection-timeout'),
            error => account(String(error)),
          )
    }
  } catch (error) {
    return settled(error)
  }
}
