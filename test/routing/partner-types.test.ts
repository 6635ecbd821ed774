import { describe, expect, test } from 'vitest'
import { ns } from '../../src/xmpp/namespaces.ts'
import { memoryContacts } from '../support/contacts.ts'
import { fromInside, fromPartner, relayScene } from '../support/relay-scene.ts'

const types = {
  'fabrikam.com': 'publicUnverified',
  'adatum.com': 'publicVerified',
  'northwind.example': 'federated',
} as const
const both = (from: string, to: string) => `from='${from}' to='${to}'`
const juliet = 'juliet@fabrikam.com/balcony'
const romeo = 'romeo@contoso.com/orchard'
const inward = both(juliet, romeo)
const outward = both(romeo, juliet)
const contact = 'romeo@contoso.com juliet@fabrikam.com'
const forbidden =
  /^<(message|iq) type='error' from='\S+' to='\S+' id='1'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'\/>/

/** What came out, without the name of its destination. */
function sentTo({ sent }: { sent: readonly string[] }, side: 'in' | 'out'): string[] {
  return sent.filter(text => text.startsWith(`${side} `)).map(text => text.slice(text.indexOf(': ') + 2))
}

describe('a stranger with a publicUnverified partner', () => {
  test.each([
    ['message', `<message ${inward} id='1'><body>hi</body></message>`],
    ['iq', `<iq ${inward} id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>`],
    ['iq', `<iq ${inward} id='1' type='set'><query/></iq>`],
  ])('gets <forbidden/> for his %s, and nobody hears of it', (_, stanza) => {
    const scene = relayScene(types)
    fromPartner(scene, stanza)
    expect(sentTo(scene, 'in')).toEqual([])
    expect(sentTo(scene, 'out')).toEqual([expect.stringMatching(forbidden)])
  })

  test('gets the same whether the receiver exists or not: nobody is asked', () => {
    const answerTo = (to: string) => {
      const scene = relayScene(types)
      fromPartner(
        scene,
        `<message ${both(juliet, to)} id='1'/><presence ${both(juliet, to)} type='subscribe' id='2'/>`,
      )
      return sentTo(scene, 'out').join('').replaceAll(to, 'TO')
    }
    expect(answerTo('romeo@contoso.com')).toBe(answerTo('no.such.user@contoso.com'))
  })

  test('is declined who subscribes, from bare address to bare address (RFC 6121 §3.1.4)', () => {
    const scene = relayScene(types)
    fromPartner(scene, `<presence ${inward} id='s1' type='subscribe'><status>please</status></presence>`)
    expect(scene.sent).toEqual([
      "out contoso.com fabrikam.com: <presence type='unsubscribed' from='romeo@contoso.com' to='juliet@fabrikam.com' id='s1'/>",
    ])
    expect(scene.log.events).toEqual([
      { event: 'stanza.refused', local: 'contoso.com', remote: 'fabrikam.com', rule: 'stranger-subscribe' },
    ])
    expect(scene.metrics.render()).toContain('gatehouse_refusals_total{rule="stranger-subscribe"} 1\n')
  })

  test.each([
    ...[undefined, 'unavailable', 'probe', 'subscribed', 'unsubscribe', 'unsubscribed', 'error'].map(
      type => `<presence ${inward} ${type === undefined ? '' : `type='${type}'`}/>`,
    ),
    `<message ${inward} type='error' id='1'/>`,
    `<iq ${inward} type='result' id='1'/>`,
    `<iq ${inward} type='error' id='1'/>`,
  ])('is not heard with %s, and not answered', stanza => {
    const scene = relayScene(types)
    fromPartner(scene, stanza)
    expect(scene.sent).toEqual([])
    expect(scene.count(`direction="in",kind="${/\w+/.exec(stanza)}",outcome="refused"`)).toBe(1)
  })

  test('may write to the domain itself', () => {
    const stanza = `<iq ${both(juliet, 'contoso.com')} id='1' type='get'/><iq ${both('fabrikam.com', 'Contoso.com')} id='1' type='result'/>`
    const scene = relayScene(types)
    fromPartner(scene, stanza)
    expect(sentTo(scene, 'in')).toEqual([stanza])
  })

  test('may answer once what he is asked', () => {
    const scene = relayScene(types)
    fromInside(scene, `<iq ${outward} id='q' type='get'/>`)
    fromPartner(scene, `<iq ${both('nurse@fabrikam.com', romeo)} id='q' type='result'/>`)
    fromPartner(scene, `<iq ${inward} id='q' type='result'/><iq ${inward} id='q' type='result'/>`)
    expect(sentTo(scene, 'in')).toEqual([`<iq ${inward} id='q' type='result'/>`])
  })

  test('is one who has ceased to be a partner, too', () => {
    const scene = relayScene({ 'adatum.com': 'federated' })
    fromPartner(scene, `<message ${inward} id='1'/>`)
    expect(sentTo(scene, 'in')).toEqual([])
  })
})

describe('a contact with a publicUnverified partner', () => {
  test('is heard, byte for byte, however the addresses are written', () => {
    const stanzas = ['message', 'presence', "presence type='subscribe'"].map(
      open =>
        `<${open} ${both('JULIET@fabrikam.com/x', 'Romeo@Contoso.com')}><status>s</status></${/\w+/.exec(open)}>`,
    )
    const scene = relayScene(types, memoryContacts(contact))
    fromPartner(scene, stanzas.join(''))
    expect(sentTo(scene, 'in')).toEqual([stanzas.join('')])
  })

  test('is one from the presence on that adds him, until one that removes him', () => {
    const contacts = memoryContacts()
    const scene = relayScene(types, contacts)
    const isHeard = () => {
      scene.sent.length = 0
      fromPartner(scene, `<message ${inward} id='1'/>`)
      return sentTo(scene, 'in').length > 0
    }
    const heard = [
      '',
      'subscribe',
      'subscribed',
      'unsubscribe',
      'unsubscribed',
      'subscribe',
      'unsubscribe',
    ].map(type => {
      if (type !== '')
        fromInside(scene, `<presence ${both('Romeo@contoso.com', 'juliet@FABRIKAM.com')} type='${type}'/>`)
      return isHeard()
    })
    expect(heard).toEqual([false, true, true, true, false, true, false])
    expect(contacts.settled).toBe(6)
  })

  // RFC 6121 §3.3, §2.5.2: she takes back her subscription, he deletes her; of that his server says `unsubscribe` at most.
  test.each(['subscribe subscribed', 'subscribed'])(
    'is none after he has left what %s gave him, and is deleted',
    words => {
      const contacts = memoryContacts()
      const scene = relayScene(types, contacts)
      const says = (type: string) => fromInside(scene, `<presence ${outward} type='${type}'/>`)
      for (const word of words.split(' ')) says(word)
      fromPartner(scene, `<presence ${inward} type='unsubscribe'/><message ${inward} id='1'/>`)
      expect(sentTo(scene, 'in').join('')).toBe(
        `<presence ${inward} type='unsubscribe'/><message ${inward} id='1'/>`,
      )
      expect(contacts.known.size).toBe(1)
      says('unsubscribe')
      expect(contacts.known.size).toBe(0)
    },
  )

  test.each([
    `<presence ${outward}/>`,
    `<message ${outward} type='subscribe'><body>hi</body></message>`,
    `<presence ${outward} type='probe'/>`,
    `<presence ${both('contoso.com', juliet)} type='subscribe'/>`,
  ])('is none for a stanza that adds nobody: %s', stanza => {
    const contacts = memoryContacts()
    fromInside(relayScene(types, contacts), stanza)
    expect([contacts.settled, contacts.known.size]).toEqual([0, 0])
  })
})

describe('a read in which contacts are added', () => {
  const subscribe = (i: number, to = juliet) => `<presence ${both(romeo, to)} type='subscribe' id='${i}'/>`
  const message = (i: number) => `<message ${outward} id='${i}'/>`

  test('goes on in its order, once it is on disk', () => {
    const contacts = memoryContacts()
    const scene = relayScene(types, contacts)
    const settle = contacts.settle
    const watched = Object.assign(contacts, {
      settle: () => {
        scene.sent.push('settled')
        return settle()
      },
    })
    fromInside(scene, message(1) + subscribe(2) + message(3) + subscribe(4, 'a@adatum.com') + message(5))
    expect(watched.settled).toBe(1)
    expect(scene.sent).toEqual([
      `out contoso.com fabrikam.com: ${message(1)}`,
      'settled',
      `out contoso.com fabrikam.com: ${subscribe(2)}${message(3)}`,
      `out contoso.com adatum.com: ${subscribe(4, 'a@adatum.com')}`,
      `out contoso.com fabrikam.com: ${message(5)}`,
    ])
  })

  test('comes back in part where the disk takes nothing: what adds contacts that would be kept out', () => {
    const contacts = Object.assign(memoryContacts(contact), { disk: 'full' as const })
    const scene = relayScene(types, contacts)
    const others = subscribe(2, 'a@adatum.com') + subscribe(3, 'n@northwind.example')
    const ends = `<presence ${outward} type='unsubscribed'/>`
    fromInside(scene, subscribe(1, 'nurse@fabrikam.com') + others + ends + message(4))
    expect(sentTo(scene, 'out').join('')).toBe(others + ends + message(4))
    expect(sentTo(scene, 'in')).toEqual([
      expect.stringMatching(
        /^<presence type='error' from='nurse@fabrikam\.com' to='romeo@contoso\.com\/orchard' id='1'><error type='wait'><resource-constraint /,
      ),
    ])
    expect(scene.log.events).toEqual([
      { event: 'stanza.refused', local: 'contoso.com', remote: 'fabrikam.com', rule: 'store-failed' },
    ])
  })
})

test('who is a contact already is not refused where the disk takes nothing', () => {
  const contacts = Object.assign(memoryContacts(), { disk: 'full' as const })
  contacts.known.set(contact, 1)
  const scene = relayScene(types, contacts)
  const approval = `<presence ${outward} type='subscribed'/>`
  fromInside(scene, approval)
  expect(scene.sent).toEqual([`out contoso.com fabrikam.com: ${approval}`])
  expect(contacts.settled).toBe(1)
})

test('a contact too many goes on where it makes no difference', () => {
  const contacts = Object.assign(memoryContacts(), { isFull: true })
  const scene = relayScene(types, contacts)
  const subscribe = (to: string) => `<presence ${both(romeo, to)} type='subscribe' id='1'/>`
  const [own, others] = [subscribe(juliet), subscribe('a@adatum.com') + subscribe('n@northwind.example')]
  fromInside(scene, own + others)
  expect(sentTo(scene, 'out').join('')).toBe(others)
  expect(sentTo(scene, 'in')).toHaveLength(1)
})

describe('a status note', () => {
  const presence = (to: string) =>
    `<presence ${both(romeo, to)}><status>in a meeting</status><show>away</show></presence>`
  const mood = (to: string) =>
    `<message ${both(romeo, to)}><event xmlns='${ns.pubsubEvent}'><items node='${ns.mood}'><item/></items></event></message>`

  test('is not for users of public partners, and is for those of federated ones', () => {
    const scene = relayScene(types)
    const to = ['j@fabrikam.com', 'a@adatum.com', 'n@northwind.example']
    fromInside(scene, to.map(one => presence(one) + mood(one)).join(''))
    expect(sentTo(scene, 'out')).toEqual([
      `<presence ${both(romeo, to[0]!)}><show>away</show></presence>`,
      `<presence ${both(romeo, to[1]!)}><show>away</show></presence>`,
      presence(to[2]!) + mood(to[2]!),
    ])
    // Nobody is refused anything.
    expect(scene.log.events).toEqual([])
    expect(scene.log.lines).toEqual(
      ['fabrikam.com', 'adatum.com'].map(remote => ({
        level: 'debug',
        message: 'stanza filtered',
        fields: { local: 'contoso.com', remote, rule: 'status-note' },
      })),
    )
    expect(scene.count('direction="out",kind="message",outcome="filtered"')).toBe(2)
    expect(scene.metrics.render()).toContain('gatehouse_refusals_total{rule="status-note"} 2\n')
  })

  test('comes out of a stanza that has to be rewritten as well', () => {
    const scene = relayScene(types)
    fromInside(scene, `<presence xmlns='${ns.component}' ${outward}><status>x</status></presence>`)
    expect(sentTo(scene, 'out')).toEqual([`<presence xmlns='${ns.server}' ${outward}></presence>`])
  })

  test('of theirs is for our users, whatever the partner', () => {
    const scene = relayScene(types, memoryContacts(contact))
    const theirs = `<presence ${inward}><status>x</status></presence>`
    fromPartner(scene, theirs)
    expect(sentTo(scene, 'in')).toEqual([theirs])
  })
})
