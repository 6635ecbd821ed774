import { describe, expect, test } from 'vitest'
import { bounceOf, connectedGateway, juliet, romeo } from './numbered.ts'

/*
 * A prefix of the stream header is declared anew on every stanza that uses it. The reader counts 64 attributes of a tag: what comes
 * with just as many goes on with more.
 */
const attributes = Array.from({ length: 61 }, (_, number) => ` a${number}=''`).join('')
const full = `<message id='1' from='${romeo}' to='${juliet}'${attributes}><stream:x/></message>`

describe('a stanza of 64 attributes that uses a prefix of its stream', () => {
  test('is delivered', async () => {
    const { inside, sender } = await connectedGateway()
    sender.send(full)
    const { children } = await inside.next('message')
    expect(children).toMatchObject([{ name: 'x', xmlns: 'http://etherx.jabber.org/streams' }])
  })

  test('comes back where the inside stays away', async () => {
    const { gateway, inside, receiver, sender } = await connectedGateway({ timeouts: { queue: '250ms' } })
    inside.end('</stream:stream>')
    await gateway.event('internal.disconnected')
    sender.send(full)
    expect(bounceOf(await receiver.next('message'))).toMatchObject({
      id: '1',
      condition: 'remote-server-timeout',
    })
    expect(gateway.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
