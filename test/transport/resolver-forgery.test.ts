import { createSocket } from 'node:dgram'
import type { Packet } from 'dns2'
import { describe, expect, test } from 'vitest'
import { Resolver } from '../../src/transport/resolver.ts'
import { addAddress, forged, rawReply, rawServer, renumber, zoneOf } from './resolver-fixture.ts'

const isGood = { kind: 'records', records: ['127.0.0.1'] }

describe('a forged reply', () => {
  test.each([
    ['that is a query', (copy: Packet) => void (copy.header.qr = 0)],
    ['with another id', renumber],
    ['to another name', (copy: Packet) => void (copy.questions[0]!.name = 'b.example')],
    ['to another type', (copy: Packet) => void (copy.questions[0]!.type = 28)],
    ['to another class', (copy: Packet) => void (copy.questions[0]!.class = 3)],
    ['to no question', (copy: Packet) => void (copy.questions = [])],
    ['to two questions', (copy: Packet) => void copy.questions.push(copy.questions[0]!)],
  ])('%s is passed over', async (_, change) => {
    const { resolver, zone } = await zoneOf()
    zone.set('a.example A', honest => {
      const lie = forged(honest, copy => {
        addAddress(copy)
        copy.answers[0]!.address = '127.6.6.6'
        change(copy)
      })
      return [lie, Buffer.from('short'), forged(honest, addAddress)]
    })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
    expect(zone.queries.length).toBe(1)
  })

  test('of more than 16 KB is passed over', async () => {
    const resolver = await rawServer({
      udp: query => [
        Buffer.concat([rawReply(query, Buffer.from([127, 6, 6, 6])), Buffer.alloc(16_384)]),
        rawReply(query, Buffer.from([127, 0, 0, 1])),
      ],
    })
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
  })

  test('may repeat the question in other letters', async () => {
    const { resolver, zone } = await zoneOf()
    zone.set('a.example A', honest => [
      forged(honest, copy => {
        addAddress(copy)
        copy.questions[0]!.name = 'A.eXample'
        copy.answers[0]!.name = 'a.EXAMPLE'
      }),
    ])
    expect(await resolver.lookup('a.example', 'A')).toMatchObject(isGood)
  })

  test('from anybody but the server is not heard', async () => {
    const { zone } = await zoneOf()
    const stranger = createSocket('udp4')
    zone.set('a.example A', (honest, { port }) => {
      if (zone.queries.length > 1) return [forged(honest, addAddress)]
      const lie = forged(honest, addAddress)
      lie.answers[0]!.address = '127.6.6.6'
      stranger.send(lie.toBuffer(), port, '127.0.0.1')
      return []
    })
    const resolver = new Resolver({ servers: [zone.address], timeoutMs: 600 })
    const answer = await resolver.lookup('a.example', 'A')
    stranger.close()
    expect(answer).toMatchObject(isGood)
  })
})
