import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Answer, columns, denials, stanzaRules, type Verdict } from '../../src/policy/verdict.ts'

const text = readFileSync(new URL('../../docs/partner-types.md', import.meta.url), 'utf8')

describe('docs/partner-types.md', () => {
  test('shows the rules as they are', () => {
    const rows = Object.entries(stanzaRules).flatMap(([kind, types]) =>
      Object.entries(types).map(([type, row]) => [kind, type, ...row.map(wordsOf)]),
    )
    const [head, ...body] = tableWith('| stanza | type |')
    expect(body).toEqual(rows)
    expect(head?.slice(2).map(cell => cell.replace('contact', 'welcome'))).toEqual(columns)
  })

  test('shows the answers as they are', () => {
    const rows = Object.entries<Answer>(denials).map(([rule, answer]) => [`\`${rule}\``, answerOf(answer)])
    expect(tableWith('| rule |').slice(1)).toEqual(rows)
  })
})

function wordsOf(verdict: Verdict): string {
  if ('rule' in verdict) return verdict.rule
  return verdict.do === 'pass' ? 'pass' : 'without notes'
}

function answerOf(answer: Answer): string {
  if (answer === undefined) return 'nothing'
  return answer === 'unsubscribed' ? 'presence of type `unsubscribed`' : `error \`<${answer.condition}/>\``
}

/** The cells of the table that begins so, its head first. */
function tableWith(head: string): string[][] {
  const lines = text.slice(text.indexOf(head)).split('\n')
  const rows = lines.slice(
    0,
    lines.findIndex(line => !line.startsWith('|')),
  )
  return rows
    .filter((_, at) => at !== 1)
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
}
