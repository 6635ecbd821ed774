import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ContactStore } from '../../src/store/contacts.ts'
import { bare } from '../support/contacts.ts'
import { startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'
import { bounceOf } from './numbered.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com/balcony'

/** A gateway with one partner of that type, and streams with it both ways. */
async function gatewayWith(partnerType: string, limits = {}) {
  const gateway = await startGateway({
    inside: 'component',
    settings: { limits },
    partners: [{ primaryDomain: 'fabrikam.com', partnerType }],
  })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(`<message id='hello' from='${romeo}' to='${juliet}'/>`)
  const receiver = await server.next()
  await receiver.accepts()
  await receiver.next('message')
  const sender = await gateway.connect()
  await sender.authenticates()
  return { gateway, inside, sender, receiver }
}

/** The partner's user tries all that he can do to the local one. */
function triesAll(sender: WirePeer, round: string): void {
  const both = `from='${juliet}' to='${romeo}'`
  sender.send(
    `<presence ${both} type='subscribe' id='${round} add'/><presence ${both} type='probe' id='${round} probe'/>` +
      `<message ${both} id='${round} write'><body>hi</body></message>` +
      `<iq ${both} type='get' id='${round} ask'><query xmlns='jabber:iq:version'/></iq>` +
      `<iq ${both.replace(romeo, 'contoso.com')} type='get' id='${round} last'><ping xmlns='urn:xmpp:ping'/></iq>`,
  )
}

const isLast = (round: string) => (seen: { attributes: Readonly<Record<string, string>> }) =>
  seen.attributes['id'] === `${round} last`

describe('a user of a publicUnverified partner', () => {
  test('reaches nobody until the local user has added him, then reaches that one, until he is removed', async () => {
    const { gateway, inside, sender, receiver } = await gatewayWith('publicUnverified')
    const heard = async (round: string) => {
      triesAll(sender, round)
      await inside.find('the last', isLast(round))
      return inside.untaken.map(({ attributes }) => attributes['id'] ?? '').filter(id => id.startsWith(round))
    }
    expect(await heard('before')).toEqual([])
    const declined = await receiver.next('presence')
    expect(declined.attributes).toEqual({
      type: 'unsubscribed',
      from: romeo,
      to: 'juliet@fabrikam.com',
      id: 'before add',
    })
    for (const kind of ['message', 'iq']) {
      const error = await receiver.next(kind)
      expect(bounceOf(error)).toMatchObject({
        type: 'error',
        from: romeo,
        to: juliet,
        condition: 'forbidden',
      })
      expect(error.children[0]?.attributes['type']).toBe('auth')
    }
    inside.send(`<presence from='Romeo@contoso.com' to='JULIET@fabrikam.com' type='subscribe'/>`)
    await receiver.next('presence')
    expect(await heard('added')).toEqual(['added add', 'added probe', 'added write', 'added ask'])
    inside.send(`<presence from='${romeo}' to='juliet@fabrikam.com' type='unsubscribed'/>`)
    await receiver.next('presence')
    expect(await heard('removed')).toEqual([])
    const refused = gateway.events('stanza.refused').map(({ rule, remote }) => `${remote} ${rule}`)
    const rules = ['subscribe', 'presence', 'message', 'request'].map(what => `fabrikam.com stranger-${what}`)
    expect(refused).toEqual([...rules, ...rules])
    expect(gateway.metric('gatehouse_refusals_total{rule="stranger-message"}')).toBe(2)
  })

  test('is remembered as a contact when the gateway has stopped', async () => {
    const { gateway, inside, receiver, sender } = await gatewayWith('publicUnverified')
    inside.send(`<presence from='${romeo}' to='juliet@fabrikam.com' type='subscribed'/>`)
    await receiver.next('presence')
    expect(gateway.metric('gatehouse_contacts')).toBe(1)
    for (const wire of [inside, receiver, sender])
      void wire.streamEnd().then(() => wire.end('</stream:stream>'))
    await gateway.gatehouse.stop()
    const path = gateway.folder.at('data/gatehouse.db')
    expect(existsSync(`${path}-wal`)).toBe(false)
    const store = ContactStore.open(path)
    expect(store.has(bare(romeo), bare(juliet))).toBe(true)
    store.close()
  })

  test('is no contact of one who has too many, and that one is told so', async () => {
    const { gateway, inside, receiver } = await gatewayWith('publicUnverified', { contactsPerUser: 1 })
    const add = (who: string) =>
      inside.send(`<presence from='${romeo}' to='${who}' type='subscribe' id='${who}'/>`)
    add('juliet@fabrikam.com')
    expect((await receiver.next('presence')).attributes['id']).toBe('juliet@fabrikam.com')
    add('nurse@fabrikam.com')
    const error = await inside.next('presence')
    expect(bounceOf(error)).toMatchObject({ id: 'nurse@fabrikam.com', condition: 'resource-constraint' })
    expect(gateway.events('stanza.refused').map(({ rule }) => rule)).toEqual(['too-many-contacts'])
    add('juliet@fabrikam.com')
    expect((await receiver.next('presence')).attributes['id']).toBe('juliet@fabrikam.com')
  })

  test('answers once what he was asked', async () => {
    const { inside, sender, receiver } = await gatewayWith('publicUnverified')
    inside.send(
      `<iq from='${romeo}/orchard' to='${juliet}' type='get' id='q'><query xmlns='jabber:iq:version'/></iq>`,
    )
    await receiver.next('iq')
    const answer = `<iq from='${juliet}' to='${romeo}/orchard' type='result' id='q'/>`
    sender.send(answer + answer)
    triesAll(sender, 'then')
    await inside.find('the last', isLast('then'))
    expect(inside.untaken.map(({ attributes }) => attributes['id'])).toEqual(['q'])
  })
})

describe('a status note', () => {
  test.each([
    ['publicUnverified', ['show']],
    ['publicVerified', ['show']],
    ['federated', ['status', 'show']],
  ])('is seen by users of a %s partner as %j', async (partnerType, expected) => {
    const { inside, receiver } = await gatewayWith(partnerType)
    inside.send(
      `<presence from='${romeo}' to='${juliet}'><status>in a meeting</status><show>away</show></presence>`,
    )
    const presence = await receiver.next('presence')
    expect(presence.children.map(({ name }) => name)).toEqual(expected)
  })
})

describe('a user of a publicVerified partner', () => {
  test('reaches a local user without his word', async () => {
    const { inside, sender } = await gatewayWith('publicVerified')
    triesAll(sender, 'at once')
    await inside.find('the last', isLast('at once'))
    expect(inside.untaken).toHaveLength(4)
  })
})
