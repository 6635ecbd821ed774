import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PartnerType } from '../../src/policy/partner.ts'
import type { Run } from '../../src/xml/run.ts'
import { memoryContacts } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'
import { fromInside, fromPartner, relayScene, type Scene } from '../support/relay-scene.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com'
const types: Record<string, PartnerType> = {
  'fabrikam.com': 'publicUnverified',
  'adatum.com': 'publicUnverified',
}
const both = (from: string, to: string) => `from='${from}' to='${to}'`
const message = (id: number, from = juliet, to = romeo) => `<message ${both(from, to)} id='${id}'/>`
const advertisement = (component: string, type = 'get') =>
  `<message ${both('contoso.com', component)}><privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='${type}'/></privilege></message>`
const item = (jid: string, subscription = 'both') => `<item jid='${jid}' subscription='${subscription}'/>`
const query = (items: string) => `<query xmlns='jabber:iq:roster'>${items}</query>`
const error = (condition: string) =>
  `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`

afterEach(() => {
  vi.useRealTimers()
})

/** A relay whose inside lets both components read rosters. */
function granted(contacts = memoryContacts(), partners = types): Scene {
  const scene = relayScene(partners, contacts)
  onTestFinished(() => scene.relay.stop())
  for (const component of ['fabrikam.com', 'adatum.com'])
    fromInside(scene, advertisement(component), component)
  return scene
}

/** What was sent since the last time. */
const sent = (scene: Scene) => scene.sent.splice(0)

/** Takes the one query that was sent. */
function asked(scene: Scene, of = romeo, component = 'fabrikam.com'): string {
  const all = sent(scene)
  expect(all).toEqual([
    expect.stringMatching(
      `^in ${component}: <iq type='get' id='roster-[0-9a-f]{32}-[0-9]+' from='${component}' to='${of}'><query xmlns='jabber:iq:roster'/></iq>$`,
    ),
  ])
  return /id='([^']*)'/.exec(all[0]!)![1]!
}

/** The server inside answers. */
function answers(scene: Scene, id: string, content: string, of = romeo, type = 'result'): void {
  fromInside(scene, `<iq type='${type}' id='${id}' ${both(of, 'fabrikam.com')}>${content}</iq>`)
}

const refused = (id: number) =>
  expect.stringMatching(`^out contoso.com fabrikam.com: <message type='error' .* id='${id}'>`)

describe('where the inside lets rosters be read, the roster decides', () => {
  test.each([
    ['is in it', item('JULIET@fabrikam.com'), true],
    ['is in it without a subscription', item(juliet, 'none'), false],
    ['is not in it', item('nurse@fabrikam.com'), false],
  ])('for one who %s', (_, items, isHeard) => {
    const scene = granted()
    fromPartner(scene, message(1))
    answers(scene, asked(scene), query(items))
    expect(sent(scene)).toEqual([isHeard ? `in fabrikam.com: ${message(1)}` : refused(1)])
    fromPartner(scene, message(2))
    expect(sent(scene)).toEqual([isHeard ? `in fabrikam.com: ${message(2)}` : refused(2)])
  })

  test('and not what was learned, but an operator’s word besides', () => {
    const contacts = memoryContacts(`${romeo} ${juliet}`)
    // Two an operator has allowed, whatever the user has said besides; Peter has unsubscribed himself, and Tybalt was thrown out.
    const [nurse, paris, peter, tybalt] = ['nurse', 'paris', 'peter', 'tybalt'].map(
      name => `${name}@fabrikam.com`,
    )
    for (const jid of [nurse, peter]) contacts.known.set(`${romeo} ${jid}`, 0)
    contacts.known.set(`${romeo} ${paris}`, 3)
    for (const jid of [nurse, paris, tybalt]) contacts.allowed.add(`${romeo} ${jid}`)
    const scene = granted(contacts)
    const stanzas = [juliet, nurse, paris, peter, tybalt].map((from, at) => message(at + 1, from))
    fromPartner(scene, stanzas.join(''))
    answers(scene, asked(scene), query(''))
    const passed = `in fabrikam.com: ${stanzas[1]}${stanzas[2]}`
    expect(sent(scene)).toEqual([refused(1), refused(4), refused(5), passed])
  })

  test.each(['item-not-found', 'service-unavailable'])('alike for one who does not exist: %s', condition => {
    const scene = granted()
    fromPartner(scene, message(1, juliet, 'nobody@contoso.com'))
    answers(scene, asked(scene, 'nobody@contoso.com'), error(condition), 'nobody@contoso.com', 'error')
    fromPartner(scene, message(2, juliet, 'nobody@contoso.com'))
    expect(sent(scene)).toEqual([refused(1), refused(2)])
  })

  test('but is not asked for a federated partner, nor for a domain itself, nor without the right', () => {
    const federated = granted(memoryContacts(), { ...types, 'fabrikam.com': 'federated' })
    fromPartner(federated, message(1))
    expect(sent(federated)).toEqual([`in fabrikam.com: ${message(1)}`])
    const scene = granted()
    fromPartner(scene, message(1, juliet, 'contoso.com'))
    expect(sent(scene)).toEqual([`in fabrikam.com: ${message(1, juliet, 'contoso.com')}`])
    fromInside(scene, advertisement('fabrikam.com', 'none'))
    fromPartner(scene, message(2))
    expect(sent(scene)).toEqual([refused(2)])
  })
})

describe('while a roster is asked for', () => {
  test('everything waits in its order', () => {
    const scene = granted()
    const other = message(2, 'nurse@fabrikam.com')
    fromPartner(scene, message(1) + other + message(3))
    answers(scene, asked(scene), query(item(juliet)))
    expect(sent(scene)).toEqual([
      refused(2),
      `in fabrikam.com: ${message(1)}`,
      `in fabrikam.com: ${message(3)}`,
    ])
  })

  test('others are asked for as well, each once', () => {
    const scene = granted()
    const paris = 'paris@contoso.com'
    fromPartner(scene, message(1) + message(2, juliet, paris) + message(3) + message(4, juliet, paris))
    const questions = sent(scene)
    expect(questions.map(text => / to='([^']*)'/.exec(text)?.[1])).toEqual([romeo, paris])
    const ids = questions.map(text => /id='([^']*)'/.exec(text)![1]!)
    answers(scene, ids[1]!, query(item(juliet)), paris)
    expect(sent(scene)).toEqual([])
    answers(scene, ids[0]!, query(''))
    const passed = [2, 4].map(id => `in fabrikam.com: ${message(id, juliet, paris)}`)
    expect(sent(scene)).toEqual([refused(1), refused(3), ...passed])
  })

  test('and there is no answer in time, no other one is asked for a while', () => {
    vi.useFakeTimers()
    const scene = granted()
    fromPartner(scene, message(1))
    asked(scene)
    vi.advanceTimersByTime(5000)
    sent(scene)
    fromPartner(scene, message(2, juliet, 'paris@contoso.com'))
    expect(sent(scene)).toEqual([refused(2)])
    vi.advanceTimersByTime(5000)
    fromPartner(scene, message(3, juliet, 'paris@contoso.com'))
    asked(scene, 'paris@contoso.com')
  })

  test('others of the same domain wait for the same answer', () => {
    const scene = granted()
    fromPartner(scene, message(1))
    const id = asked(scene)
    fromPartner(scene, message(2, 'nurse@fabrikam.com'))
    expect(sent(scene)).toEqual([])
    answers(scene, id, query(item(juliet)))
    expect(sent(scene)).toEqual([`in fabrikam.com: ${message(1)}`, refused(2)])
  })

  test.each([
    ['there is no answer in time', () => vi.advanceTimersByTime(5000)],
    [
      'the right was taken back',
      (scene: Scene, id: string) => answers(scene, id, error('forbidden'), romeo, 'error'),
    ],
    [
      'the server has trouble of its own',
      (scene: Scene, id: string) => answers(scene, id, error('internal-server-error'), romeo, 'error'),
    ],
    ['the answer brings no roster', (scene: Scene, id: string) => answers(scene, id, '')],
    ['the component is lost', (scene: Scene) => scene.relay.componentLost(domain('fabrikam.com'))],
    ['the gateway stops', (scene: Scene) => scene.relay.stop()],
    [
      'the question comes back',
      (scene: Scene, id: string) => {
        const iq = `<iq type='get' id='${id}' ${both('fabrikam.com', romeo)}>${query('')}</iq>`
        const run: Run = { bytes: Buffer.from(iq), stanzas: 1 }
        scene.relay.bounceOutward(run, { condition: 'remote-server-timeout', text: '' })
      },
    ],
  ])('and %s, what was learned decides', (_, happens) => {
    vi.useFakeTimers()
    const scene = granted(memoryContacts(`${romeo} ${juliet}`))
    fromPartner(scene, message(1) + message(2, 'nurse@fabrikam.com'))
    happens(scene, asked(scene))
    expect(sent(scene)).toEqual([refused(2), `in fabrikam.com: ${message(1)}`])
    fromPartner(scene, message(3))
    expect(sent(scene)).toEqual([`in fabrikam.com: ${message(3)}`])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('and the question comes back at once, nothing is lost, and nobody waits', () => {
    const scene = granted(memoryContacts(`${romeo} ${juliet}`))
    const nurse = 'nurse@fabrikam.com'
    scene.closed.add('in fabrikam.com')
    fromPartner(scene, message(1, nurse) + message(2, nurse, 'paris@contoso.com') + message(3, nurse))
    expect(sent(scene)).toEqual([refused(1), refused(2), refused(3)])
    scene.closed.clear()
    fromPartner(scene, message(4))
    expect(sent(scene)).toEqual([`in fabrikam.com: ${message(4)}`])
  })

  test('an answer from elsewhere, or for another question, is no answer and goes nowhere', () => {
    const scene = granted()
    fromPartner(scene, message(1))
    const id = asked(scene)
    answers(scene, id, query(item(juliet)), 'eve@contoso.com')
    answers(scene, `${id}0`, query(item(juliet)))
    expect(sent(scene)).toEqual([])
    answers(scene, id, query(''))
    expect(sent(scene)).toEqual([refused(1)])
    answers(scene, id, query(item(juliet)))
    expect(sent(scene)).toEqual([])
  })

  test('and the user changes it, it is asked for again', () => {
    const scene = granted()
    fromPartner(scene, message(1))
    const id = asked(scene)
    const subscribe = `<presence ${both(romeo, juliet)} type='subscribe'/>`
    fromInside(scene, subscribe)
    expect(sent(scene)).toEqual([`out contoso.com fabrikam.com: ${subscribe}`])
    answers(scene, id, query(''))
    answers(scene, asked(scene), query(`<item jid='${juliet}' subscription='none' ask='subscribe'/>`))
    expect(sent(scene)).toEqual([`in fabrikam.com: ${message(1)}`])
  })
})

describe('a roster that is known', () => {
  function known(items: string): Scene {
    const scene = granted()
    fromPartner(scene, message(1))
    answers(scene, asked(scene), query(items))
    sent(scene)
    return scene
  }

  test('is asked for again after a minute', () => {
    vi.useFakeTimers()
    const scene = known(item(juliet))
    vi.advanceTimersByTime(59_999)
    fromPartner(scene, message(2))
    expect(sent(scene)).toEqual([`in fabrikam.com: ${message(2)}`])
    vi.advanceTimersByTime(1)
    fromPartner(scene, message(3))
    asked(scene)
  })

  test.each(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])(
    'is asked for again when the user has said %s',
    word => {
      const scene = known(item(juliet))
      fromInside(scene, `<presence ${both(romeo, 'nurse@adatum.com')} type='${word}'/>`)
      sent(scene)
      fromPartner(scene, message(2))
      asked(scene)
    },
  )

  test('is kept current by pushes, which are answered', () => {
    const scene = known(item(juliet))
    const push = (items: string) =>
      `<iq type='set' id='p' ${both(romeo, 'fabrikam.com')}>${query(items)}</iq>`
    const answered = `in fabrikam.com: <iq type='result' id='p' from='fabrikam.com' to='${romeo}'/>`
    fromInside(scene, push(item(juliet, 'remove')))
    fromPartner(scene, message(2))
    expect(sent(scene)).toEqual([answered, refused(2)])
    fromInside(scene, push(item(juliet, 'to')))
    fromPartner(scene, message(3))
    expect(sent(scene)).toEqual([answered, `in fabrikam.com: ${message(3)}`])
  })

  test.each([
    ['of a client', `${romeo}/desk`, query(item(juliet, 'remove'))],
    ['with no roster in it', romeo, "<query xmlns='jabber:iq:private'/>"],
  ])('is not what a request says %s, which passes', (_, from, content) => {
    const scene = known(item(juliet))
    const iq = `<iq type='set' id='p' ${both(from, 'fabrikam.com')}>${content}</iq>`
    fromInside(scene, iq)
    fromPartner(scene, message(2))
    expect(sent(scene)).toEqual([`out contoso.com fabrikam.com: ${iq}`, `in fabrikam.com: ${message(2)}`])
  })
})
