import { describe, expect, test } from 'vitest'
import { daysLeft, ExpiryWatch, expiryThreshold } from '../../src/telemetry/expiry.ts'
import { parseDomain } from '../../src/xmpp/address.ts'
import { memoryLog } from '../support/log.ts'

const start = new Date('2026-11-20T12:00:00Z')
const inDays = (days: number): Date => new Date(start.getTime() + days * 86_400_000)
const domainOf = (name: string) => parseDomain(name) ?? expect.fail('no domain')
const contoso = domainOf('contoso.com')
const fabrikam = domainOf('fabrikam.com')

describe('the end of a certificate', () => {
  test.each([
    [30.01, undefined],
    [30, 30],
    [14.01, 30],
    [14, 14],
    [7, 7],
    [1.01, 7],
    [1, 1],
    [0.01, 1],
    [0, 0],
    [-100, 0],
  ])('in %s days lies within the threshold of %s', (days, threshold) => {
    expect(expiryThreshold(inDays(days), start)).toBe(threshold)
  })

  test('is told in whole days', () => {
    expect([1.9, 1, 0.5, -0.5, -1.5].map(days => daysLeft(inDays(days), start))).toEqual([1, 1, 0, -1, -2])
  })
})

describe('the watch of certificates', () => {
  test('tells once for each threshold', () => {
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    for (let day = 0; day < 45; day += 0.25) watch.ours(contoso, inDays(40), inDays(day))
    expect(log.events).toEqual(
      [30, 14, 7, 1, 0].map(left => ({
        event: 'certificate.expiring',
        owner: 'local',
        domain: 'contoso.com',
        notAfter: '2026-12-30T12:00:00.000Z',
        daysLeft: left,
      })),
    )
  })

  test('starts anew with a renewed certificate', () => {
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    watch.ours(contoso, inDays(5), start)
    watch.ours(contoso, inDays(95), start)
    expect(log.events).toHaveLength(1)
    watch.ours(contoso, inDays(95), inDays(70))
    expect(log.events).toHaveLength(2)
  })

  test('tells the truth again once a clock that was ahead is right', () => {
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    watch.ours(contoso, inDays(60), inDays(1500))
    for (let day = 0; day < 70; day += 0.5) watch.ours(contoso, inDays(60), inDays(day))
    const told = log.events.map(event => event.event === 'certificate.expiring' && event.daysLeft)
    expect(told).toEqual([-1440, 30, 14, 7, 1, 0])
  })

  test('looks again at what partners have shown last', () => {
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    watch.theirs({ domain: fabrikam, notAfter: inDays(10) }, start)
    for (let day = 0; day < 12; day += 0.5) watch.look(inDays(day))
    const told = log.events.map(event => event.event === 'certificate.expiring' && event.daysLeft)
    expect(told).toEqual([10, 7, 1, 0])
    watch.keep(() => false)
    watch.look(inDays(12))
    expect(log.events).toHaveLength(4)
  })

  test('is not moved by nodes that show different certificates in turn', () => {
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    for (let turn = 0; turn < 50; turn += 1)
      for (const notAfter of [inDays(20), inDays(5), inDays(5.1), inDays(200)])
        watch.theirs({ domain: fabrikam, notAfter }, start)
    expect(log.events.map(event => event.event === 'certificate.expiring' && event.daysLeft)).toEqual([20, 5])
  })

  test('keeps what partners have shown last, apart from ours, until they are partners no more', () => {
    const log = memoryLog()
    const watch = new ExpiryWatch(log)
    watch.ours(fabrikam, inDays(3), start)
    const shown = { domain: fabrikam }
    watch.theirs({ ...shown, notAfter: inDays(3) }, start)
    watch.theirs({ ...shown, notAfter: inDays(90) }, start)
    expect(log.events).toMatchObject([{ owner: 'local' }, { owner: 'partner' }])
    expect([...watch.shown]).toEqual([{ ...shown, notAfter: inDays(90) }])
    watch.keep(domain => domain === fabrikam)
    expect([...watch.shown]).toHaveLength(1)
    watch.keep(() => false)
    expect([...watch.shown]).toEqual([])
    watch.theirs({ ...shown, notAfter: inDays(3) }, start)
    expect(log.events).toHaveLength(3)
  })
})
