import { describe, expect, test } from 'vitest'
import { AwaitedAnswers } from '../../src/routing/awaited-answers.ts'

const minuteMs = 60_000
const romeo = 'romeo@contoso.com/orchard'
const juliet = 'juliet@fabrikam.com/balcony'

function scene() {
  let now = 0
  const answers = new AwaitedAnswers(() => now)
  return {
    asks: (id: string | undefined, to: string = juliet, from: string = romeo) =>
      answers.expect({ name: 'iq', type: 'get', from, to, id }),
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

  test('is given up, the oldest of its asker first, where he awaits too many', () => {
    const { asks, isAnswered } = scene()
    asks('b', juliet, 'benvolio@contoso.com/street')
    for (let i = 0; i <= 2_000; i++) asks(String(i))
    expect([isAnswered('0'), isAnswered('1'), isAnswered('2000')]).toEqual([false, true, true])
    expect(isAnswered('b', juliet, 'benvolio@contoso.com/street')).toBe(true)
  })

  test('is given up, of the one who has not asked for longest first, where all await too many', () => {
    const { asks, isAnswered } = scene()
    const user = (i: number) => `u${i}@contoso.com/x`
    for (let i = 0; i < 50_000; i++) asks(String(i), juliet, user(i % 50))
    asks('50000', juliet, user(0))
    asks('last', juliet, user(51))
    expect(isAnswered('0', juliet, user(0))).toBe(true)
    expect([1, 51, 101].map(i => isAnswered(String(i), juliet, user(1)))).toEqual([false, false, true])
    expect(isAnswered('2', juliet, user(2))).toBe(true)
  })
})
