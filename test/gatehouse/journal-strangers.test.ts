import { describe, expect, test } from 'vitest'
import { claim, failed, from, good, numbersOf, openTestJournal, record } from '../support/attempts.ts'

const ofStranger = (number: number, address: string, name = 'scanner.example') =>
  claim(number, address, failed, name)

/** So many, some of them written before the others come. */
function flood(many: number, send: (number: number) => void, look: () => void): void {
  for (let number = 0; number < many; number += 1) {
    send(number)
    if (number % 400 === 399) look()
  }
}

describe('a stranger of the journal', () => {
  test('is not washed out by another one, who has 10 attempts whatever names he gives', () => {
    const { journal } = openTestJournal()
    const look = () => journal.list(undefined, 1)
    journal.record(ofStranger(1, '192.0.2.7', 'newpartner.example'))
    look()
    flood(1000, at => journal.record(ofStranger(1000 + at, '198.51.100.1')), look)
    flood(1000, at => journal.record(ofStranger(3000 + at, '198.51.100.1', `s${at}.example`)), look)
    expect(numbersOf(journal, 'newpartner.example')).toEqual([1])
    expect(numbersOf(journal, 's999.example')).toEqual([3999])
    expect(journal.list(undefined, 10_000)).toHaveLength(11)
  })

  test('has 10 attempts under one name, from however many places', () => {
    const { journal } = openTestJournal()
    const look = () => journal.list(undefined, 1)
    journal.record(ofStranger(1, '192.0.2.7', 'newpartner.example'))
    flood(1000, at => journal.record(ofStranger(1000 + at, `198.51.${at >> 8}.${at & 255}`)), look)
    expect(numbersOf(journal, 'newpartner.example')).toEqual([1])
    expect(numbersOf(journal, 'scanner.example')).toEqual(Array.from({ length: 10 }, (_, at) => 1999 - at))
  })

  test('is there as long as 200 others, a partner longer', () => {
    const { journal } = openTestJournal()
    const look = () => journal.list(undefined, 1)
    journal.record(record(1, 'fabrikam.com', failed))
    flood(
      3000,
      at => journal.record(ofStranger(1000 + at, `198.51.${at >> 8}.${at & 255}`, `s${at}.example`)),
      look,
    )
    expect(journal.list(undefined, 10_000)).toHaveLength(201)
    expect(numbersOf(journal, 's2999.example')).toEqual([3999])
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1])
  })
})

describe('an attempt of a partner that proves nothing', () => {
  test('is not washed out from a single network of IPv6, a /48', () => {
    const { journal } = openTestJournal()
    journal.record(claim(1, '203.0.113.9'))
    journal.list(undefined, 1)
    for (let at = 0; at < 100; at += 1) journal.record(claim(1000 + at, `2001:db8:0:${at.toString(16)}::1`))
    expect(numbersOf(journal, 'fabrikam.com')).toEqual([1099, 1098, 1097, 1])
  })

  test('is not washed out at all where it comes from where the partner has proven itself, also before a restart', () => {
    const before = openTestJournal()
    before.journal.record(record(1, 'fabrikam.com', good, { steps: [from('203.0.113.9')] }))
    before.journal.close()
    const { journal } = openTestJournal(before.path)
    const look = () => journal.list(undefined, 1)
    journal.record(claim(2, '203.0.113.9'))
    journal.record(record(3, 'fabrikam.com', good, { steps: [from('2001:db8::1')] }))
    journal.record(claim(4, '2001:db8::2'))
    flood(1000, at => journal.record(claim(1000 + at, `198.51.${at >> 8}.${at & 255}`)), look)
    const numbers = numbersOf(journal, 'fabrikam.com')
    expect(numbers.slice(-4)).toEqual([4, 3, 2, 1])
    expect(numbers).toHaveLength(20 + 4)
  })
})
