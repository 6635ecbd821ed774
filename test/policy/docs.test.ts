import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { matrixRows, noteText, termsOf } from '../../src/policy/matrix.ts'
import { partnerTypes, presets } from '../../src/policy/partner.ts'
import {
  type InitiatingPeer,
  inboundOutcome,
  type Outcome,
  outboundOutcome,
  type ReceivingPeer,
} from '../support/policy-outcome.ts'

const text = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
const validRows = matrixRows.filter(({ valid }) => valid)

/** The servers that the document describes, A to G. */
const initiating: readonly InitiatingPeer[] = [
  { tls: 'offered', certificate: 'valid', external: 'whenOffered', dialback: true },
  { tls: 'offered', certificate: 'valid', external: 'whenOffered', dialback: true },
  { tls: 'offered', certificate: 'self-signed', external: 'whenOffered', dialback: true },
  { tls: 'required', certificate: 'valid', external: 'whenOffered', dialback: false },
  { tls: 'required', certificate: 'expired', external: 'whenOffered', dialback: false },
  { tls: 'required', certificate: 'valid', external: 'never', dialback: true },
  { tls: 'none', certificate: 'none', external: 'never', dialback: true },
]

const receiving: readonly ReceivingPeer[] = [
  { tls: 'offered', certificate: 'valid', external: 'accepted', dialback: true },
  { tls: 'offered', certificate: 'valid', external: 'refused', dialback: true },
  { tls: 'offered', certificate: 'self-signed', external: 'accepted', dialback: true },
  { tls: 'required', certificate: 'valid', external: 'accepted', dialback: false },
  { tls: 'required', certificate: 'expired', external: 'accepted', dialback: false },
  { tls: 'required', certificate: 'valid', external: 'notOffered', dialback: true },
  { tls: 'none', certificate: 'valid', external: 'notOffered', dialback: true },
]

const words: Readonly<Record<Outcome['end'], string>> = {
  'sasl-external-tls': 'EXTERNAL',
  'dialback-tls': 'dialback, TLS',
  'dialback-tcp': 'dialback, clear',
  'connection-timeout': '-',
  'peer-leaves': '-',
  'remote-server-timeout': '-',
}

describe('docs/policy.md', () => {
  test('shows the matrix as it is', () => {
    const rows = matrixRows.map(row => {
      const { tls, sasl, dialback, valid, methods, severity } = row
      const note = noteText(row)
      const marked = severity === 'warning' ? `Warning: ${note}` : note
      return [tls, sasl, String(dialback), valid ? 'yes' : 'no', methods.join(', ') || '-', marked || '-']
    })
    expect(tableUnder('The 18 combinations')).toEqual(rows)
  })

  test('shows the presets as they are', () => {
    const rows = partnerTypes.map(type => {
      const { tls, sasl, dialback } = presets[type]
      return [`\`${type}\``, tls, sasl, String(dialback)]
    })
    expect(tablesUnder('The three settings')[1]).toEqual(rows)
  })

  test('tells what becomes of those who open a stream', () => {
    const rows = validRows.map(row => [
      settingsOf(row),
      ...initiating.map(peer => words[inboundOutcome(termsOf(row), peer).end]),
    ])
    expect(tableUnder('They open a stream to us')).toEqual(rows)
  })

  test('tells what becomes of streams that we open', () => {
    const rows = validRows.map(row => [
      settingsOf(row),
      ...receiving.map(peer => words[outboundOutcome(termsOf(row), peer).end]),
    ])
    expect(tableUnder('We open a stream to them')).toEqual(rows)
  })
})

function settingsOf({ tls, sasl, dialback }: (typeof matrixRows)[number]): string {
  return `${tls} / ${sasl} / ${dialback}`
}

function tableUnder(heading: string): string[][] | undefined {
  return tablesUnder(heading)[0]
}

/** The cells of each table between a heading and the next one; header and rule are left out. */
function tablesUnder(heading: string): string[][][] {
  const section = text.split(/^#+ /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
  const tables = section.match(/(?:^\|.*\n)+/gm) ?? []
  return tables.map(table => table.trimEnd().split('\n').slice(2).map(cellsOf))
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map(cell => cell.trim())
}
