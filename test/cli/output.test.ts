import { describe, expect, test } from 'vitest'
import { formatTable } from '../../src/cli/output.ts'

describe('a table', () => {
  test.each([
    ['中文', 4],
    ['한국', 4],
    ['カナ', 4],
    ['ｶﾅ', 2],
    ['ＡＢ', 4],
    ['👍', 2],
    ['é', 1],
    ['𝒳', 1],
    ['münchen', 7],
  ])('gives %s the columns that a terminal does', (text, columns) => {
    const [first, second] = formatTable([
      [text, 'x'],
      ['1234567890', 'x'],
    ]).split('\n')
    expect(first).toBe(`${text}${' '.repeat(12 - columns)}x`)
    expect(second).toBe('1234567890  x')
  })

  test('has each row on one line', () => {
    expect(
      formatTable([
        ['two\r\nlines\n', 'and\ta tab'],
        ['\x1b[2J', 'x'],
      ]),
    ).toBe('two lines   and a tab\n\ufffd[2J        x\n')
  })
})
