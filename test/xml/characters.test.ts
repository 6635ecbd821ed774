import { expect, test } from 'vitest'
import {
  decodeCharacter,
  isNameCharacter,
  isNameStart,
  isQualifiedName,
  isXmlCharacter,
} from '../../src/xml/characters.ts'

// As XML 1.0 (fifth edition) has them, but for the colon.
const nameStart =
  /^[A-Z_a-z\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{2FF}\u{370}-\u{37D}\u{37F}-\u{1FFF}\u{200C}-\u{200D}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}]$/u
const nameRest = /^(?:[-.0-9]|\u{B7}|[\u{300}-\u{36F}]|[\u{203F}-\u{2040}])$/u
const character = /^[\u{9}\u{A}\u{D}\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]$/u

test('Each code point is of the classes that XML 1.0 §2.2 and §2.3 give it', () => {
  const wrong: number[] = []
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    const text = String.fromCodePoint(codePoint)
    const starts = nameStart.test(text)
    const isRight =
      isXmlCharacter(codePoint) === character.test(text) &&
      isNameStart(codePoint) === starts &&
      isNameCharacter(codePoint) === (starts || nameRest.test(text))
    if (!isRight) wrong.push(codePoint)
  }
  expect(wrong).toEqual([])
  expect(isXmlCharacter(0x110000)).toBe(false)
})

test('Each character is decoded from its UTF-8', () => {
  const wrong: number[] = []
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
    const bytes = Buffer.from(String.fromCodePoint(codePoint))
    if (decodeCharacter(bytes, 0, bytes.length) !== codePoint) wrong.push(codePoint)
    if (bytes.length > 1 && decodeCharacter(bytes, 0, bytes.length - 1) !== -1) wrong.push(codePoint)
  }
  expect(wrong).toEqual([])
})

test('Nothing but UTF-8 passes for a character', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const isValid = (bytes: Buffer): boolean => {
    try {
      return decoder.decode(bytes).length > 0
    } catch {
      return false
    }
  }
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xff]
  for (let lead = 0x80; lead <= 0xff; lead++) {
    for (const second of edges) {
      expect(accepts(Buffer.from([lead, second]))).toBe(isValid(Buffer.from([lead, second])))
      for (const third of edges) {
        const bytes = Buffer.from([lead, second, third])
        if (lead >= 0xe0) expect(accepts(bytes), bytes.toString('hex')).toBe(isValid(bytes))
        for (const fourth of lead >= 0xf0 ? edges : []) {
          const longer = Buffer.from([lead, second, third, fourth])
          expect(accepts(longer), longer.toString('hex')).toBe(isValid(longer))
        }
      }
    }
  }
})

/** Are these bytes one character, which no surrogate and nothing above U+10FFFF is? */
function accepts(bytes: Buffer): boolean {
  const codePoint = decodeCharacter(bytes, 0, bytes.length)
  if (codePoint < 0 || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return false
  return Buffer.byteLength(String.fromCodePoint(codePoint)) === bytes.length
}

test('A qualified name has at most one colon, and a name on either side', () => {
  for (const name of ['a', 'a:b', '_', 'caf\u00e9:\u{10000}', 'a-1.\u00b7'])
    expect(isQualifiedName(name), name).toBe(true)
  for (const name of ['', ':', 'a:', ':a', 'a:b:c', '1', 'a:1', '\u00b7', 'a b', 'a\u00d7']) {
    expect(isQualifiedName(name), name).toBe(false)
  }
})
