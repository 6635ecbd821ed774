import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { GroupCommit } from '../../src/routing/group-commit.ts'
import { HeldRead } from '../../src/routing/held.ts'
import { memoryContacts } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'
import { memoryLog } from '../support/log.ts'
import { approved, asks, both, gone, granted, juliet, romeo, says, told } from '../support/presence-scene.ts'
import { fromInside, fromPartner } from '../support/relay-scene.ts'
import { slicesOf } from '../xml/transcript.ts'

const pair = { local: domain('contoso.com'), remote: domain('fabrikam.com') }

/** A source that is read from, whose stanzas change something where their id says so; `happened` in order. */
function heldScene() {
  const happened: string[] = []
  const turn: (() => void)[] = []
  const settle = () => {
    happened.push('settled')
    return undefined
  }
  const commit = new GroupCommit(settle, memoryLog(), work => turn.push(work))
  const source = (name: string) => {
    const valve = {
      pause: () => happened.push(`${name} paused`),
      resume: () => happened.push(`${name} resumed`),
    }
    const held = new HeldRead<typeof pair, undefined>({ declarations: new Map() }, valve, commit, {
      pass: ({ id }) => {
        if (id === 'broken') throw new Error('broken')
        happened.push(`${name} ${id}`)
      },
      flush: () => {},
    })
    return (...ids: string[]) => {
      for (const id of ids) {
        const [slice] = slicesOf(`<presence id='${id}'/>`)
        held.add(slice!, pair, undefined, id.startsWith('due'))
      }
      held.release()
    }
  }
  const endTurn = () => {
    for (const work of turn.splice(0)) work()
  }
  return { happened, commit, source, endTurn }
}

describe('what has to be on disk first', () => {
  test('is written once for all sources that are read in one turn, each of which keeps its order', () => {
    const { happened, source, endTurn } = heldScene()
    const [a, b] = [source('a'), source('b')]
    a('1', 'due2', '3')
    b('due1')
    a('4', 'due5')
    expect(happened.splice(0)).toEqual(['a 1', 'a paused', 'b paused'])
    endTurn()
    const ofA = ['a due2', 'a 3', 'a 4', 'a due5', 'a resumed']
    expect(happened.splice(0)).toEqual(['settled', ...ofA, 'b due1', 'b resumed'])
    a('6')
    endTurn()
    expect(happened).toEqual(['a 6'])
  })

  test('waits no more once the gateway stops', () => {
    const { happened, commit, source } = heldScene()
    const a = source('a')
    a('due1')
    commit.stop()
    expect(happened.splice(0)).toEqual(['a paused', 'settled', 'a due1', 'a resumed'])
    a('due2', '3')
    expect(happened).toEqual(['a paused', 'settled', 'a due2', 'a 3', 'a resumed'])
  })

  test('holds up nobody else where it fails on its way, and takes none behind it along', () => {
    const { happened, source, endTurn } = heldScene()
    source('a')('due1', 'broken', '3')
    source('b')('due1')
    endTurn()
    expect(happened.slice(2)).toEqual(['settled', 'a due1', 'a 3', 'a resumed', 'b due1', 'b resumed'])
  })
})

describe("a partner's users who subscribe and unsubscribe, each word in a read of its own,", () => {
  test('cost one write a turn', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    scene.together = true
    fromPartner(scene, asks('subscribe'))
    fromPartner(scene, asks('unsubscribe'))
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, says('subscribe', 'nurse@fabrikam.com'))
    expect([told(scene), contacts.settled]).toEqual([[], 0])
    scene.endTurn()
    expect(contacts.settled).toBe(1)
    expect(told(scene)).toEqual([approved(), approved(), says('subscribe', 'nurse@fabrikam.com')])
  })

  test('cause 50 a second, each domain; the requests beyond go inside, and the log says so once', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const scene = granted()
    for (let i = 0; i < 25; i++) fromPartner(scene, asks('subscribe') + asks('unsubscribe'))
    told(scene)
    scene.log.lines.length = 0
    for (let i = 0; i < 3; i++) {
      fromPartner(scene, asks('subscribe'))
      expect(told(scene, 'in')).toEqual([asks('subscribe')])
      vi.advanceTimersByTime(20)
      fromPartner(scene, asks('subscribe', `${i}@fabrikam.com`))
      expect(told(scene)).toEqual([approved(`${i}@fabrikam.com`)])
    }
    expect(scene.log.lines.map(({ level, fields }) => [level, fields])).toEqual([
      ['warn', { remote: 'fabrikam.com', reason: 'too many a second' }],
    ])
    fromPartner(scene, asks('subscribe', 'nurse@adatum.com'))
    expect(told(scene)).toEqual([approved('nurse@adatum.com')])
  })

  test('are heard all the same where they end one', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    const users = Array.from({ length: 40 }, (_, i) => `${i}@fabrikam.com`)
    for (const user of users) fromPartner(scene, asks('subscribe', user))
    for (const user of users) fromPartner(scene, asks('unsubscribe', user))
    expect(contacts.subscriptions.size).toBe(0)
  })
})

describe('what waits for the disk', () => {
  test('comes before the loss of the stream that it came on', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe'))
    told(scene)
    scene.together = true
    const desk = `<presence ${both(`${romeo}/desk`, 'fabrikam.com')}/>`
    fromInside(scene, says('subscribe', 'nurse@fabrikam.com') + desk)
    scene.relay.componentLost(pair.remote)
    expect(told(scene)).toEqual([
      says('subscribe', 'nurse@fabrikam.com'),
      `<presence ${both(`${romeo}/desk`, juliet)}/>`,
      gone(`${romeo}/desk`),
    ])
  })
})
