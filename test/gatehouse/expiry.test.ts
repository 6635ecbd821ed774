import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { watchOwnCertificates } from '../../src/expiry.ts'
import { ExpiryWatch } from '../../src/telemetry/expiry.ts'
import { parseDomain } from '../../src/xmpp/address.ts'
import { createAuthority, daysFromNow } from '../support/certificates.ts'
import { memoryLog } from '../support/log.ts'
import { startGateway } from '../support/running-gateway.ts'

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000)

describe('the gateway', () => {
  test('warns of its own certificate at the start, and of the next at a reload', async () => {
    const gateway = await startGateway() // its certificate lasts for 30 days
    expect(gateway.events('certificate.expiring')).toMatchObject([
      { owner: 'local', domain: 'contoso.com', daysLeft: 29 },
    ])
    const next = gateway.authority.issueFor('contoso.com', { notAfter: daysFromNow(6.5) })
    writeFileSync(gateway.folder.at('config/local.crt'), next.chainPem)
    writeFileSync(gateway.folder.at('config/local.key'), next.keyPem)
    await gateway.gatehouse.reload(gateway.folder.load())
    expect(gateway.events('certificate.expiring')).toMatchObject([{ daysLeft: 29 }, { daysLeft: 6 }])
  })

  test('warns of a certificate that a partner has shown, once, and tells its end', async () => {
    const gateway = await startGateway()
    const notAfter = daysFromNow(3.5)
    const identity = gateway.identity('fabrikam.com', { notAfter })
    const shown = () => gateway.events('certificate.expiring').filter(({ owner }) => owner === 'partner')
    for (let times = 0; times < 2; times += 1) {
      const peer = await gateway.connect(identity)
      await peer.authenticates()
    }
    expect(shown()).toMatchObject([{ domain: 'fabrikam.com', daysLeft: 3 }])
    const metric =
      'gatehouse_partner_certificate_expiry_seconds{partner="fabrikam.com",domain="fabrikam.com"}'
    expect(gateway.metric(metric)).toBe(seconds(notAfter))
  })
})

describe('the daily look', () => {
  afterEach(() => void vi.useRealTimers())

  test('is one a day, until the stop', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    const log = memoryLog()
    const domain = parseDomain('contoso.com') ?? expect.fail('no domain')
    const { certificatePem, keyPem } = createAuthority().issueFor(domain, { notAfter: daysFromNow(9.5) })
    const own = watchOwnCertificates(new ExpiryWatch(log), () => [{ domain, certificatePem, keyPem }])
    const told = () => log.events.map(event => event.event === 'certificate.expiring' && event.daysLeft)
    expect(told()).toEqual([9])
    vi.advanceTimersByTime(4 * 86_400_000)
    expect(told()).toEqual([9, 6])
    own.stop()
    vi.advanceTimersByTime(30 * 86_400_000)
    expect(told()).toEqual([9, 6])
  })
})
