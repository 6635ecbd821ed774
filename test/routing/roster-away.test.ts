import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryContacts } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'
import { fromInside, fromPartner, relayScene, type Scene } from '../support/relay-scene.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com'
const nurse = 'nurse@fabrikam.com'
const fabrikam = domain('fabrikam.com')
const both = (from: string, to: string) => `from='${from}' to='${to}'`
const message = (id: number, from = juliet) => `<message ${both(from, romeo)} id='${id}'/>`
const subscribe = (from: string) => `<presence ${both(from, romeo)} type='subscribe' id='s'/>`
const advertisement = (type: string) =>
  `<message ${both('contoso.com', 'fabrikam.com')}><privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='${type}'/></privilege></message>`
const passed = (id: number, from = juliet) => `in fabrikam.com: ${message(id, from)}`
const error = (id: number, condition: string) =>
  expect.stringMatching(
    `^out contoso.com fabrikam.com: <message type='error' .* id='${id}'><error type='[a-z]+'><${condition} `,
  )

afterEach(() => {
  vi.useRealTimers()
})

/** A relay whose inside lets rosters be read, and has told romeo's. */
function told(...contacts: readonly string[]): Scene {
  vi.useFakeTimers()
  const scene = relayScene({ 'fabrikam.com': 'publicUnverified' }, memoryContacts(`${romeo} ${nurse}`))
  onTestFinished(() => scene.relay.stop())
  scene.relay.componentUp(fabrikam)
  fromInside(scene, advertisement('get'))
  fromPartner(scene, message(0))
  answers(scene, ...contacts)
  scene.sent.length = 0
  return scene
}

/** Answers the last question for a roster. */
function answers(scene: Scene, ...contacts: readonly string[]): void {
  const id = /id='(roster-[^']*)'/.exec(scene.sent.at(-1) ?? '')?.[1]
  const items = contacts.map(jid => `<item jid='${jid}' subscription='both'/>`).join('')
  const query = `<query xmlns='jabber:iq:roster'>${items}</query>`
  fromInside(scene, `<iq type='result' id='${id}' ${both(romeo, 'fabrikam.com')}>${query}</iq>`)
}

const sent = (scene: Scene) => scene.sent.splice(0)

describe('while the component is away', () => {
  test('the roster that was told last authorises, and nobody is refused for want of another', () => {
    const scene = told(juliet)
    scene.relay.componentLost(fabrikam)
    vi.advanceTimersByTime(3_600_000)
    fromPartner(scene, message(1) + message(2, nurse) + subscribe(nurse) + subscribe(juliet))
    expect(sent(scene)).toEqual([
      error(2, 'remote-server-timeout'),
      passed(1),
      `in fabrikam.com: ${subscribe(juliet)}`,
    ])
  })

  test('where none was told, what was learned authorises', () => {
    const scene = told(juliet)
    fromInside(scene, `<presence ${both(romeo, 'peter@fabrikam.com')} type='subscribe'/>`)
    sent(scene)
    scene.relay.componentLost(fabrikam)
    fromPartner(scene, message(1) + message(2, nurse) + subscribe(juliet))
    expect(sent(scene)).toEqual([error(1, 'remote-server-timeout'), passed(2, nurse)])
  })

  test('an operator’s word holds', () => {
    const scene = told()
    scene.relay.componentLost(fabrikam)
    vi.advanceTimersByTime(60_000)
    const { contacts } = scene
    contacts.known.set(`${romeo} ${juliet}`, 0)
    contacts.allowed.add(`${romeo} ${juliet}`)
    fromPartner(scene, message(1))
    expect(sent(scene)).toEqual([passed(1)])
  })

  test('and until the server has had the time to grant it again, however often it goes', () => {
    const scene = told(juliet)
    for (let time = 0; time < 3; time++) {
      scene.relay.componentLost(fabrikam)
      vi.advanceTimersByTime(60_000)
      scene.relay.componentUp(fabrikam)
      vi.advanceTimersByTime(4_999)
    }
    fromPartner(scene, message(1) + message(2, nurse))
    expect(sent(scene)).toEqual([error(2, 'remote-server-timeout'), passed(1)])
    vi.advanceTimersByTime(1)
    fromPartner(scene, message(3) + message(4, nurse))
    expect(sent(scene)).toEqual([error(3, 'forbidden'), passed(4, nurse)])
    scene.relay.componentLost(fabrikam)
    fromPartner(scene, message(5))
    expect(sent(scene)).toEqual([error(5, 'forbidden')])
  })

  test('but where the grant was taken back before, as without it', () => {
    const scene = told(juliet)
    fromInside(scene, advertisement('none'))
    scene.relay.componentLost(fabrikam)
    fromPartner(scene, message(1))
    expect(sent(scene)).toEqual([error(1, 'forbidden')])
  })
})

test('once it is back, the roster is asked for', () => {
  const scene = told(juliet)
  scene.relay.componentLost(fabrikam)
  vi.advanceTimersByTime(60_000)
  scene.relay.componentUp(fabrikam)
  fromInside(scene, advertisement('get'))
  fromPartner(scene, message(1) + message(2, nurse))
  answers(scene, nurse)
  expect(sent(scene).slice(1)).toEqual([error(1, 'forbidden'), passed(2, nurse)])
})

test('but not so soon where the component was lost on the answer, whatever comes', () => {
  const scene = told(juliet)
  vi.advanceTimersByTime(60_000)
  fromPartner(scene, message(1))
  sent(scene)
  scene.relay.componentLost(fabrikam)
  expect(sent(scene)).toEqual([passed(1)])
  fromInside(scene, advertisement('get'))
  fromInside(scene, `<presence ${both(romeo, 'peter@fabrikam.com')} type='subscribe'/>`)
  vi.advanceTimersByTime(299_999)
  sent(scene)
  fromPartner(scene, message(2) + message(3, nurse))
  expect(sent(scene)).toEqual([error(2, 'remote-server-timeout'), passed(3, nurse)])
  vi.advanceTimersByTime(1)
  fromPartner(scene, message(4))
  answers(scene, juliet)
  expect(sent(scene).slice(1)).toEqual([passed(4)])
})

test('a roster that was told once outlives an answer that does not come', () => {
  const scene = told(juliet)
  vi.advanceTimersByTime(60_000)
  fromPartner(scene, message(1) + message(2, nurse))
  sent(scene)
  vi.advanceTimersByTime(5000)
  expect(sent(scene)).toEqual([error(2, 'remote-server-timeout'), passed(1)])
  vi.advanceTimersByTime(5000)
  fromPartner(scene, message(3))
  answers(scene)
  expect(sent(scene).slice(1)).toEqual([error(3, 'forbidden')])
})
