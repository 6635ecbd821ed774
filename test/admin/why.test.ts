import { describe, expect, onTestFinished, test } from 'vitest'
import { explain, type PartnerState } from '../../src/admin/why.ts'
import type { AttemptOutcome, AttemptRecord } from '../../src/xmpp/attempt.ts'
import { claim, fabrikam, failed, good, record } from '../support/attempts.ts'
import { domain } from '../support/inbound-peer.ts'

const expired: AttemptOutcome = { is: 'failed', code: 'certificate-expired', reason: 'expired' }
const locals = ['contoso.com', 'contoso.example']
const out = { direction: 'out' } as const
const question = { direction: 'out', purpose: 'verification' } as const
const asked: AttemptOutcome = { is: 'authenticated', method: null }
const corp = 'corp.fabrikam.com'

/** What is made of attempts, given from the oldest to the newest; `up` = these ways have a stream. */
function told(
  about: string,
  attempts: readonly AttemptRecord[],
  up: readonly ('in' | 'out')[] = [],
  partner: typeof fabrikam | 'nobody' = fabrikam,
) {
  const streams = up.map(direction => ({
    direction,
    local: 'contoso.com',
    remote: 'fabrikam.com',
    method: 'dialback-tls',
    since: new Date(0).toISOString(),
  }))
  const state: PartnerState = { streams, negotiating: [], waiting: 0, nextAttemptMs: null }
  const isLocal = (name: string) => locals.includes(name)
  return explain(
    {
      domain: domain(about),
      partner: partner === 'nobody' ? undefined : partner,
      state,
      inside: [],
      isLocal,
      trouble: undefined,
    },
    // A duration would be added to the time.
    attempts.map(attempt => ({ ...attempt, durationMs: 0 })).toReversed(),
  )
}

const numberOf = (attempt: AttemptRecord | null) => attempt && Date.parse(attempt.started) / 1000
const lostAt = (number: number) =>
  ({
    at: new Date(number * 1000).toISOString(),
    side: 'network',
    code: 'connection-lost',
    reason: '',
  }) as const

describe('a failure', () => {
  test('is not mended by what another domain of the partner does', () => {
    const attempts = [record(1, corp, failed, out), record(2, 'fabrikam.com', good, out)]
    const { lastSuccess, lastFailure, isMended, isFailing } = told(corp, attempts)
    expect([lastSuccess, numberOf(lastFailure), isMended, isFailing]).toEqual([null, 1, false, true])
    expect(told('corp.fabrikam.com', attempts).ways).toMatchObject([
      { remote: corp, isAsked: true, isFailing: true, meaning: { code: 'connect-refused' } },
      { remote: 'fabrikam.com', isAsked: false, isFailing: false, lastFailure: null },
    ])
  })

  test('of any domain is one of the partner, and is told first', () => {
    const attempts = [record(1, corp, failed, out), record(2, 'fabrikam.com', good, out)]
    const { lastFailure, lastSuccess, isFailing, ways } = told('fabrikam.com', attempts)
    expect([numberOf(lastFailure), numberOf(lastSuccess), isFailing]).toEqual([1, 2, true])
    expect(ways.map(({ remote, isAsked }) => [remote, isAsked])).toEqual([
      [corp, true],
      ['fabrikam.com', true],
    ])
  })

  test('of the primary domain is none of another one', () => {
    const attempts = [record(1, corp, good, out), record(2, 'fabrikam.com', failed, out)]
    expect(told(corp, attempts)).toMatchObject({
      isFailing: false,
      lastFailure: null,
      failures: [],
      attempts: 1,
      ways: [{ remote: corp }, { remote: 'fabrikam.com', isFailing: true, isAsked: false }],
    })
  })

  test.each<[string, Partial<AttemptRecord>]>([
    ['another local domain', { ...out, local: 'contoso.example' }],
    ['the other direction', {}],
    ['a question about a key', question],
  ])('is not mended by a success of %s', (_, other) => {
    const attempts = [
      record(1, 'fabrikam.com', failed, out),
      record(2, 'fabrikam.com', other === question ? asked : good, other),
    ]
    expect(told('fabrikam.com', attempts)).toMatchObject({ isFailing: true, isMended: false })
  })

  test.each<[string, AttemptOutcome, Partial<AttemptRecord>]>([
    ['a question that is put', asked, question],
    ['the one who is in, for whose sake it was put', good, {}],
  ])('to put a question about a key is mended by %s', (_, outcome, more) => {
    const wrong = record(1, 'fabrikam.com', failed, question)
    expect(told('fabrikam.com', [wrong]).isFailing).toBe(true)
    expect(told('fabrikam.com', [wrong, record(2, 'fabrikam.com', outcome, more)])).toMatchObject({
      isFailing: false,
      isMended: true,
    })
  })

  test('is the end of a stream that was up before others worked', () => {
    const lost = record(1, 'fabrikam.com', good, { closed: lostAt(9) })
    const since = record(5, 'fabrikam.com', good)
    expect(told('fabrikam.com', [lost, since])).toMatchObject({ isFailing: true, isMended: false })
    expect(told('fabrikam.com', [lost, since, record(10, 'fabrikam.com', good)]).isFailing).toBe(false)
    expect(told('fabrikam.com', [lost, since], ['in']).isFailing).toBe(false)
  })

  test('to have a stream is one, though another one is still up', () => {
    const attempts = [record(1, 'fabrikam.com', good, out), record(2, 'fabrikam.com', expired, out)]
    expect(told('fabrikam.com', attempts, ['out'])).toMatchObject({
      isFailing: true,
      ways: [{ isUp: true, isFailing: true }],
    })
  })

  test('of a domain that is none of ours any more, or of the partner’s, is no failure now', () => {
    const attempts = [
      record(1, 'fabrikam.com', failed, { ...out, local: 'sold.example' }),
      record(2, 'sold.fabrikam.com', failed, out),
    ]
    expect(told('fabrikam.com', attempts)).toMatchObject({
      isFailing: false,
      attempts: 1,
      ways: [{ local: null, isFailing: false }],
    })
  })
})

describe('what somebody claims', () => {
  const lost = record(1, 'fabrikam.com', good, { closed: lostAt(2) })
  const since = record(3, 'fabrikam.com', good)

  test('is explained where what failed by proof has worked since', () => {
    expect(told('fabrikam.com', [lost, since, claim(4, '192.0.2.1', expired)])).toMatchObject({
      lastFailure: { claimed: true },
      meaning: { code: 'certificate-expired' },
      isMended: false,
      isFailing: true,
      lastClaim: null,
    })
  })

  test('is not explained where something has failed by proof and not worked since', () => {
    expect(told('fabrikam.com', [lost, claim(4, '192.0.2.1', expired)])).toMatchObject({
      lastFailure: { claimed: false },
      lastClaim: { claimed: true },
      isFailing: true,
    })
  })

  test('is no failure where the partner is up, or was since', () => {
    const claimed = claim(4, '192.0.2.1', expired)
    expect(told('fabrikam.com', [since, claimed], ['in'])).toMatchObject({ isFailing: false, isMended: true })
    expect(told('fabrikam.com', [claimed, record(5, 'fabrikam.com', good)]).isFailing).toBe(false)
    expect(told('fabrikam.com', [since, claimed], ['out']).isFailing).toBe(true)
  })

  test('is no failure of a domain that is none of ours, whatever it is called', () => {
    const claimed = [1, 2].map(at => ({ ...claim(at, '192.0.2.1', expired), local: `nobody${at}.example` }))
    expect(told('fabrikam.com', claimed)).toMatchObject({
      isFailing: false,
      lastFailure: { claimed: true },
      ways: [{ local: null }],
    })
  })

  test('does not mend anything, and does not fail, by asking about a key', () => {
    const keys = { purpose: 'verification', claimed: true } as const
    const asks = record(2, 'fabrikam.com', asked, keys)
    const lostAsker = record(3, 'fabrikam.com', asked, { ...keys, closed: lostAt(4) })
    expect(told('fabrikam.com', [asks, lostAsker])).toMatchObject({ isFailing: false, lastFailure: null })
    const wrong = record(1, 'fabrikam.com', failed, { purpose: 'verification' })
    expect(told('fabrikam.com', [wrong, asks]).isFailing).toBe(true)
  })

  test('before the domain was a partner’s is no failure of the partner', () => {
    const unknown = claim(1, '192.0.2.1', { is: 'failed', code: 'not-a-partner', reason: '' })
    expect(told('fabrikam.com', [unknown])).toMatchObject({ isFailing: false, isMended: true })
    const { meaning, isMended } = told('fabrikam.com', [unknown], [], 'nobody')
    expect([meaning?.code, isMended]).toEqual(['not-a-partner', false])
  })
})

test('one of our own domains is told as such, without the advice to add it as a partner', () => {
  const claimed = claim(1, '192.0.2.1', { is: 'failed', code: 'not-a-partner', reason: '' }, 'contoso.com')
  expect(told('contoso.com', [claimed], [], 'nobody')).toMatchObject({
    isOwn: true,
    meaning: null,
    attempts: 1,
  })
})

test('of a partner with very many pairs of domains a hundred are told, those that fail first', () => {
  const many = Array.from({ length: 150 }, (_, number) =>
    record(number, corp, number === 3 ? failed : good, {
      ...out,
      local: `d${number}.contoso.com` as 'contoso.com',
    }),
  )
  locals.push(...many.map(({ local }) => local as string))
  onTestFinished(() => void locals.splice(2))
  const { ways, waysOmitted, isFailing } = told('fabrikam.com', many)
  expect([ways.length, waysOmitted, isFailing]).toEqual([100, 50, true])
  expect(ways[0]).toMatchObject({ local: 'd3.contoso.com', isFailing: true })
})
