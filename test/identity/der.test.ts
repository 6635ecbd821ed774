import { describe, expect, test } from 'vitest'
import {
  context,
  type Der,
  decode,
  encode,
  integer,
  oid,
  readOid,
  sequence,
  time,
} from '../../src/identity/der.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('decoding', () => {
  test.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a length too long for what follows', '30 03 02 01'],
    ['octets behind the value', '30 00 00'],
    ['a length that is not minimal', '30 81 03 02 01 00'],
    ['an indefinite length (BER)', '30 80 02 01 00 00 00'],
    ['an INTEGER that is not minimal', '02 02 00 7f'],
    ['a tag above 30', '30 04 9f 02 01 00'],
    ['a length of four octets and more', '30 85 01 00 00 00 00'],
  ])('refuses %s', (_, octets) => {
    expect(() => decode(hex(octets))).toThrow()
  })

  test('goes 32 levels deep and no further', () => {
    const nested = (levels: number): Der => (levels === 1 ? sequence() : sequence(nested(levels - 1)))
    expect(encode(decode(encode(nested(32))))).toEqual(encode(nested(32)))
    expect(() => decode(encode(nested(33)))).toThrow('Max depth exceeded')
  })

  test('gives back an object identifier, and nothing else for one', () => {
    expect(readOid(decode(encode(oid('1.3.6.1.5.5.7.8.5'))))).toBe('1.3.6.1.5.5.7.8.5')
    expect(() => readOid(context(6, ''))).toThrow('an object identifier is missing')
  })
})

describe('encoding', () => {
  test.each([
    ['00', '02 01 00'],
    ['', '02 01 00'],
    ['7f', '02 01 7f'],
    ['80', '02 02 00 80'],
    ['0000007f', '02 01 7f'],
    ['000000ff01', '02 03 00 ff 01'],
  ])('writes the INTEGER of octets %j as %s', (octets, der) => {
    expect(encode(integer(hex(octets)))).toEqual(hex(der))
  })

  test.each([
    ['2049-12-31T23:59:59Z', '\x17\x0d491231235959Z'],
    ['2050-01-01T00:00:00Z', '\x18\x0f20500101000000Z'],
  ])('writes the time %s by RFC 5280 §4.1.2.5', (date, der) => {
    expect(encode(time(new Date(date))).toString('latin1')).toBe(der)
  })
})
