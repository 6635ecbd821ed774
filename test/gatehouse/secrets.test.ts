import { expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import { juliet, message, romeo } from './numbered.ts'

test('the log, at its most talkative, tells no secret, no key and no word of a message', async () => {
  const dialbackSecret = 'known to this gateway and its pool alone'
  const gateway = await startGateway({
    inside: 'component',
    partners: [{ primaryDomain: 'fabrikam.com', saslNegotiation: 'optional', dialbackNegotiation: true }],
    settings: { dialback: { secret: dialbackSecret } },
  })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')

  // Ours goes out by dialback, and theirs comes in by it, with one key refused before.
  inside.send(message(1, juliet, romeo, 'for their eyes only'))
  const receiver = await server.next()
  await receiver.greetsSecurely(['dialback'])
  const { text: ourKey } = await receiver.takesKey()
  await receiver.next('message')
  const sendsKey = async (key: string, verdict: 'valid' | 'invalid') => {
    const sender = await gateway.connect()
    await sender.opensSecurely()
    sender.sendKey(key)
    await receiver.judges(verdict)
    expect(await sender.keyAnswer()).toBe(verdict)
    return sender
  }
  const refused = await sendsKey('a-key-of-theirs', 'invalid')
  await refused.streamEnd()
  refused.end('</stream:stream>')
  const sender = await sendsKey('another-key-of-theirs', 'valid')
  sender.send(message(2, romeo, juliet, 'for our eyes only'))
  await gateway.inside.stanza('fabrikam.com', '2')
  sender.send(message(3, 'someone@example.net', juliet, 'for nobody’s eyes'))
  await sender.isClosedWith('invalid-from')

  receiver.end('</stream:stream>')
  await gateway.hasNoStreams()
  const told = JSON.stringify([gateway.log.events, gateway.log.lines])
  expect(told).toContain('invalid-from')
  const { secret } = gateway.inside
  for (const hidden of [dialbackSecret, secret, ourKey, 'key-of-theirs', 'eyes', 'BEGIN PRIVATE KEY'])
    expect(told).not.toContain(hidden)
})
