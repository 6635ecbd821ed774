import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Announcements } from '../../src/routing/announcements.ts'
import { bare, memoryContacts } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'

const local = domain('contoso.com')
const remote = domain('fabrikam.com')
const pair = { local, remote }

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
})

/** Announcements to that many subscribers of one user, and to one of a user of another domain. */
function announcements(subscribers: number) {
  const { subscriptions, settle } = memoryContacts()
  for (let i = 0; i < subscribers; i++) {
    subscriptions.keep(bare('romeo@contoso.com'), bare(`${i}@fabrikam.com`))
  }
  subscriptions.keep(bare('romeo@other.example'), bare('juliet@fabrikam.com'))
  settle()
  const told: string[] = []
  const room = { is: true }
  const announcing = new Announcements(
    subscriptions,
    () => room.is,
    (_, user, subscriber) => told.push(`${user} ${subscriber}`),
  )
  onTestFinished(() => announcing.stop())
  return { announcing, told, room, subscriptions, settle }
}

describe('an announcement', () => {
  test('begins when the server inside has had time to tell who is online, and reaches everybody once', () => {
    const { announcing, told } = announcements(3)
    announcing.begin(pair)
    vi.advanceTimersByTime(999)
    expect(told).toEqual([])
    vi.advanceTimersByTime(1)
    expect(told).toEqual([0, 1, 2].map(i => `romeo@contoso.com ${i}@fabrikam.com`))
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is made to some at a time', () => {
    const { announcing, told } = announcements(120)
    announcing.begin(pair)
    const steps = [1000, 250, 250, 250].map(ms => {
      vi.advanceTimersByTime(ms)
      return told.length
    })
    expect(steps).toEqual([50, 100, 120, 120])
    expect(new Set(told).size).toBe(120)
  })

  test('waits for a partner that has no room, and leaves out who has gone meanwhile', () => {
    const { announcing, told, room, subscriptions, settle } = announcements(51)
    announcing.begin(pair)
    vi.advanceTimersByTime(1000)
    room.is = false
    vi.advanceTimersByTime(10_000)
    expect(told).toHaveLength(50)
    subscriptions.end(bare('romeo@contoso.com'), bare('50@fabrikam.com'))
    settle()
    room.is = true
    vi.advanceTimersByTime(250)
    expect(told).toHaveLength(50)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('begins again with a new one, and ends with the privilege', () => {
    const { announcing, told } = announcements(60)
    announcing.begin(pair)
    vi.advanceTimersByTime(1000)
    announcing.begin(pair)
    vi.advanceTimersByTime(1000)
    expect(told[50]).toBe('romeo@contoso.com 0@fabrikam.com')
    announcing.end(pair)
    vi.advanceTimersByTime(10_000)
    expect(told).toHaveLength(100)
  })

  test('is not made any more when the gateway stops', () => {
    const { announcing, told } = announcements(1)
    announcing.begin(pair)
    announcing.stop()
    announcing.begin(pair)
    expect(vi.getTimerCount()).toBe(0)
    expect(told).toEqual([])
  })
})
