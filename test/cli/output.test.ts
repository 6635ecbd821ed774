import { describe, expect, test } from 'vitest'
import { formatSum, formatTable, tonedFindings } from '../../src/cli/output.ts'

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

describe('on a stream that shows colours', () => {
  const host = { isColoured: () => true }

  test('findings have that of their severity, and what stands around them has none', () => {
    const text = 'a.b: partner\nerror: a.b SRV: none\n; warning: b.c A: x\nno error: here\n'
    expect(tonedFindings(text, host)).toBe(
      'a.b: partner\n\x1b[31merror: a.b SRV: none\x1b[39m\n\x1b[33m; warning: b.c A: x\x1b[39m\nno error: here\n',
    )
    expect(tonedFindings(text, {})).toBe(text)
  })

  test.each([
    [0, 0, '\x1b[32mf: 0 errors, 0 warnings\x1b[39m\n'],
    [0, 1, '\x1b[33mf: 0 errors, 1 warning\x1b[39m\n'],
    [1, 2, '\x1b[31mf: 1 error, 2 warnings\x1b[39m\n'],
  ])('a sum of %i and %i has that of the worst', (errors, warnings, expected) => {
    expect(formatSum('f', errors, warnings, host)).toBe(expected)
  })
})
