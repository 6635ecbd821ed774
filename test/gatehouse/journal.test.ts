import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Journal, openJournal } from '../../src/journal.ts'
import { definePartner, partnerList } from '../../src/policy/partner.ts'
import type { AttemptOutcome, AttemptRecord } from '../../src/xmpp/attempt.ts'
import { configFolder } from '../support/config-folder.ts'
import { domain } from '../support/inbound-peer.ts'
import { memoryLog } from '../support/log.ts'

const failed: AttemptOutcome = { is: 'failed', code: 'connect-refused', reason: 'refused' }
const asked: AttemptOutcome = { is: 'authenticated', method: null }
const good: AttemptOutcome = { is: 'authenticated', method: 'dialback-tls' }

function open(path = configFolder().at('data/journal.db')) {
  const log = memoryLog()
  const fabrikam = definePartner({
    primaryDomain: domain('fabrikam.com'),
    additionalDomains: [domain('corp.fabrikam.com')],
    partnerType: 'federated',
  })
  const current = { partners: partnerList([fabrikam]) }
  const journal = openJournal(path, () => current.partners, log)
  onTestFinished(() => journal.close())
  return { journal, log, path, current }
}

function record(number: number, remote: string | null, outcome: AttemptOutcome): AttemptRecord {
  return {
    id: `${remote} ${outcome.is} ${number}`,
    direction: 'in',
    purpose: 'stanzas',
    local: 'contoso.com',
    remote,
    claimed: false,
    started: new Date(number * 1000).toISOString(),
    durationMs: number,
    steps: [],
    outcome,
    closed: null,
  }
}

/** Of somebody who says that he is fabrikam.com, and proves nothing. */
function claim(number: number, address: string, outcome = failed): AttemptRecord {
  const accepted = { ms: 0, step: 'accepted', address } as const
  return { ...record(number, 'fabrikam.com', outcome), id: `${number}`, claimed: true, steps: [accepted] }
}

const numbersOf = (journal: Journal, of: string) =>
  journal.list(domain(of), 500).map(({ durationMs }) => durationMs)

describe('the journal', () => {
  test('has the newest attempts of a partner, under whichever of its domains; a restart takes none', () => {
    const { journal, path } = open()
    journal.record(record(1, 'fabrikam.com', failed))
    journal.record(record(2, 'corp.fabrikam.com', good))
    expect(numbersOf(journal, 'corp.fabrikam.com')).toEqual([2, 1])
    journal.record(record(3, 'fabrikam.com', good))
    journal.close()
    expect(numbersOf(open(path).journal, 'fabrikam.com')).toEqual([3, 2, 1])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('takes the end of a stream into the attempt that it had', () => {
    const { journal } = open()
    const attempt = record(1, 'fabrikam.com', good)
    journal.record(attempt)
    expect(journal.list(domain('fabrikam.com'), 9)).toEqual([attempt])
    const closed = { at: attempt.started, side: 'network', code: 'connection-lost', reason: '' } as const
    journal.record({ ...attempt, closed })
    expect(journal.list(domain('fabrikam.com'), 9)).toEqual([{ ...attempt, closed }])
  })

  test('keeps 40 failures and 10 successes; neither washes the other away', () => {
    const { journal } = open()
    for (let number = 1; number <= 60; number += 1) {
      journal.record(record(number, 'fabrikam.com', failed))
      journal.record(record(100 + number, 'fabrikam.com', good))
      if (number === 30) journal.list(undefined, 1) // written in two batches
    }
    const numbers = numbersOf(journal, 'fabrikam.com')
    expect(numbers.filter(number => number > 100)).toEqual(Array.from({ length: 10 }, (_, at) => 160 - at))
    expect(numbers.filter(number => number < 100)).toEqual(Array.from({ length: 40 }, (_, at) => 60 - at))
  })

  test('keeps 200 attempts of strangers, whatever names they give, and a partner’s through a flood of them', () => {
    const { journal } = open()
    for (let number = 1; number <= 3000; number += 1) {
      journal.record(record(number, `s${number}.example`, failed))
      if (number === 2500) journal.record(record(1, 'fabrikam.com', failed))
      if (number % 400 === 0) journal.list(undefined, 1)
    }
    expect(journal.list(undefined, 10_000)).toHaveLength(201)
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    expect(numbersOf(journal, 's3000.example')).toEqual([3000])
  })

  test('keeps a partner’s attempts through a flood in its own name that proves nothing: 20 of that, 3 of one source', () => {
    const { journal } = open()
    journal.record({ ...record(1, 'fabrikam.com', failed), direction: 'out' })
    journal.record(record(2, 'fabrikam.com', failed))
    journal.record(record(3, 'fabrikam.com', good))
    journal.record(claim(4, '192.0.2.1'))
    for (let number = 1000; number < 4000; number += 1) {
      journal.record(claim(number, `2001:db8:0:1::${number}`, number % 2 === 0 ? failed : asked))
      if (number % 400 === 0) journal.list(undefined, 1)
    }
    const [three, two, ...rest] = numbersOf(journal, 'fabrikam.com').filter(number => number >= 1000)
    expect([three, two, rest.length]).toEqual([3999, 3998, 4])
    expect(numbersOf(journal, 'fabrikam.com').filter(number => number < 1000)).toEqual([4, 3, 2, 1])
    for (let number = 5000; number < 5100; number += 1)
      journal.record(claim(number, `198.51.100.${number - 5000}`))
    const kept = numbersOf(journal, 'fabrikam.com')
    expect(kept.filter(number => number >= 5000)).toHaveLength(20)
    expect(kept.filter(number => number < 4)).toEqual([3, 2, 1])
  })

  test('has room for a partner while 500 that prove nothing wait to be written', () => {
    const { journal } = open()
    for (let number = 1000; number < 4000; number += 1) {
      journal.record(claim(number, '192.0.2.1'))
      if (number === 1000) journal.record(record(1, 'fabrikam.com', failed))
    }
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1498, 1497, 1496, 1])
  })

  test('keeps a partner’s attempts through the questions about keys that strangers make us ask', () => {
    const { journal } = open()
    const out = { direction: 'out' } as const
    journal.record({ ...record(1, 'fabrikam.com', good), ...out })
    journal.record({ ...record(2, 'fabrikam.com', failed), ...out })
    for (let number = 100; number < 200; number += 1) {
      journal.record({
        ...record(number, 'fabrikam.com', number % 2 === 0 ? failed : asked),
        ...out,
        purpose: 'verification',
      })
    }
    expect(numbersOf(journal, 'fabrikam.com').slice(-2)).toEqual([2, 1])
    expect(numbersOf(journal, 'fabrikam.com')).toHaveLength(2 + 40 + 10)
  })

  test('forgets who is no partner any more', () => {
    const { journal, current } = open()
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    current.partners = partnerList([])
    journal.keepPartners()
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([])
  })

  test.each([
    ['a folder', (path: string) => mkdirSync(path, { recursive: true })],
    [
      'no database',
      (path: string) => writeFileSync(path, 'something else that is longer than a header '.repeat(99)),
    ],
  ])('is kept in memory where its file is %s, with a warning', (_, make) => {
    const folder = configFolder({ 'data/x': '' })
    const path = folder.at('data/journal.db')
    make(path)
    const { journal, log } = open(path)
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('in memory') }])
  })

  test('takes nothing more once it is closed, and says nothing of it', () => {
    const { journal, log } = open()
    journal.close()
    journal.record(record(1, 'fabrikam.com', failed))
    expect(log.lines).toEqual([])
  })
})
