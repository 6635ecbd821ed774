import { describe, expect, test } from 'vitest'
import { explanation, oracle } from '../fuzz/oracle.ts'
import { fuzz } from '../fuzz/xml.ts'
import { transcript } from './transcript.ts'

test('The reader and saxes agree on 3,000 mutated streams, whole and cut', () => {
  const { accepted, refused, differences } = fuzz(3000, 1)
  expect(
    differences.map(({ document, what }) => `${JSON.stringify(document.toString('latin1'))}: ${what}`),
  ).toEqual([])
  expect(accepted).toBeGreaterThan(300)
  expect(refused).toBeGreaterThan(300)
})

describe('The reader differs from saxes', () => {
  const explained: readonly (readonly [why: string, stream: string, said: string])[] = [
    // Namespaces in XML 1.0 §3: a namespace name is the attribute's value as normalised, and that keeps spaces.
    ['saxes trims namespace names', "<a xmlns:p=' '><p:b/></a>", 'end'],
    ['saxes trims namespace names', "<a xmlns:p='urn:p ' xmlns:q='urn:p'><b p:c='' q:c=''/></a>", 'end'],
    // §4: a local part is an NCName, which begins with a NameStartChar.
    ['saxes checks how local names begin loosely', "<a xmlns:p='urn:p' p:1=''/>", 'fault not-well-formed'],
    ['saxes checks how local names begin loosely', "<a xmlns:1='urn:p'/>", 'fault not-well-formed'],
    ['saxes checks how local names begin loosely', "<a xmlns:p='urn:p'><p:-b/></a>", 'fault not-well-formed'],
    // RFC 6120 §11.7: what is between elements is white space, and a reference is none before it is resolved.
    ['white space by reference between elements', '<a>&#32;</a>', 'fault bad-format'],
  ]

  test.each(explained)('as %s: %s', (why, stream, said) => {
    const bytes = Buffer.from(stream)
    expect(transcript([bytes]).at(-1)).toBe(said)
    expect(oracle(bytes) === undefined).toBe(said === 'end')
    expect(explanation(bytes, said)).toBe(why)
  })
})
