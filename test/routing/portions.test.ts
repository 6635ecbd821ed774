import { describe, expect, test } from 'vitest'
import { bare, memoryContacts } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'
import { gone, granted, offline, online, romeo, told } from '../support/presence-scene.ts'
import { fromInside } from '../support/relay-scene.ts'

const pair = 'out contoso.com fabrikam.com'

/** 1200 users of fabrikam.com see romeo; turns do not end by themselves. */
function crowded() {
  const contacts = memoryContacts()
  for (let i = 0; i < 1200; i++) {
    contacts.subscriptions.keep(bare(romeo), bare(`${i}@fabrikam.com`))
    contacts.settle()
  }
  const scene = granted(contacts)
  scene.together = true
  return { scene, contacts }
}

describe('a presence that many see', () => {
  test('is told some at a time, and the next one of that partner behind it', () => {
    const { scene } = crowded()
    fromInside(scene, online('desk'))
    fromInside(scene, offline('desk'))
    const first = told(scene)
    expect(first.length).toBeLessThanOrEqual(500)
    expect(first[0]).toBe(online('desk', '0@fabrikam.com'))
    const all = [...first]
    for (let turn = 0; turn < 6; turn++) {
      scene.endTurn()
      const more = told(scene)
      expect(more.length).toBeLessThanOrEqual(500)
      all.push(...more)
    }
    const users = Array.from({ length: 1200 }, (_, i) => `${i}@fabrikam.com`)
    expect(all).toEqual([
      ...users.map(user => online('desk', user)),
      ...users.map(user => offline('desk', user)),
    ])
  })

  test('is dropped for all who are left once the partner takes no more', () => {
    const { scene } = crowded()
    fromInside(scene, online('desk'))
    const toldFirst = told(scene).length
    scene.full.add(pair)
    scene.endTurn()
    expect([told(scene).length, scene.relay.droppedPresences]).toEqual([0, 1200 - toldFirst])
    scene.full.delete(pair)
    scene.endTurn()
    expect(told(scene)).toEqual([])
  })

  test('is not told to who has left meanwhile', () => {
    const { scene, contacts } = crowded()
    fromInside(scene, online('desk'))
    contacts.subscriptions.end(bare(romeo), bare('1199@fabrikam.com'))
    contacts.settle()
    for (let turn = 0; turn < 3; turn++) scene.endTurn()
    expect(told(scene)).toHaveLength(1199)
  })

  test('ends some at a time, too, when the component is lost, though it is forgotten', () => {
    const { scene } = crowded()
    fromInside(scene, online('desk'))
    for (let turn = 0; turn < 3; turn++) scene.endTurn()
    told(scene)
    for (const component of ['fabrikam.com', 'adatum.com']) scene.relay.componentLost(domain(component))
    expect(told(scene).length).toBeLessThanOrEqual(500)
    for (let turn = 0; turn < 3; turn++) scene.endTurn()
    expect(told(scene).at(-1)).toBe(gone(`${romeo}/desk`, '1199@fabrikam.com'))
  })
})
