import { describe, expect, test } from 'vitest'
import { notesIn } from '../../src/policy/privacy.ts'
import { Reader, type Slice } from '../../src/xml/reader.ts'
import { rewrite } from '../../src/xml/rewrite.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { wideLimits } from '../xml/transcript.ts'

/** What a public partner gets of a stanza from the inside; undefined = nothing. */
function seen(stanza: string, prefixes: Readonly<Record<string, string>> = {}): string | undefined {
  const declarations = new Map([['', ns.component], ...Object.entries(prefixes)])
  const slice = sliceOf(stanza, prefixes)
  const notes = notesIn(slice, declarations)
  if (notes === 'whole') return undefined
  if (notes === undefined) return slice.toBuffer().toString()
  return rewrite(slice, { from: ns.component, to: ns.server, declarations, cut: notes }).toString()
}

/** A stanza as it was read from a stream whose header declares these prefixes. */
function sliceOf(stanza: string, prefixes: Readonly<Record<string, string>>): Slice {
  const slices: Slice[] = []
  const handler = { header() {}, element: (slice: Slice) => void slices.push(slice), end() {} }
  const declared = Object.entries(prefixes).map(([prefix, namespace]) => ` xmlns:${prefix}='${namespace}'`)
  new Reader(ns.component, handler, wideLimits).write(
    Buffer.from(
      `<stream:stream xmlns='${ns.component}' xmlns:stream='${ns.stream}'${declared.join('')}>${stanza}`,
    ),
  )
  return slices[0]!
}

const event = (content: string) =>
  `<message from='r@contoso.com' to='j@fabrikam.com' type='headline'><event xmlns='${ns.pubsubEvent}'>${content}</event></message>`
const result = (content: string) =>
  `<iq type='result' id='1'><pubsub xmlns='${ns.pubsub}'>${content}</pubsub></iq>`
const mood = `<mood xmlns='${ns.mood}'><happy/></mood>`
const tune = "<items node='http://jabber.org/protocol/tune'><item id='1'><tune xmlns='urn:t'/></item></items>"

describe('a status note', () => {
  test.each([
    [
      'away',
      "<presence><status xml:lang='en'>in a meeting</status><show>away</show></presence>",
      '<presence><show>away</show></presence>',
    ],
    [
      'in two languages, white space around it',
      "<presence  type = 'unavailable' >\n<status>x</status> <priority>1</priority><status xml:lang='de'>y<![CDATA[<]]></status>&#10;</presence>",
      "<presence  type = 'unavailable' >\n <priority>1</priority>&#10;</presence>",
    ],
    ['empty', '<presence><status/></presence>', '<presence></presence>'],
    ...[ns.server, ns.client].map(content => [
      `of ${content}`,
      `<presence><status xmlns='${content}'>x</status></presence>`,
      '<presence></presence>',
    ]),
    [
      'under a prefix',
      "<presence><c:status xmlns:c='jabber:component:accept'>x</c:status></presence>",
      '<presence></presence>',
    ],
  ])('comes out of presence: %s', (_, stanza, expected) => {
    expect(seen(stanza)).toBe(expected)
  })

  test.each([
    '<presence><show>dnd</show></presence>',
    "<presence><x xmlns='urn:x'><status>not the user's</status></x></presence>",
    "<presence><status xmlns='urn:x'>not presence's</status></presence>",
    '<message><status>no presence</status><body>status</body></message>',
  ])('is none, and all stays: %s', stanza => {
    expect(seen(stanza)).toBe(stanza)
  })
})

describe('an event', () => {
  test.each([
    ['a mood', `<items node='${ns.mood}'><item id='1'>${mood}</item></items>`],
    ['an activity', `<items node='${ns.activity}'><item/></items>`],
    ['a mood taken back', `<items node='${ns.mood}'><retract id='1'/></items>`],
    ['a mood node emptied', `<purge node='${ns.mood}'/>`],
    ['a mood node deleted', `<delete node='${ns.mood}'/>`],
    ['nothing but moods', `<items node='${ns.mood}'><item/></items><purge node='${ns.mood}'/>`],
    ['a mood under another name', `<items node='urn:x'><item>${mood}</item></items>`],
    ['a mood, its node in disguise', "<items node='http://jabber.org/protocol/&#109;ood'><item/></items>"],
  ])('that tells %s does not go out', (_, content) => {
    expect(seen(event(content))).toBeUndefined()
  })

  test.each([ns.hints, ns.addresses, ns.headers, ns.delay, ns.stanzaIds])(
    'does not go out for %s beside it',
    beside => {
      const stanza = `<message><x xmlns='${beside}'><y/></x><event xmlns='${ns.pubsubEvent}'><purge node='${ns.mood}'/></event></message>`
      expect(seen(stanza)).toBeUndefined()
    },
  )

  const purge = `<purge node='${ns.activity}'/>`
  const inEvent = (content: string) => `<event xmlns='${ns.pubsubEvent}'>${content}</event>`
  test.each([
    ['a text', `<message><body/>${inEvent(purge)}</message>`, '<message><body/></message>'],
    [
      'another node',
      `<message>${inEvent(`${purge} ${tune}<items node='urn:x'><item>${mood}</item></items>${tune}${purge}`)}</message>`,
      `<message>${inEvent(` ${tune}${tune}`)}</message>`,
    ],
    [
      'another event',
      `<message>${inEvent(tune + purge)}${inEvent(purge + purge)}${inEvent(tune)}<x xmlns='urn:x'>${purge}</x>${inEvent(purge)}</message>`,
      `<message>${inEvent(tune)}${inEvent(tune)}<x xmlns='urn:x'>${purge}</x></message>`,
    ],
    [
      'an event of nothing',
      `<message>${inEvent('')}${inEvent(purge)}</message>`,
      `<message>${inEvent('')}</message>`,
    ],
  ])('goes out without a note where it tells more: %s', (_, stanza, expected) => {
    expect(seen(stanza)).toBe(expected)
  })

  test('does not go out where its prefix is declared by the header of the stream', () => {
    const stanza = event("<items node='urn:x'><item><m:mood><m:happy/></m:mood></item></items>")
    expect(seen(stanza, { m: ns.mood })).toBeUndefined()
    expect(seen(stanza, { m: 'urn:m' })).toContain('<m:happy/>')
  })

  test('comes out of an error that it is in', () => {
    const error = `<error type='cancel'/>`
    const stanza = event(`<items node='${ns.mood}'><item/></items>`).replace(
      '</message>',
      `${error}</message>`,
    )
    expect(seen(stanza)).toBe(
      `<message from='r@contoso.com' to='j@fabrikam.com' type='headline'>${error}</message>`,
    )
  })

  test.each([
    ['another event', event(tune)],
    ['a message about it', `<message><body>my ${ns.mood} is fine &#38; so on</body></message>`],
    ['a mood that belongs to a message (XEP-0107 §3)', `<message><body>hi</body>${mood}</message>`],
    ['no event of pubsub', `<message><event xmlns='urn:x'><items node='${ns.mood}'/></event></message>`],
  ])('goes out as it is where it is %s', (_, stanza) => {
    expect(seen(stanza)).toBe(stanza)
  })
})

describe('an answer from a node', () => {
  test.each([
    [
      'its items',
      result(`<items node='${ns.mood}'><item id='1'>${mood}</item> <item id='2'/></items>`),
      result(`<items node='${ns.mood}'> </items>`),
    ],
    [
      'what tells a mood under another name',
      result(`<items node='urn:x'><item id='1'>${mood}</item><item id='2'><y/></item></items>`),
      result(`<items node='urn:x'><item id='1'></item><item id='2'><y/></item></items>`),
    ],
    [
      'the items of that node only',
      result(`${tune}<items node='http://jabber.org/protocol/&#x61;ctivity'><item/></items>`),
      result(`${tune}<items node='http://jabber.org/protocol/&#x61;ctivity'></items>`),
    ],
  ])('goes out without %s', (_, stanza, expected) => {
    expect(seen(stanza)).toBe(expected)
  })

  test.each([
    result(tune),
    `<iq type='result'><query xmlns='${ns.discoItems}'><item jid='r@contoso.com' node='${ns.mood}'/></query></iq>`,
    `<iq type='result'><query xmlns='${ns.discoInfo}'><feature var='${ns.mood}'/></query></iq>`,
  ])('stays as it is: %s', stanza => {
    expect(seen(stanza)).toBe(stanza)
  })
})
