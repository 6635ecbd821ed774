import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openContacts } from '../src/contacts.ts'
import { behind, connectionOf, newFile } from './support/contact-store.ts'
import { bare } from './support/contacts.ts'
import { memoryLog } from './support/log.ts'

const romeo = bare('romeo@contoso.com')
const juliet = bare('juliet@fabrikam.com')
const nurse = bare('nurse@fabrikam.com')
const failing = 'contacts cannot be stored; until that is mended no more of them are authorised'
const mended = 'contacts can be stored again'

/** The contacts of a gateway, whose disk can be full; `waits` lets so many seconds pass. */
function scene() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const path = newFile()
  const log = memoryLog()
  const { opened, connection } = connectionOf(() => openContacts(path, log, () => 100))
  const close = () => {
    if (connection.isOpen) opened.close()
  }
  onTestFinished(close)
  return {
    contacts: opened,
    disk: (is: 'full' | 'sound') => connection.exec(`PRAGMA query_only = ${is === 'full'}`),
    says: (word: 'subscribe' | 'unsubscribed', remote = juliet) => {
      opened.learn(romeo, remote, word)
      return opened.settle()
    },
    waits: (seconds: number) => vi.advanceTimersByTime(seconds * 1000),
    told: () => log.lines.map(({ message }) => message),
    kept: () => {
      close()
      return behind(path, 'SELECT remote FROM contact').map(({ remote }) => remote)
    },
  }
}

describe('an authorisation that ends while the disk takes nothing', () => {
  test('is written once it does, and not again', () => {
    const { contacts, says, disk, waits, told, kept } = scene()
    says('subscribe')
    disk('full')
    expect(says('unsubscribed')).toBeInstanceOf(Error)
    waits(60)
    expect([contacts.owed, contacts.has(romeo, juliet), told()]).toEqual([1, false, [failing]])
    disk('sound')
    waits(15)
    expect([contacts.owed, told()]).toEqual([0, [failing, mended]])
    expect(says('subscribe')).toBeUndefined() // what was owed would end it
    expect(says('subscribe', nurse)).toBeUndefined()
    expect(kept()).toEqual([juliet, nurse])
  })

  test('is written with the next change that can be', () => {
    const { contacts, says, disk, told, kept } = scene()
    says('subscribe')
    disk('full')
    says('unsubscribed')
    disk('sound')
    expect(says('subscribe', nurse)).toBeUndefined()
    expect([contacts.owed, told()]).toEqual([0, [failing, mended]])
    expect(kept()).toEqual([nurse])
  })
})

describe('a disk that takes nothing', () => {
  test('is told of once, and so is its mending, where nothing is owed, too', () => {
    const { contacts, says, disk, waits, told } = scene()
    disk('full')
    for (const who of [juliet, nurse]) expect(says('subscribe', who)).toBeInstanceOf(Error)
    waits(60)
    expect([contacts.owed, told()]).toEqual([0, [failing]])
    disk('sound')
    waits(15)
    expect(told()).toEqual([failing, mended])
    disk('full')
    says('subscribe')
    expect(told()).toEqual([failing, mended, failing])
  })

  test('is not mended where nothing was written', () => {
    const { contacts, says, disk, told } = scene()
    disk('full')
    says('subscribe')
    for (const word of ['subscribe', 'unsubscribed'] as const) contacts.learn(romeo, nurse, word)
    expect([contacts.settle(), contacts.settle()]).toEqual([undefined, undefined])
    expect(told()).toEqual([failing])
  })

  test('is mended where an operator has changed something', () => {
    const { contacts, says, disk, told, kept } = scene()
    says('subscribe')
    disk('full')
    says('unsubscribed')
    disk('sound')
    contacts.allow(romeo, nurse, { operator: 'root' })
    contacts.settle()
    expect([contacts.owed, told()]).toEqual([0, [failing, mended]])
    expect(kept()).toEqual([nurse])
  })
})
