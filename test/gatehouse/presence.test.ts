import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import type { InsideStream } from '../support/inside-server.ts'
import { startGateway } from '../support/running-gateway.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com'

/** As the server inside grants it. */
function grantsPresence(inside: InsideStream): void {
  inside.send(
    `<message from='contoso.com' to='${inside.domain}'><privilege xmlns='urn:xmpp:privilege:2'>` +
      "<perm access='presence' type='managed_entity'/></privilege></message>",
  )
}

const online = `<presence from='${romeo}/desk' to='fabrikam.com'><status>in a meeting</status><show>away</show></presence>`
const subscribe = `<presence from='${juliet}' to='${romeo}' type='subscribe' id='s'/>`

/** A gateway whose inside grants presence to fabrikam.com, and a partner's stream to it. */
async function gatewayWith(partnerType: string) {
  const gateway = await startGateway({
    inside: 'component',
    partners: [{ primaryDomain: 'fabrikam.com', partnerType }],
  })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')
  const sender = await gateway.connect()
  await sender.authenticates()
  grantsPresence(inside)
  // What comes behind it has been read.
  const ping = `<iq type='get' id='there' from='${romeo}' to='fabrikam.com'><ping xmlns='urn:xmpp:ping'/></iq>`
  inside.send(ping)
  const receiver = await server.next()
  await receiver.accepts()
  await receiver.next('iq')
  return { gateway, server, inside, sender, receiver }
}

describe('without the word of the local user', () => {
  test.each([
    ['federated', ['status', 'show']],
    ['publicVerified', ['show']],
  ])('a user of a %s partner sees %j of his presence', async (partnerType, seen) => {
    const { gateway, inside, sender, receiver } = await gatewayWith(partnerType)
    inside.send(online)
    sender.send(subscribe)
    const approved = await receiver.next('presence')
    expect(approved.attributes).toEqual({ type: 'subscribed', from: romeo, to: juliet, id: 's' })
    const presence = await receiver.next('presence')
    expect(presence.attributes).toEqual({ from: `${romeo}/desk`, to: juliet })
    expect(presence.children.map(({ name }) => name)).toEqual(seen)
    expect(gateway.metric('gatehouse_subscriptions')).toBe(1)
    sender.send(`<message from='${juliet}' to='${romeo}' id='last'/>`)
    await inside.find('the message', ({ attributes }) => attributes['id'] === 'last')
    expect(inside.untaken).toEqual([])
  })

  test('he sees nobody while the server inside is away, and how it stands when it is back', async () => {
    const { gateway, inside, sender, receiver } = await gatewayWith('federated')
    sender.send(subscribe)
    await receiver.next('presence')
    inside.send(online)
    await receiver.next('presence')
    inside.end('</stream:stream>')
    expect((await receiver.next('presence')).attributes).toEqual({
      type: 'unavailable',
      from: `${romeo}/desk`,
      to: juliet,
    })
    await inside.closed
    grantsPresence(await gateway.inside.component('fabrikam.com'))
    expect((await receiver.next('presence')).attributes).toEqual({
      type: 'unavailable',
      from: romeo,
      to: juliet,
    })
  })

  test('an operator sees that it is so, and ends it', async () => {
    const { gateway, inside, sender, receiver } = await gatewayWith('federated')
    sender.send(subscribe)
    await receiver.next('presence')
    inside.send(online)
    await receiver.next('presence')
    const contact = (...argv: string[]) => runCommand(['contact', ...argv, '--config', gateway.folder.file])
    expect((await contact('list')).out).toMatch(
      /^romeo@contoso\.com {2}juliet@fabrikam\.com {2}\S+ {2}approved by the gateway *$/m,
    )
    expect(await contact('revoke', romeo, juliet)).toMatchObject({ status: 0, err: '' })
    const told = [await receiver.next('presence'), await receiver.next('presence')]
    expect(told.map(({ attributes }) => attributes)).toEqual([
      { type: 'unavailable', from: `${romeo}/desk`, to: juliet },
      { type: 'unsubscribed', from: romeo, to: juliet },
    ])
    expect(gateway.metric('gatehouse_subscriptions')).toBe(0)
    expect((await contact('list')).out).toBe('no authorised contacts\n')
    expect((await contact('revoke', romeo, juliet)).status).toBe(1)
  })

  test('he sees nobody any more once his partner is publicUnverified', async () => {
    const { gateway, inside, sender, receiver } = await gatewayWith('federated')
    sender.send(subscribe)
    await receiver.next('presence')
    inside.send(online)
    await receiver.next('presence')
    const list = gateway.folder.at('config/partners.yaml')
    writeFileSync(list, readFileSync(list, 'utf8').replace('federated', 'publicUnverified'))
    await gateway.gatehouse.reload(gateway.folder.load())
    expect((await receiver.next('presence')).attributes).toMatchObject({ type: 'unavailable', to: juliet })
  })

  test('he is told that the gateway stops', async () => {
    const { gateway, inside, sender, receiver } = await gatewayWith('federated')
    sender.send(subscribe)
    await receiver.next('presence')
    inside.send(online)
    await receiver.next('presence')
    for (const wire of [inside, receiver, sender])
      void wire.streamEnd().then(() => wire.end('</stream:stream>'))
    const stopped = gateway.gatehouse.stop()
    expect((await receiver.next('presence')).attributes).toMatchObject({ type: 'unavailable', to: juliet })
    await stopped
  })
})

describe('what the server inside does not grant', () => {
  test('is told in /readyz, the gateway being ready all the same, until it is granted', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const readiness = () => gateway.gatehouse.readiness()
    await vi.waitFor(() => expect(readiness().detail).toContain('contact requests from fabrikam.com'), 10_000)
    expect(readiness()).toEqual({
      ready: true,
      detail:
        'listening, and connected to the inside; contact requests from fabrikam.com go to the users of contoso.com for an answer: ' +
        'the server inside does not grant presence (docs/inside.md)',
    })
    expect(gateway.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    const { err } = await runCommand(['check', '--config', gateway.folder.file])
    expect(err).toMatch(
      /internal\.connector: warning: contact requests from fabrikam\.com go to the users of contoso\.com/,
    )
    const inside = await gateway.inside.component('fabrikam.com')
    grantsPresence(inside)
    inside.send(`<message from='${romeo}' to='${juliet}'/>`)
    const receiver = await server.next()
    await receiver.accepts()
    await receiver.next('message')
    expect(readiness().detail).toBe('listening, and connected to the inside')
    const after = await runCommand(['check', '--config', gateway.folder.file])
    expect(after.err).not.toContain('contact requests')
  })
})
