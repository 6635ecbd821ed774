import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const standings: Readonly<Record<string, (peer: WirePeer) => Promise<unknown>>> = {
  'before authentication': peer => peer.opens(),
  'after authentication': peer => peer.authenticates(),
}

// Longer than any limit, in one piece.
const long = 'a'.repeat(300_000)

const attacks: readonly (readonly [string, string | Buffer, string])[] = [
  ['a comment', '<!-- hidden -->', 'restricted-xml'],
  ['a comment in an element', '<message><!-- hidden --></message>', 'restricted-xml'],
  ['a DTD', "<!DOCTYPE a [<!ENTITY b 'c'>]>", 'restricted-xml'],
  ['a processing instruction', '<?xml-stylesheet href="a"?>', 'restricted-xml'],
  ['an entity that is none of the five', '<message>&nbsp;</message>', 'restricted-xml'],
  ['an entity in an attribute', "<message from='&ext;'/>", 'restricted-xml'],
  ['more attributes than fit', `<message ${many(30_000, n => `a${n}='' `)}`, 'policy-violation'],
  ['nesting too deep', '<a>'.repeat(100), 'policy-violation'],
  ['bytes that are not UTF-8', Buffer.from('<message>\xc3\x28</message>', 'latin1'), 'not-well-formed'],
  ['an overlong form', Buffer.from('<message>\xc0\xbc</message>', 'latin1'), 'not-well-formed'],
  ['a surrogate', Buffer.from('<message>\xed\xa0\x80</message>', 'latin1'), 'not-well-formed'],
  ['UTF-16', Buffer.from('\ufeff<message/>', 'utf16le'), 'not-well-formed'],
  ['a control character', '<message>\u0007</message>', 'not-well-formed'],
  ['a character reference to one', '<message>&#7;</message>', 'not-well-formed'],
  ['a tag closed by another', '<message></presence>', 'not-well-formed'],
  ['an undeclared prefix', '<x:message/>', 'bad-namespace-prefix'],
  ['text between stanzas', 'hello', 'bad-format'],
  ['an element nobody knows', "<login xmlns='urn:unknown'/>", 'unsupported-stanza-type'],
]

const oversized: readonly (readonly [string, string])[] = [
  ['a tag name without end', `<${long}`],
  ['an attribute name without end', `<message ${long}`],
  ['an attribute value without end', `<message from='${long}`],
  ['text without end', `<message><body>${long}`],
  ['CDATA without end', `<message><body><![CDATA[${long}`],
  ['a stanza over the limit', `<message><body>${long}</body></message>`],
]

describe.each(Object.entries(standings))('%s', (_, reach) => {
  test.each(attacks)('%s ends the stream', async (_, bytes, condition) => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await reach(peer)
    peer.send(bytes)
    const error = await peer.isClosedWith(condition)
    expect(error.children.map(({ name }) => name)).not.toContain('stanza-too-big')
    await gateway.hasNoStreams()
  })

  test.each(oversized)('%s ends the stream as too big', async (_, bytes) => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await reach(peer)
    peer.send(bytes)
    const { children } = await peer.isClosedWith('policy-violation')
    const tooBig = expect.objectContaining({ name: 'stanza-too-big', xmlns: 'urn:xmpp:errors' })
    expect(children).toContainEqual(tooBig)
    await gateway.hasNoStreams()
  })
})

describe('a partner’s server', () => {
  test.each([...attacks, ...oversized.map(([what, bytes]) => [what, bytes, 'policy-violation'] as const)])(
    'that sends %s gets a stream error, and what waits bounces',
    async (_, bytes, condition) => {
      const gateway = await startGateway({ inside: 'component' })
      const server = await gateway.serve()
      const inside = await gateway.inside.component('fabrikam.com')
      inside.send("<message from='b@contoso.com' to='a@fabrikam.com' id='1'/>")
      const peer = await server.next()
      await peer.greets(['starttls'])
      await peer.next('starttls')
      peer.send(bytes)
      await peer.isClosedWith(condition === 'unsupported-stanza-type' ? 'bad-format' : condition)
      const { children } = await gateway.inside.stanza('fabrikam.com', '1')
      expect(children[0]?.children[0]?.name).toBe('remote-server-timeout')
    },
  )
})

const mib = 1024 * 1024
const flood = Buffer.alloc(64 * 1024, 'a')

describe.each(Object.entries(standings))('50 MB %s', (_, reach) => {
  test.each([
    ['in a tag name', '<', flood],
    ['in an attribute', "<message from='", flood],
    ['in text', '<message><body>', flood],
    ['of nested elements', '', Buffer.from('<a>'.repeat(20_000))],
    ['of bytes that are not UTF-8', '<message>', Buffer.alloc(64 * 1024, 0xff)],
    ['of white space', '', Buffer.alloc(64 * 1024, ' ')],
  ])('%s take no memory', async (_, start, bytes) => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await reach(peer)
    peer.send(start)
    expect(await growth(() => peer.pour(bytes, 10 * mib), 5)).toBeLessThan(12 * mib)
  })
})

describe('a partner that does not read', () => {
  test.each([
    ['SASL failures', "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>"],
    ['answers about keys', "<db:verify from='fabrikam.com' to='contoso.com' id='1'>abc</db:verify>"],
  ])('cannot make the gateway gather %s', async (_, element) => {
    const gateway = await startGateway({
      partners: [{ primaryDomain: 'fabrikam.com', dialbackNegotiation: true, saslNegotiation: 'optional' }],
      settings: { limits: { queueBytes: 100_000 } },
    })
    const peer = await gateway.connect()
    await peer.authenticates()
    peer.pause()
    const bytes = Buffer.from(element.repeat(600))
    const round = async () => {
      await peer.pour(bytes, 4 * mib, 500)
      // The log of a test remembers everything.
      const failures = ({ event, condition }: { event: string; condition?: string }) =>
        event !== 'stream.refused' || condition !== 'not-authorized'
      gateway.log.events.splice(0, Infinity, ...gateway.log.events.filter(failures))
      gateway.log.lines.length = 0
    }
    expect(await growth(round, 4)).toBeLessThan(12 * mib)
    await gateway.event('stream.refused', ({ condition }) => condition === 'policy-violation')
    peer.reset()
    await gateway.hasNoStreams()
  })
})

/** How much memory is held after each of some rounds, at most, over what was held before. */
async function growth(round: () => Promise<unknown>, rounds: number): Promise<number> {
  const before = held()
  let most = 0
  for (let i = 0; i < rounds; i++) {
    await round()
    most = Math.max(most, held() - before)
  }
  return most
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes in use on the heap and outside of it, once everything that can be is collected. */
function held(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function many(count: number, make: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => make(n)).join('')
}
