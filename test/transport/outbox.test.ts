import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Outbox } from '../../src/transport/outbox.ts'
import { elementsOf } from '../../src/xml/reader.ts'
import type { Run } from '../../src/xml/run.ts'
import { ns } from '../../src/xmpp/namespaces.ts'

const stanza = (id: string) => `<message id='${id}'/>`
const stanzaBytes = stanza('a').length

function run(...ids: string[]): Run {
  return { bytes: Buffer.from(ids.map(stanza).join(' ')), stanzas: ids.length }
}

function idsOf(held: Run | undefined): string[] {
  return held === undefined ? [] : elementsOf(held.bytes, ns.server).map(({ id }) => id ?? '')
}

function outbox(limits: { stanzas?: number; bytes?: number; waitMs?: () => number } = {}) {
  const overdue: string[][] = []
  const { stanzas = 10, bytes = 1000, waitMs = () => 100 } = limits
  const box = new Outbox(
    ns.server,
    () => ({ stanzas, bytes, waitMs: waitMs() }),
    late => overdue.push(idsOf(late)),
  )
  return { box, overdue }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('an outbox', () => {
  test.each([
    ['stanzas', { stanzas: 2 }],
    ['bytes', { bytes: 2 * stanzaBytes }],
  ])('is full at its limit of %s', (_, limits) => {
    const { box } = outbox(limits)
    const isFull = ['a', 'b'].map(id => {
      box.hold(run(id))
      return box.isFull
    })
    expect(isFull).toEqual([false, true])
    box.takeAll()
    expect(box.isFull).toBe(false)
  })

  test('tells how long each of its stanzas has waited', () => {
    const { box } = outbox()
    expect([box.oldestMs, box.waitsMs]).toEqual([0, []])
    box.hold(run('a', 'b'))
    vi.advanceTimersByTime(30)
    box.hold(run('c'))
    vi.advanceTimersByTime(12)
    expect([box.oldestMs, box.waitsMs]).toEqual([42, [42, 42, 12]])
    vi.advanceTimersByTime(60) // the first two are overdue now
    expect([box.oldestMs, box.waitsMs]).toEqual([72, [72]])
    box.takeAll()
    expect([box.oldestMs, box.waitsMs]).toEqual([0, []])
  })

  test('gives everything back in order, once', () => {
    const { box } = outbox()
    expect([box.hold(run('a', 'b')), box.hold(run('c'))]).toEqual([undefined, undefined])
    expect(box.size).toBe(3)
    const taken = box.takeAll()
    expect(taken?.stanzas).toBe(3)
    expect(idsOf(taken)).toEqual(['a', 'b', 'c'])
    expect([box.size, box.takeAll()]).toEqual([0, undefined])
  })

  test('keeps what is relayed apart from the gateway’s own words, by kind', () => {
    const { box } = outbox()
    box.hold({
      bytes: Buffer.from(`${stanza('a')}<iq id='b'/>`),
      stanzas: 2,
      kinds: { message: 1, presence: 0, iq: 1 },
    })
    box.hold(run('an error of ours'))
    expect(box.takeAll()).toMatchObject({ stanzas: 3, kinds: { message: 1, presence: 0, iq: 1 } })
  })

  test('keeps copies: the buffer of a read is not kept for one stanza in it', () => {
    const { box } = outbox()
    const bytes = Buffer.from(stanza('a'))
    box.hold({ bytes, stanzas: 1 })
    bytes.fill(0)
    expect(idsOf(box.takeAll())).toEqual(['a'])
  })

  test.each([
    ['stanzas', { stanzas: 2 }],
    ['bytes', { bytes: 2 * stanzaBytes }],
  ])('has no room beyond its %s, and room again once it was emptied', (_, limits) => {
    const { box } = outbox(limits)
    expect(idsOf(box.hold(run('a', 'b', 'c')))).toEqual(['c'])
    expect(idsOf(box.hold(run('d')))).toEqual(['d'])
    expect(idsOf(box.takeAll())).toEqual(['a', 'b'])
    expect(box.hold(run('e', 'f'))).toBeUndefined()
  })

  test('lets no later stanza of a run in where an earlier one found no room', () => {
    const { box } = outbox({ bytes: 2 * stanzaBytes })
    const long = {
      bytes: Buffer.from(`${stanza('a')}${stanza('long-long-long-long')}${stanza('b')}`),
      stanzas: 3,
    }
    expect(idsOf(box.hold(long))).toEqual(['long-long-long-long', 'b'])
    expect(idsOf(box.takeAll())).toEqual(['a'])
  })

  test('gives each stanza up when its own time is over', () => {
    const { box, overdue } = outbox()
    box.hold(run('a', 'b'))
    vi.advanceTimersByTime(60)
    box.hold(run('c'))
    vi.advanceTimersByTime(39)
    expect(overdue).toEqual([])
    vi.advanceTimersByTime(2)
    expect(overdue).toEqual([['a', 'b']])
    vi.advanceTimersByTime(60)
    expect(overdue).toEqual([['a', 'b'], ['c']])
    expect([box.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  test('has no timer once it was emptied, and gives nothing up that was taken', () => {
    const { box, overdue } = outbox()
    box.hold(run('a'))
    box.takeAll()
    expect(vi.getTimerCount()).toBe(0)
    box.hold(run('b'))
    vi.advanceTimersByTime(99)
    expect(overdue).toEqual([])
    vi.advanceTimersByTime(2)
    expect(overdue).toEqual([['b']])
  })
})
