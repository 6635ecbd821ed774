import { describe, expect, test } from 'vitest'
import { outboundOutcome, type ReceivingPeer, receivingPeers } from '../support/policy-outcome.ts'
import { serve } from '../support/profiled-peer.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { conditionsOf, type PeerIdentity } from '../support/wire-peer.ts'
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

// Only where many cases fail: each waits for what does not come.
const patience = { timeout: 120_000 }

describe('every peer that a stream is opened to', () => {
  test.each(rows)('under TLS $tls, SASL $sasl, dialback $dialback', patience, async row => {
    const cases = casesOf(row, receivingPeers, outboundOutcome)
    const gateway = await startGateway({ partners: partnersFor(row, cases), inside: 'component' })
    const identify = identities(gateway, row)
    const seen = await forEach(cases, 12, ({ domain, peer }) =>
      deliver(gateway, identify(domain, peer.certificate), peer),
    )
    expect(differences(row, cases, seen)).toEqual([])
    await gateway.hasNoStreams()
  })
})

/** Sends a stanza from the inside, and waits for it at the peer's server or, as an error, at the inside again. */
async function deliver(
  gateway: RunningGateway,
  identity: PeerIdentity,
  peer: ReceivingPeer,
): Promise<Account> {
  const { domain, local } = identity
  const account = (told: readonly string[], wire: string) => ({
    told,
    wire,
    log: logOf(gateway, 'out', domain),
  })
  try {
    const { told, stanza } = await serve(gateway, identity, peer)
    const inside = await gateway.inside.component(domain)
    const [from, to] = [`a@${local}`, `b@${domain}`]
    inside.send(`<message from='${from}' to='${to}' id='${domain}'><body>hello</body></message>`)
    const bounce = gateway.inside.stanza(domain, domain)
    bounce.catch(() => undefined)
    const came = await Promise.race([stanza, bounce])
    const { id, type } = came.attributes
    if (type !== 'error') {
      const isWhole = id === domain && came.attributes['from'] === from && came.attributes['to'] === to
      return account(told, isWhole ? 'stanza taken' : 'another stanza taken')
    }
    const isBack = came.attributes['from'] === to && came.attributes['to'] === from
    const error = came.children.find(({ name }) => name === 'error')
    return account(told, isBack && error ? (conditionsOf(error)[0] ?? '') : 'another stanza bounced')
  } catch (error) {
    return account([], String(error))
  }
}
