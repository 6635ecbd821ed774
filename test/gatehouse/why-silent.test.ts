import { describe, expect, test } from 'vitest'
import { probeOf } from '../support/broken-partners.ts'
import { runCommand } from '../support/command-host.ts'
import { startGateway } from '../support/running-gateway.ts'
import type { Offer } from '../support/wire-peer.ts'

const either = { primaryDomain: 'fabrikam.com', saslNegotiation: 'optional', dialbackNegotiation: true }
const settings = { timeouts: { dialback: '100ms' } }

/** A probe of a partner that offers this under TLS, declares dialback in its header, and never answers a key. */
async function probeSilent(offered: readonly Offer[]) {
  const gateway = await startGateway({ partners: [either], settings })
  const server = await gateway.serve()
  const probe = probeOf(gateway, 'fabrikam.com')
  const peer = await server.next()
  await peer.greetsSecurely(offered)
  await peer.streamEnd()
  peer.end('</stream:stream>')
  return { gateway, ...(await probe) }
}

// Contract §2: who does not permit dialback is silent about a key, and declares the namespace all the same.
describe('a partner that is silent about our dialback key', () => {
  test('and has not offered it, nor EXTERNAL, does not accept our certificate', async () => {
    const { gateway, lines } = await probeSilent([])
    expect(lines.at(-1)).toMatchObject({
      outcome: {
        outcome: { code: 'external-not-offered', reason: expect.stringContaining('no answer to our') },
      },
      meaning: { fault: 'ours' },
    })
    const { out } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toMatch(
      /the partner offers nothing\n.*the partner declares dialback, and does not offer it: /,
    )
    expect(out).not.toMatch(/ms {2}the partner offers .*dialback/)
  })

  test('and has offered it cannot reach us, or does not permit it', async () => {
    const { lines } = await probeSilent(['dialback'])
    expect(lines.at(-1)).toMatchObject({
      outcome: { outcome: { code: 'dialback-unanswered' } },
      meaning: { remedy: expect.stringContaining('does not permit dialback for us') },
    })
    expect(JSON.stringify(lines)).not.toContain('does not offer it')
  })
})
