import { describe, expect, test } from 'vitest'
import { whyOf } from '../support/broken-partners.ts'
import { daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
const byDialback = { primaryDomain: 'fabrikam.com', dialbackNegotiation: true, saslNegotiation: 'optional' }

/** Somebody says that he is the partner, and leaves. */
async function claims(gateway: RunningGateway): Promise<void> {
  const before = gateway.events('stream.closed').length
  const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
  await peer.opensSecurely()
  peer.end('</stream:stream>')
  await gateway.event('stream.closed', () => gateway.events('stream.closed').length > before)
}

/** The partner shows its certificate, and then says what is not XML. */
async function failsWithProof(gateway: RunningGateway): Promise<void> {
  const peer = await gateway.connect()
  await peer.opensSecurely()
  peer.send('<a></b>')
  await peer.isClosedWith('not-well-formed')
  await gateway.event('stream.closed', ({ code }) => code === 'malformed-xml')
}

describe('who says that he is a partner and proves nothing', () => {
  test('does not choose what why explains, and is told apart', async () => {
    const gateway = await startGateway()
    await failsWithProof(gateway)
    for (let times = 0; times < 5; times += 1) await claims(gateway)
    const told = await whyOf(gateway, 'fabrikam.com')
    expect(told).toMatchObject({
      attempts: 4,
      lastFailure: { claimed: false, outcome: { code: 'malformed-xml' } },
      meaning: { code: 'malformed-xml' },
      lastClaim: { claimed: true, outcome: { code: 'certificate-expired' } },
    })
    expect(told.failures).toMatchObject([
      { code: 'certificate-expired', claimed: true, count: 3 },
      { code: 'malformed-xml', claimed: false, count: 1 },
    ])
    const { out } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toMatch(/^3 +in, unproven +certificate-expired /m)
    expect(out).toMatch(
      /may be of anybody:\n\n.*, in, to contoso\.com: claimed to be fabrikam\.com and proved nothing, from 127\.0\.0\.1 \(failed\)$/m,
    )
  })

  test('is explained where nothing else has failed: it may be the partner, with what is wrong', async () => {
    const gateway = await startGateway()
    await claims(gateway)
    expect(await whyOf(gateway, 'fabrikam.com')).toMatchObject({
      lastFailure: { claimed: true },
      meaning: { code: 'certificate-expired' },
      lastClaim: null,
    })
  })

  test('proves nothing by a question about a key', async () => {
    const gateway = await startGateway({ partners: [byDialback] })
    const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
    await peer.opensSecurely()
    peer.send("<db:verify from='fabrikam.com' to='contoso.com' id='x'>no key of ours</db:verify>")
    await peer.next('verify')
    peer.end('</stream:stream>')
    await gateway.event('stream.closed')
    const { out } = await runCommand(['why', 'fabrikam.com', '--all', '--config', gateway.folder.file])
    expect(out).toMatch(/^Failures +none in the journal$/m)
    expect(out).toMatch(/claimed to be fabrikam\.com and proved nothing, from 127\.0\.0\.1$/m)
  })
})
