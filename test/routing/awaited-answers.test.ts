import { describe, expect, test } from 'vitest'
import { AwaitedAnswers } from '../../src/routing/awaited-answers.ts'

const minuteMs = 60_000
const romeo = 'romeo@contoso.com/orchard'
const juliet = 'juliet@fabrikam.com/balcony'

function scene() {
  let now = 0
  const answers = new AwaitedAnswers(() => now)
  return {
    asks: (id: string | undefined, to: string = juliet) =>
      answers.expect({ name: 'iq', type: 'get', from: romeo, to, id }),
    isAnswered: (id: string | undefined, from: string = juliet, to: string = romeo) =>
      answers.take({ name: 'iq', type: 'result', from, to, id }),
    passes: (ms: number) => {
      now += ms
    },
  }
}

describe('an answer', () => {
  test('is awaited once', () => {
    const { asks, isAnswered } = scene()
    asks('1')
    expect([isAnswered('1'), isAnswered('1')]).toEqual([true, false])
  })

  test('is known by the whole of a long id', () => {
    const { asks, isAnswered } = scene()
    const long = 'i'.repeat(10_000)
    asks(`${long}1`)
    expect([isAnswered(`${long}2`), isAnswered(`${long}1`)]).toEqual([false, true])
  })

  test('is known by its addresses however they are written', () => {
    const { asks, isAnswered } = scene()
    asks('1', 'Juliet@FABRIKAM.com/balcony')
    expect(isAnswered('1', 'juliet@fabrikam.com/balcony', 'ROMEO@contoso.com/orchard')).toBe(true)
  })

  test.each([
    ['another id', '2', juliet, romeo],
    ['no id', undefined, juliet, romeo],
    ['another resource', '1', 'juliet@fabrikam.com/garden', romeo],
    ['the bare address', '1', 'juliet@fabrikam.com', romeo],
    ['somebody else', '1', 'nurse@fabrikam.com/balcony', romeo],
    ['her server', '1', 'fabrikam.com', romeo],
    ['her to another resource of his', '1', juliet, 'romeo@contoso.com/street'],
    ['her to somebody else', '1', juliet, 'benvolio@contoso.com/orchard'],
  ])('is none where it comes with or from %s', (_, id, from, to) => {
    const { asks, isAnswered } = scene()
    asks('1')
    expect(isAnswered(id, from, to)).toBe(false)
    expect(isAnswered('1')).toBe(true)
  })

  test('is awaited for 10 minutes (contract §9)', () => {
    const { asks, isAnswered, passes } = scene()
    asks('1')
    asks('2')
    passes(10 * minuteMs - 1)
    expect(isAnswered('1')).toBe(true)
    passes(1)
    expect(isAnswered('2')).toBe(false)
  })

  test('is awaited from the last time on that it was asked for', () => {
    const { asks, isAnswered, passes } = scene()
    asks('1')
    passes(9 * minuteMs)
    asks('1')
    passes(9 * minuteMs)
    asks('2')
    expect(isAnswered('1')).toBe(true)
  })

  test('is given up, the oldest first, where too many are awaited', () => {
    const { asks, isAnswered } = scene()
    for (let i = 0; i <= 50_000; i++) asks(String(i))
    expect([isAnswered('0'), isAnswered('1'), isAnswered('50000')]).toEqual([false, true, true])
  })
})
