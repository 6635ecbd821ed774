import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Journal, openJournal } from '../../src/journal.ts'
import { definePartner, partnerList } from '../../src/policy/partner.ts'
import type { AttemptOutcome, AttemptRecord } from '../../src/xmpp/attempt.ts'
import { configFolder } from '../support/config-folder.ts'
import { domain } from '../support/inbound-peer.ts'
import { memoryLog } from '../support/log.ts'

const failed: AttemptOutcome = { is: 'failed', code: 'connect-refused', reason: 'refused' }
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
    started: new Date(number * 1000).toISOString(),
    durationMs: number,
    steps: [],
    outcome,
    closed: null,
  }
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
