import { describe, expect, test } from 'vitest'
import { KnownPresences } from '../../src/routing/known-presences.ts'
import { bare } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'
import { slicesOf } from '../xml/transcript.ts'

function presence(address: string, content = '') {
  const [slice] = slicesOf(`<presence from='${address}' to='fabrikam.com'>${content}</presence>`)
  const local = bare(address.split('/', 1)[0]!)
  return { local, domain: domain(local.split('@')[1]!), address, slice: slice! }
}

const known = (presences: KnownPresences, user: string) =>
  [...presences.of(bare(user))].map(({ address }) => address)

const romeo = 'romeo@contoso.com'

describe('known presences', () => {
  test('are those of each resource, the last one', () => {
    const presences = new KnownPresences()
    presences.put(presence(`${romeo}/a`))
    presences.put(presence(`${romeo}/b`))
    presences.put(presence(`${romeo}/a`, 'new'))
    expect(known(presences, romeo)).toEqual([`${romeo}/b`, `${romeo}/a`])
    expect(presences.size).toBe(2)
    presences.delete(`${romeo}/b`)
    presences.delete(`${romeo}/c`)
    expect([...presences.of(bare(romeo))].map(({ slice }) => `${slice.toBuffer()}`)).toEqual([
      expect.stringContaining('new'),
    ])
  })

  test.each([
    ['number', { presences: 2, bytes: 1000 }, 'x'],
    ['bytes', { presences: 10, bytes: 300 }, 'x'.repeat(50)],
  ])('are bounded in %s, the oldest go', (_, limits, content) => {
    const presences = new KnownPresences(limits)
    for (const resource of ['a', 'b', 'a', 'c']) presences.put(presence(`${romeo}/${resource}`, content))
    expect(known(presences, romeo)).toEqual([`${romeo}/a`, `${romeo}/c`])
  })

  test('of a domain are forgotten as one', () => {
    const presences = new KnownPresences()
    presences.put(presence(`${romeo}/a`))
    presences.put(presence('mercutio@verona.example/a'))
    presences.forget(domain('contoso.com'))
    expect([known(presences, romeo), presences.size]).toEqual([[], 1])
  })
})
