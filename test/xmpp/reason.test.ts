import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pathFaults } from '../../src/identity/chain.ts'
import {
  type Culprit,
  certificateCode,
  type ReasonCode,
  reasonGroups,
  reasons,
} from '../../src/xmpp/reason.ts'

const document = new URL('../../docs/reasons.md', import.meta.url)
const root = new URL('../../src/', import.meta.url)
const codes = Object.keys(reasons) as ReasonCode[]

const faults = {
  ours: 'ours',
  partner: 'the partner',
  network: 'the network',
  policy: 'the policy',
  nobody: 'nobody',
} as const satisfies Record<Culprit, string>

/** What docs/reasons.md has between its introduction and its end. */
function tables(): string {
  return Object.entries(reasonGroups)
    .map(([heading, group]) => {
      const rows = group.map(code => {
        const { title, fault, remedy } = reasons[code]
        return `| \`${code}\` | ${title} | ${faults[fault]} | ${remedy} |`
      })
      return [
        `## ${heading}`,
        '',
        '| code | what it means | whose fault, mostly | what to do |',
        '| --- | --- | --- | --- |',
        ...rows,
        '',
      ].join('\n')
    })
    .join('\n')
}

describe('the reason codes', () => {
  test('are told in docs/reasons.md as they are; `-u` renews it', async () => {
    const text = readFileSync(document, 'utf8')
    const introduction = text.slice(0, text.indexOf('## '))
    await expect(introduction + tables()).toMatchFileSnapshot(document.pathname)
  })

  test('are names that go into labels and greps, in one group each', () => {
    for (const code of codes) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(Object.values(reasonGroups).flat()).toEqual(codes)
  })

  test('have each a sentence and a remedy that fit into a table', () => {
    for (const { title, remedy } of Object.values(reasons)) {
      expect(title).toMatch(/^[A-Z][^|\n]+\.$/)
      expect(remedy).toMatch(/^[A-Z][^|\n]+[.?]$/)
    }
  })

  test('lay no fault on the partner where the remedy begins with what is ours to look at', () => {
    const isOurs = /partner list|additionalDomains|this machine|cert check|\bour (DNS|domain|port)\b/
    const ours = codes.filter(code => isOurs.test(/^.*?[.?](?= |$)/.exec(reasons[code].remedy)![0]))
    expect(ours.length).toBeGreaterThan(3)
    expect(ours.filter(code => reasons[code].fault === 'partner')).toEqual([])
  })

  test('have one for every fault of a certificate, and none more', () => {
    const all = (['none', 'wrong-name', 'not-pinned', ...pathFaults] as const).map(certificateCode)
    expect(codes.filter(code => code.startsWith('certificate-')).toSorted()).toEqual(all.toSorted())
  })

  test('are all in use', () => {
    const source = globSync('**/*.ts', { cwd: root })
      .filter(path => !/^xmpp\/reasons?(-\w+)?\.ts$/.test(path))
      .map(path => readFileSync(new URL(path, root), 'utf8'))
      .join('')
    const isUsed = (code: ReasonCode) => code.startsWith('certificate-') || source.includes(`'${code}'`)
    expect(codes.filter(code => !isUsed(code))).toEqual([])
  })
})
