import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { requirements } from '../../src/negotiation/stream.ts'
import { matrixNotes, matrixRows, noteText, rowFor, termsOf } from '../../src/policy/matrix.ts'

const copies = [
  new URL('negotiation-matrix.json', import.meta.url),
  new URL('../../../shared/spec/negotiation-matrix.json', import.meta.url),
].filter(existsSync)

describe('the negotiation matrix', () => {
  test.each(copies)('is the specification, row by row: %s', file => {
    const specified = JSON.parse(readFileSync(file, 'utf8'))
    expect(matrixRows).toStrictEqual(specified.rows)
    expect(matrixNotes).toStrictEqual(specified.notes)
  })

  test('judges every combination once', () => {
    const combinations = requirements.flatMap(tls =>
      requirements.flatMap(sasl => [true, false].map(dialback => ({ tls, sasl, dialback }))),
    )
    expect(combinations).toHaveLength(18)
    expect(new Set(combinations.map(rowFor)).size).toBe(18)
    for (const settings of combinations) expect(rowFor(settings)).toMatchObject(settings)
  })

  test('permits no method without the setting that it needs', () => {
    for (const { tls, sasl, dialback, methods } of matrixRows) {
      if (methods.includes('sasl-external-tls')) {
        expect(tls).not.toBe('notSupported')
        expect(sasl).not.toBe('notSupported')
      }
      if (methods.includes('dialback-tls')) expect([tls, dialback]).not.toContain('notSupported')
      if (methods.includes('dialback-tcp')) expect(tls).not.toBe('required')
      if (!dialback) expect(methods.filter(method => method.startsWith('dialback'))).toEqual([])
    }
  })
})

describe('the terms of a setting', () => {
  test('are the methods of its row', () => {
    expect(termsOf({ tls: 'required', sasl: 'optional', dialback: true })).toEqual({
      tls: 'required',
      methods: ['sasl-external-tls', 'dialback-tls'],
    })
  })

  test.each(matrixRows.filter(row => row.valid))('are never empty: $tls $sasl $dialback', row => {
    expect(termsOf(row).methods.length).toBeGreaterThan(0)
  })

  test.each(matrixRows.filter(row => !row.valid))('do not exist where they are invalid: $tls $sasl', row => {
    expect(() => termsOf(row)).toThrow(noteText(row))
  })
})
