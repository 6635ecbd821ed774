import { renameSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { partnerList } from '../../src/policy/partner.ts'
import { asked, claim, failed, good, numbersOf, openTestJournal, record } from '../support/attempts.ts'
import { domain } from '../support/inbound-peer.ts'

describe('the journal', () => {
  test('has the newest attempts of a partner, under whichever of its domains; a restart takes none', () => {
    const { journal, path } = openTestJournal()
    journal.record(record(1, 'fabrikam.com', failed))
    journal.record(record(2, 'corp.fabrikam.com', good))
    expect(numbersOf(journal, 'corp.fabrikam.com')).toEqual([2, 1])
    journal.record(record(3, 'fabrikam.com', good))
    journal.close()
    expect(numbersOf(openTestJournal(path).journal, 'fabrikam.com')).toEqual([3, 2, 1])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('begins another file where its own is moved away, and says so', () => {
    const { journal, path, log } = openTestJournal()
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    renameSync(path, `${path}.old`)
    journal.record(record(2, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([2])
    expect(log.lines.map(({ message }) => message)).toEqual([
      'the journal of attempts was moved away; another one is begun',
    ])
    journal.close()
    expect(numbersOf(openTestJournal(path).journal, 'fabrikam.com')).toEqual([2])
  })

  test('has no more of a partner than 400 of a kind, however many pairs of domains there are', () => {
    const { journal, current } = openTestJournal()
    for (let number = 0; number < 300; number += 1) current.domains.add(domain(`d${number}.contoso.com`))
    for (let number = 0; number < 1200; number += 1) {
      const local = domain(`d${number % 300}.contoso.com`)
      journal.record(record(number, 'fabrikam.com', failed, { direction: 'out', local }))
    }
    expect(numbersOf(journal, 'fabrikam.com')).toHaveLength(400)
  })

  test('takes the end of a stream into the attempt that it had', () => {
    const { journal } = openTestJournal()
    const attempt = record(1, 'fabrikam.com', good)
    journal.record(attempt)
    expect(journal.list(domain('fabrikam.com'), 9)).toEqual([attempt])
    const closed = { at: attempt.started, side: 'network', code: 'connection-lost', reason: '' } as const
    journal.record({ ...attempt, closed })
    expect(journal.list(domain('fabrikam.com'), 9)).toEqual([{ ...attempt, closed }])
  })

  test('keeps 40 failures and 10 successes; neither washes the other away', () => {
    const { journal } = openTestJournal()
    for (let number = 1; number <= 60; number += 1) {
      journal.record(record(number, 'fabrikam.com', failed))
      journal.record(record(100 + number, 'fabrikam.com', good))
      if (number === 30) journal.list(undefined, 1) // written in two batches
    }
    const numbers = numbersOf(journal, 'fabrikam.com')
    expect(numbers.filter(number => number > 100)).toEqual(Array.from({ length: 10 }, (_, at) => 160 - at))
    expect(numbers.filter(number => number < 100)).toEqual(Array.from({ length: 40 }, (_, at) => 60 - at))
  })

  test('keeps the last failure of each pair of domains, and the last success, through those of another', () => {
    const { journal } = openTestJournal()
    const out = { direction: 'out' } as const
    journal.record(record(1, 'corp.fabrikam.com', good, out))
    journal.record(record(2, 'corp.fabrikam.com', failed, out))
    for (let number = 100; number < 300; number += 1) {
      journal.record(record(number, 'fabrikam.com', number % 2 === 0 ? failed : good, out))
      if (number % 50 === 0) journal.list(undefined, 1)
    }
    const numbers = numbersOf(journal, 'fabrikam.com')
    expect(numbers.slice(-2)).toEqual([2, 1])
    expect(numbers).toHaveLength(40 + 10)
  })

  test('has a stream that failed in the end as the newest failure, however long it was up', () => {
    const { journal } = openTestJournal()
    const long = record(1, 'fabrikam.com', good)
    journal.record(long)
    for (let number = 2; number < 100; number += 1) journal.record(record(number, 'fabrikam.com', failed))
    journal.list(undefined, 1)
    const lost = {
      at: new Date(100_000).toISOString(),
      side: 'network',
      code: 'connection-lost',
      reason: '',
    } as const
    journal.record({ ...long, closed: lost })
    journal.list(undefined, 1)
    expect(numbersOf(journal, 'fabrikam.com').at(-1)).toBe(1)
    expect(numbersOf(journal, 'fabrikam.com')).toHaveLength(40)
  })

  test('keeps a partner’s attempts through a flood in its own name that proves nothing: 20 of that, 3 of one source', () => {
    const { journal } = openTestJournal()
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

  test('has room for what comes last while all room is taken up by one who proves nothing', () => {
    const { journal } = openTestJournal()
    journal.record(record(1, 'fabrikam.com', failed))
    for (let number = 1000; number < 4000; number += 1) journal.record(claim(number, '192.0.2.1'))
    journal.record(claim(4000, '192.0.2.2'))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([4000, 3999, 3998, 3997, 1])
  })

  test('keeps a partner’s attempts through the questions about keys that strangers make us ask', () => {
    const { journal } = openTestJournal()
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
    const { journal, current } = openTestJournal()
    journal.record(record(1, 'fabrikam.com', failed))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
    current.partners = partnerList([])
    journal.keepPartners()
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([])
  })

  test('takes nothing more once it is closed, and says nothing of it', () => {
    const { journal, log } = openTestJournal()
    journal.close()
    journal.record(record(1, 'fabrikam.com', failed))
    expect(log.lines).toEqual([])
  })
})
