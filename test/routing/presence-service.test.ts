import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryContacts } from '../support/contacts.ts'
import {
  advertisement,
  approved,
  asks,
  both,
  gone,
  granted,
  juliet,
  lost,
  nurse,
  offline,
  online,
  presence,
  romeo,
  told,
  types,
} from '../support/presence-scene.ts'
import { fromInside, fromPartner, relayScene, type Scene } from '../support/relay-scene.ts'

describe("a contact's subscribe, where the inside grants presence", () => {
  test.each([2, 1])('is approved in the name of the user, who hears nothing of it (version %i)', version => {
    const contacts = memoryContacts()
    const scene = relayScene(types, contacts)
    onTestFinished(() => scene.relay.stop())
    fromInside(scene, advertisement(presence, 'fabrikam.com', version))
    fromPartner(scene, asks('subscribe', `${juliet}/balcony`))
    expect(told(scene)).toEqual([approved()])
    expect([contacts.subscriptions.size, contacts.settled]).toEqual([1, 1])
  })

  test('is followed by what is known of the user, and answered alike when it comes again', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    fromInside(scene, online('desk') + online('phone', undefined, ''))
    const seen = [online('desk', juliet), online('phone', juliet, '')]
    for (const _ of [1, 2]) {
      fromPartner(scene, asks('subscribe'))
      expect(told(scene)).toEqual([approved(), ...seen])
    }
    expect(contacts.settled).toBe(1)
  })

  test('is on disk before it is approved', () => {
    const contacts = memoryContacts()
    const scene = granted(contacts)
    const { settle } = contacts
    contacts.settle = () => {
      scene.sent.push('out settled')
      return settle()
    }
    fromPartner(scene, `<message ${both(juliet, romeo)} id='1'/>${asks('subscribe')}`)
    expect(scene.sent).toEqual([
      `in fabrikam.com: <message ${both(juliet, romeo)} id='1'/>`,
      'out settled',
      `out contoso.com fabrikam.com: ${approved()}`,
    ])
  })

  test('goes to the user where it cannot be kept, in its order', () => {
    const scene = granted(Object.assign(memoryContacts(), { disk: 'full' as const }))
    const message = `<message ${both(juliet, romeo)} id='1'/>`
    fromPartner(scene, asks('subscribe') + asks('probe') + message)
    expect(told(scene, 'in')).toEqual([asks('subscribe') + asks('probe') + message])
  })

  test.each([
    ['nothing is granted', () => relayScene(types)],
    ['nothing is granted any more', () => revoked("<perm access='presence' type='none'/>")],
    ['another privilege is granted', () => revoked("<perm access='roster' type='get'/>")],
    ['the component is lost', () => lost()],
    ['the user has approved it himself', () => granted(memoryContacts(`${romeo} ${juliet}`))],
  ])('goes to the user where %s', (_, makeScene) => {
    const scene = makeScene()
    fromPartner(scene, asks('subscribe'))
    expect(told(scene, 'in')).toEqual([asks('subscribe')])
  })

  test('goes on where it is for the domain itself, or from one', () => {
    const scene = granted()
    const stanzas = asks('subscribe', juliet, 'contoso.com') + asks('subscribe', 'fabrikam.com')
    fromPartner(scene, stanzas)
    expect(told(scene, 'in')).toEqual([stanzas])
  })

  test('is declined where the partner is publicUnverified', () => {
    const scene = granted(memoryContacts(), { ...types, 'fabrikam.com': 'publicUnverified' })
    fromPartner(scene, asks('subscribe'))
    expect(told(scene)).toEqual([approved().replace('subscribed', 'unsubscribed')])
  })
})

describe('an advertisement', () => {
  test('is for the gateway alone', () => {
    expect(granted().sent).toEqual([])
  })

  test.each([
    ['a user', advertisement(presence).replace('contoso.com', romeo)],
    ['a resource', advertisement(presence).replace('contoso.com', 'contoso.com/x')],
    ['a local domain, to a user', advertisement(presence, juliet)],
    ['nobody, it is an error', advertisement(presence).replace(' to=', " type='error' to=")],
  ])('is none where it is from %s', (_, stanza) => {
    const scene = relayScene(types)
    fromInside(scene, stanza)
    expect(told(scene)).toEqual([stanza])
    fromPartner(scene, asks('subscribe'))
    expect(told(scene, 'in')).toEqual([asks('subscribe')])
  })
})

describe('the presence of a local user', () => {
  test('is told to those who are approved, status notes as the type of their partner has it', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe') + asks('subscribe', nurse))
    told(scene)
    fromInside(scene, online('desk') + online('desk', 'adatum.com'))
    expect(told(scene)).toEqual([online('desk', juliet), online('desk', nurse, '<show>away</show>')])
    fromInside(scene, offline('desk') + offline('desk', 'adatum.com'))
    expect(told(scene)).toEqual([offline('desk', juliet), offline('desk', nurse)])
  })

  test('is told once for each component, and to nobody else', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe'))
    told(scene)
    fromInside(scene, online('desk', 'adatum.com'))
    fromInside(scene, online('desk').replaceAll('romeo', 'benvolio'))
    expect(told(scene)).toEqual([])
  })

  test('passes as it is where it is for a user, and without the permission', () => {
    const scene = granted()
    fromInside(scene, online('desk', juliet))
    expect(told(scene)).toEqual([online('desk', juliet)])
    const without = relayScene(types)
    fromInside(without, online('desk'))
    expect(told(without)).toEqual([online('desk')])
  })

  test.each(['subscribe', 'probe', 'error'])('passes where it is no presence but %s', type => {
    const scene = granted()
    fromInside(scene, `<presence ${both(`${romeo}/desk`, 'fabrikam.com')} type='${type}'/>`)
    expect(told(scene)).toHaveLength(1)
  })

  test('keeps its place behind what was said before', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe'))
    told(scene)
    const message = `<message ${both(`${romeo}/desk`, juliet)} id='1'/>`
    fromInside(scene, message + offline('desk') + message)
    expect(told(scene)).toEqual([message, offline('desk', juliet), message])
  })

  test('is put into the words of a stream between servers', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe'))
    told(scene)
    const content = "<x xmlns='urn:x' a='&apos;'><presence xmlns='jabber:component:accept'/></x>"
    fromInside(scene, online('desk', undefined, content))
    expect(told(scene)).toEqual([
      online('desk', juliet, content.replace('jabber:component:accept', 'jabber:server')),
    ])
  })

  test('is dropped, and counted, for a partner that takes nothing', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe'))
    told(scene)
    scene.full.add('out contoso.com fabrikam.com')
    fromInside(scene, online('desk'))
    expect([told(scene), scene.relay.droppedPresences]).toEqual([[], 1])
  })
})

describe('a probe of an approved contact', () => {
  test('is answered with what is known, or that the user is nowhere, and the inside is not asked', () => {
    const scene = granted()
    fromPartner(scene, asks('subscribe') + asks('probe', `${juliet}/x`))
    expect(told(scene)).toEqual([approved(), gone(romeo, `${juliet}/x`)])
    fromInside(scene, online('desk'))
    told(scene)
    fromPartner(scene, asks('probe'))
    expect(told(scene)).toEqual([online('desk', juliet)])
  })

  test('is answered so while the component is away, too: the server would answer unsubscribed', () => {
    const scene = lost()
    fromPartner(scene, asks('probe'))
    expect(told(scene)).toEqual([gone(romeo)])
  })

  test('goes inside for anybody else', () => {
    const scene = granted()
    fromPartner(scene, asks('probe'))
    expect(told(scene, 'in')).toEqual([asks('probe')])
  })
})

function revoked(perms: string): Scene {
  const scene = granted()
  fromInside(scene, advertisement(perms))
  return scene
}
