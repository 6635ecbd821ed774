import { describe, expect, test } from 'vitest'
import { memoryContacts } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'
import {
  advertisement,
  approved,
  asks,
  both,
  gone,
  granted,
  juliet,
  nurse,
  offline,
  online,
  presence,
  romeo,
  says,
  told,
  types,
} from '../support/presence-scene.ts'
import { fromInside, fromPartner } from '../support/relay-scene.ts'

describe('an approved subscription ends', () => {
  test('when the contact unsubscribes: he sees nobody any more', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, online('desk') + online('phone'))
    told(scene)
    fromPartner(scene, asks('unsubscribe'))
    expect(told(scene)).toEqual([gone(`${romeo}/desk`), gone(`${romeo}/phone`)])
    fromInside(scene, online('desk'))
    expect([told(scene), contacts.subscriptions.size]).toEqual([[], 0])
    fromPartner(scene, asks('unsubscribe'))
    expect(told(scene, 'in')).toEqual([asks('unsubscribe')])
  })

  test('and begins again within one read', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe') + asks('unsubscribe') + asks('subscribe'))
    expect(told(scene)).toEqual([approved(), approved()])
    expect([contacts.subscriptions.size, contacts.settled]).toEqual([1, 1])
  })

  test('when the user says unsubscribed', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, online('desk') + online('phone'))
    told(scene)
    const message = `<message ${both(romeo, juliet)} id='1'/>`
    fromInside(scene, message + says('unsubscribed') + online('desk'))
    const farewell = [gone(`${romeo}/desk`), gone(`${romeo}/phone`)]
    expect(told(scene)).toEqual([message, ...farewell, says('unsubscribed')])
    expect(contacts.subscriptions.size).toBe(0)
    fromInside(scene, says('unsubscribed'))
    expect(told(scene)).toEqual([says('unsubscribed')])
  })

  test('when the user has said subscribed, with the first presence that his server tells for it', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe'))
    told(scene)
    const away = `<presence ${both(`${romeo}/desk`, juliet)} type='unavailable'/>`
    fromInside(scene, says('subscribed') + away + online('desk', juliet) + online('desk'))
    expect(told(scene)).toEqual([says('subscribed') + away + online('desk', juliet)])
    expect(contacts.subscriptions.size).toBe(0)
  })

  test('not when his server tells none: it knows nothing of it (ejabberd 23.01)', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, says('subscribed'))
    told(scene)
    fromInside(scene, online('desk'))
    fromPartner(scene, asks('subscribe') + asks('probe'))
    expect(told(scene)).toEqual([
      online('desk', juliet),
      approved(),
      online('desk', juliet),
      online('desk', juliet),
    ])
    fromPartner(scene, asks('unsubscribe'))
    const [farewell, passed] = scene.sent.splice(0)
    expect([farewell, passed]).toEqual([
      `out contoso.com fabrikam.com: ${gone(`${romeo}/desk`)}`,
      `in fabrikam.com: ${asks('unsubscribe')}`,
    ])
  })

  test('not by a presence that the user sends to a contact whom he has not approved himself', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe'))
    told(scene)
    fromInside(scene, online('desk', juliet) + online('desk'))
    expect(told(scene)).toEqual([online('desk', juliet), online('desk', juliet)])
  })

  test.each(['subscribe', 'unsubscribe'])('not when the user says %s', word => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, says(word))
    expect(contacts.subscriptions.size).toBe(1)
  })
})

describe('when the stream of a component is lost', () => {
  test('its contacts are told that those they saw are gone; the others are not', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe') + asks('subscribe', nurse))
    fromInside(scene, online('desk'))
    told(scene)
    scene.relay.componentLost(domain('fabrikam.com'))
    expect(told(scene)).toEqual([gone(`${romeo}/desk`)])
    fromPartner(scene, asks('probe', nurse))
    expect(told(scene)).toEqual([online('desk', nurse, '<show>away</show>')])
  })

  test('what is told before the next advertisement is not for the partner, and passes once it says so', () => {
    const scene = granted()
    for (const _ of [1, 2]) {
      scene.relay.componentLost(domain('fabrikam.com'))
      fromInside(scene, online('desk') + offline('desk'))
      expect(told(scene)).toEqual([])
    }
    fromInside(scene, online('desk', juliet))
    fromInside(scene, advertisement("<perm access='roster' type='get'/>") + online('desk'))
    expect(told(scene)).toEqual([online('desk', juliet), online('desk')])
    scene.relay.componentLost(domain('fabrikam.com'))
    fromInside(scene, online('desk'))
    expect(told(scene)).toEqual([online('desk')])
  })

  test('what was known is forgotten with the last one that hears of it', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, online('desk'))
    for (const component of ['fabrikam.com', 'adatum.com']) scene.relay.componentLost(domain(component))
    told(scene)
    fromInside(scene, advertisement(presence))
    fromPartner(scene, asks('probe'))
    expect(told(scene)).toEqual([gone(romeo)])
  })
})

describe('an approved contact of a partner who is trusted less by now', () => {
  test('is told nothing, and asks in vain', () => {
    const partners = { ...types }
    const scene = granted(memoryContacts(), partners)
    fromPartner(scene, asks('subscribe'))
    told(scene)
    partners['fabrikam.com'] = 'publicUnverified'
    fromInside(scene, online('desk'))
    fromPartner(scene, asks('probe'))
    scene.relay.componentLost(domain('fabrikam.com'))
    expect(told(scene)).toEqual([])
  })

  test('is told before that those he sees are gone', () => {
    const partners = { ...types }
    const scene = granted(memoryContacts(), partners)
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, online('desk'))
    told(scene)
    scene.relay.distrusted(domain('fabrikam.com'))
    expect(told(scene)).toEqual([gone(`${romeo}/desk`)])
    partners['fabrikam.com'] = 'publicUnverified'
    scene.relay.distrusted(domain('fabrikam.com'))
    expect(told(scene)).toEqual([])
  })

  test('can still unsubscribe, and is told nothing', () => {
    const contacts = memoryContacts()
    const partners = { ...types }
    const scene = granted(contacts, partners)
    fromPartner(scene, asks('subscribe'))
    fromInside(scene, online('desk'))
    told(scene)
    partners['fabrikam.com'] = 'publicUnverified'
    fromPartner(scene, asks('unsubscribe'))
    expect([told(scene), contacts.subscriptions.size]).toEqual([[], 0])
  })
})
