import { describe, expect, test } from 'vitest'
import { isWithoutRoster, rosterItemsIn } from '../../src/policy/roster.ts'
import { toElement } from '../../src/xml/element.ts'
import { slicesOf } from '../xml/transcript.ts'

const iq = (content: string) =>
  toElement(slicesOf(`<iq>${content}</iq>`)[0]!, new Map([['', 'jabber:server']]))
const roster = (items: string) => rosterItemsIn(iq(`<query xmlns='jabber:iq:roster'>${items}</query>`))

describe('an item of a roster', () => {
  test.each([
    ["subscription='both'", true],
    ["subscription='to'", true],
    ["subscription='from'", true],
    ["subscription='none'", false],
    ['', false],
    ["subscription='none' ask='subscribe'", true],
    ["ask='subscribe'", true],
    ["subscription='none' ask='unsubscribe'", false],
    ["subscription='none' approved='true'", true],
    ["approved='1'", true],
    ["approved='false'", false],
    ["subscription='remove'", false],
    ["subscription='remove' ask='subscribe' approved='true'", false],
  ])('%s makes an authorised contact: %s', (attributes, isAuthorised) => {
    expect(roster(`<item jid='juliet@fabrikam.com' ${attributes}/>`)).toEqual([
      { contact: 'juliet@fabrikam.com', isAuthorised },
    ])
  })

  test('is read as addresses compare; one that is none is left out', () => {
    const items = ["jid='Juliet@Fabrikam.com/x'", "jid='@'", ''].map(
      jid => `<item ${jid} subscription='to'/>`,
    )
    expect(roster(items.join(''))).toEqual([{ contact: 'juliet@fabrikam.com', isAuthorised: true }])
  })
})

describe('a stanza', () => {
  test('without a roster brings none', () => {
    expect(
      rosterItemsIn(iq("<query xmlns='jabber:iq:version'><item jid='a@b.example'/></query>")),
    ).toBeUndefined()
    expect(roster('')).toEqual([])
  })

  test.each([
    ['item-not-found', true],
    ['service-unavailable', true],
    ['forbidden', false],
    ['internal-server-error', false],
    ['resource-constraint', false],
  ])('with the error %s says that there is no roster: %s', (condition, expected) => {
    const error = `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
    expect(isWithoutRoster(iq(error))).toBe(expected)
  })
})
