import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { watchCertificates } from '../../src/expiry.ts'
import { ExpiryWatch } from '../../src/telemetry/expiry.ts'
import { parseDomain } from '../../src/xmpp/address.ts'
import { createAuthority, daysFromNow } from '../support/certificates.ts'
import { memoryLog } from '../support/log.ts'
import { startGateway } from '../support/running-gateway.ts'

const domainOf = (name: string) => parseDomain(name) ?? expect.fail('no domain')
const contoso = domainOf('contoso.com')
const fabrikam = domainOf('fabrikam.com')
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

describe('the hourly look', () => {
  afterEach(() => void vi.useRealTimers())

  const hourMs = 3_600_000
  const daysOf = ({ events }: ReturnType<typeof memoryLog>) =>
    events.map(event => event.event === 'certificate.expiring' && event.daysLeft)

  test('is one an hour at our certificates, until the stop', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    const log = memoryLog()
    // Ends a minute after a time of the day at which it is looked at.
    const notAfter = new Date(Date.now() + 2.5 * 86_400_000 + 60_000)
    const { certificatePem, keyPem } = createAuthority().issueFor(contoso, { notAfter })
    const looks = watchCertificates(new ExpiryWatch(log), () => [{ domain: contoso, certificatePem, keyPem }])
    expect(daysOf(log)).toEqual([2])
    vi.advanceTimersByTime(36 * hourMs)
    expect(daysOf(log)).toEqual([2])
    vi.advanceTimersByTime(hourMs) // 23 hours and a minute are left
    expect(daysOf(log)).toEqual([2, 0])
    looks.stop()
    vi.advanceTimersByTime(30 * 24 * hourMs)
    expect(daysOf(log)).toEqual([2, 0])
  })

  test('is one at what partners have shown last, whose streams may stay up past the end', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    const { stop } = watchCertificates(watch, () => [])
    watch.theirs({ domain: fabrikam, notAfter: daysFromNow(35.5) }, new Date())
    expect(daysOf(log)).toEqual([])
    vi.advanceTimersByTime(40 * 24 * hourMs)
    expect(daysOf(log)).toEqual([30, 14, 7, 1, 0])
    expect(log.events).toMatchObject(Array(5).fill({ owner: 'partner', domain: 'fabrikam.com' }))
    stop()
  })
})
