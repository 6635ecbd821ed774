import { describe, expect, test } from 'vitest'
import { readDialback, writeAnswer, writeRequest } from '../../src/negotiation/dialback.ts'
import { type Element, toElement } from '../../src/xml/element.ts'
import { domain } from '../support/inbound-peer.ts'
import { slicesOf } from '../xml/transcript.ts'

const element = (text: string): Element =>
  toElement(slicesOf(text)[0] ?? expect.fail('no element'), new Map([['db', 'jabber:server:dialback']]))

const names = "from='capulet.example' to='montague.example'"

describe('a dialback element', () => {
  test('is read with its domains prepared and its key trimmed', () => {
    const text = "<db:verify from='Capulet.Example.' to='MÜNCHEN.example' id=' x '>\n  abc\n</db:verify>"
    expect(readDialback(element(text))).toEqual({
      kind: 'verify',
      from: 'capulet.example',
      to: 'xn--mnchen-3ya.example',
      id: ' x ',
      key: 'abc',
      type: undefined,
      condition: undefined,
    })
  })

  test.each([
    ['without from', "<db:result to='montague.example'>k</db:result>"],
    ['without to', "<db:result from='capulet.example'>k</db:result>"],
    ['from what is no domain', "<db:result from='a@capulet.example' to='montague.example'>k</db:result>"],
    [
      'to an address with a resource',
      "<db:result from='capulet.example' to='montague.example/r'>k</db:result>",
    ],
    ['without a key', `<db:result ${names}/>`],
    ['with white space for a key', `<db:result ${names}>  </db:result>`],
    ['with a key of 1025 characters', `<db:result ${names}>${'k'.repeat(1025)}</db:result>`],
    ['that verifies no stream id', `<db:verify ${names}>k</db:verify>`],
    ['that verifies an empty stream id', `<db:verify ${names} id=''>k</db:verify>`],
    ['of an unknown type', `<db:result ${names} type='maybe'>k</db:result>`],
    ['of another name', `<db:other ${names}>k</db:other>`],
  ])('%s is malformed', (_, text) => {
    expect(readDialback(element(text))).toBe('malformed')
  })

  test('may have a key of 1024 characters, and an answer may have none', () => {
    expect(readDialback(element(`<db:result ${names}>${'k'.repeat(1024)}</db:result>`))).toHaveProperty('key')
    expect(readDialback(element(`<db:result ${names} type='valid'/>`))).toMatchObject({
      type: 'valid',
      key: '',
    })
  })

  const stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"

  test.each([
    ['the defined one', `<error type='cancel'><item-not-found ${stanzas}/></error>`, 'item-not-found'],
    ['the one behind a text', `<error><text ${stanzas}>x</text><gone ${stanzas}/></error>`, 'gone'],
    ['of another namespace', "<error><gone xmlns='urn:other'/></error>", 'undefined-condition'],
    ['unknown', `<error><constructor ${stanzas}/></error>`, 'undefined-condition'],
    ['missing', '<error/>', 'undefined-condition'],
    ['missing with its error', '', 'undefined-condition'],
  ])('of type error has a condition: %s', (_, content, condition) => {
    const read = readDialback(element(`<db:result ${names} type='error'>${content}</db:result>`))
    expect(read).toMatchObject({ type: 'error', condition })
  })
})

describe('the examples of XEP-0220 §2', () => {
  const pair = { local: domain('capulet.example'), remote: domain('montague.example') }
  const asker = { local: pair.remote, remote: pair.local }
  const back = { local: 'montague.example', remote: 'capulet.example' }
  const backNames = "from='montague.example' to='capulet.example'"
  const key = 'b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3'
  const id = 'D60000229F'

  test.each([
    ['step 1', writeRequest('result', pair, key), `<db:result ${names}>${key}</db:result>`],
    [
      'step 2',
      writeRequest('verify', asker, key, id),
      `<db:verify ${backNames} id='${id}'>${key}</db:verify>`,
    ],
    ['step 3', writeAnswer('verify', pair, 'valid', id), `<db:verify ${names} id='${id}' type='valid'/>`],
    [
      'step 3, invalid',
      writeAnswer('verify', pair, 'invalid', id),
      `<db:verify ${names} id='${id}' type='invalid'/>`,
    ],
    ['step 4', writeAnswer('result', back, 'valid'), `<db:result ${backNames} type='valid'/>`],
    ['step 4, invalid', writeAnswer('result', back, 'invalid'), `<db:result ${backNames} type='invalid'/>`],
    [
      'step 4, an error',
      writeAnswer('result', back, { condition: 'item-not-found' }),
      `<db:result ${backNames} type='error'><error type='cancel'>` +
        "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>",
    ],
  ])('are what is written: %s', (_, written, expected) => {
    expect(written).toBe(expected)
  })

  test('a key is escaped, whoever made it', () => {
    expect(writeRequest('verify', pair, '<&', '"1"')).toBe(
      `<db:verify ${names} id='&quot;1&quot;'>&lt;&amp;</db:verify>`,
    )
  })
})
