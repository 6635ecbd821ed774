import { describe, expect, test } from 'vitest'
import { AddressCache } from '../../src/routing/address-cache.ts'
import { KnownRosters } from '../../src/routing/known-rosters.ts'
import { Rosters } from '../../src/routing/rosters.ts'
import { elementsOf } from '../../src/xml/reader.ts'
import type { Run } from '../../src/xml/run.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { bare } from '../support/contacts.ts'
import { domain } from '../support/inbound-peer.ts'

const remote = domain('fabrikam.com')
const source = { pause() {}, resume() {}, declarations: new Map([['', ns.component]]) }

describe('known rosters', () => {
  test.each([
    ['number', { rosters: 2, contacts: 100 }],
    ['contacts', { rosters: 100, contacts: 6 }],
  ])('are bounded in %s, the oldest go', (_, most) => {
    const runs: Run[] = []
    const inward = {
      send: (run: Run) => runs.push(run) > 0,
      whenDrained: (resume: () => void) => resume(),
      isFull: false,
    }
    const rosters = new Rosters(() => inward, new AddressCache(), new KnownRosters(most))
    const users = ['a', 'b', 'a', 'c'].map(name => bare(`${name}@contoso.com`))
    for (const user of users) {
      rosters.changed(user)
      rosters.ask(remote, user, () => {})
      const [question] = elementsOf(runs.at(-1)!.bytes, ns.component)
      const items = [1, 2, 3].map(i => `<item jid='${i}@fabrikam.com' subscription='to'/>`).join('')
      const answer = `<iq type='result' id='${question!.id}' from='${user}' to='fabrikam.com'><query xmlns='${ns.roster}'>${items}</query></iq>`
      const [slice] = elementsOf(Buffer.from(answer), ns.component)
      expect(rosters.hears(slice!, { local: domain('contoso.com'), remote }, source, true)).toBe(true)
    }
    const isKnown = (name: string) => rosters.find(remote, bare(`${name}@contoso.com`)) !== undefined
    expect(['a', 'b', 'c'].map(isKnown)).toEqual([true, false, true])
  })

  test('do not show to a partner whom another one has written to', () => {
    const asked: string[] = []
    const inward = (to: string) => ({
      send: ({ bytes }: Run) => asked.push(`${to}: ${bytes}`) > 0,
      whenDrained: (resume: () => void) => resume(),
      isFull: false,
    })
    const rosters = new Rosters(inward, new AddressCache())
    const user = bare('a@contoso.com')
    const other = domain('adatum.com')
    for (const partner of [remote, other]) {
      expect(rosters.ask(partner, user, () => {})).toBe(true)
      const id = /id='([^']*)'/.exec(asked.at(-1)!)![1]!
      const items = `<item jid='b@${remote}' subscription='to'/><item jid='b@${other}' subscription='to'/>`
      const answer = `<iq type='result' id='${id}' from='${user}' to='${partner}'><query xmlns='${ns.roster}'>${items}</query></iq>`
      const [slice] = elementsOf(Buffer.from(answer), ns.component)
      rosters.hears(slice!, { local: domain('contoso.com'), remote: partner }, source, true)
      expect(rosters.ask(partner, user, () => {})).toBe(false)
      expect(rosters.find(partner, user)).toMatchObject({ contacts: new Set([`b@${partner}`]) })
    }
    expect(asked).toHaveLength(2)
  })

  test('are not asked for where the inside takes nothing', () => {
    const inward = { send: () => expect.unreachable(), whenDrained() {}, isFull: true }
    const rosters = new Rosters(() => inward, new AddressCache())
    expect(rosters.ask(remote, bare('a@contoso.com'), () => {})).toBe(false)
  })
})
