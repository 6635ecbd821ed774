import { describe, expect, test } from 'vitest'
import { Attempt } from '../../src/telemetry/attempt.ts'
import type { AttemptRecord, TimedStep } from '../../src/xmpp/attempt.ts'

const about = { direction: 'in', purpose: 'stanzas', local: 'contoso.com', remote: 'fabrikam.com' } as const
const refused = { code: 'not-a-partner', reason: 'no' } as const

function attempt() {
  const records: AttemptRecord[] = []
  const steps: TimedStep[] = []
  const made = new Attempt(about, { record: record => records.push(record), step: step => steps.push(step) })
  return { made, records, steps }
}

describe('an attempt', () => {
  test('is told at its outcome, and once more at the end of its stream', () => {
    const { made, records, steps } = attempt()
    made.tell({ step: 'accepted', address: '192.0.2.1' })
    made.authenticated('dialback-tls')
    made.ended({ code: 'connection-lost', reason: 'ECONNRESET' })
    made.ended({ code: 'idle', reason: 'idle' })
    made.failed(refused)
    const outcome = { is: 'authenticated', method: 'dialback-tls' }
    expect(records).toMatchObject([
      { ...about, outcome, closed: null, steps: [{ step: 'accepted', ms: expect.any(Number) }] },
      { outcome, closed: { side: 'network', code: 'connection-lost' } },
    ])
    expect(new Set(records.map(({ id }) => id)).size).toBe(1)
    expect(steps).toHaveLength(1)
  })

  test('that has failed stays so', () => {
    const { made, records } = attempt()
    made.failed(refused)
    made.authenticated('dialback-tls')
    made.ended({ code: 'idle', reason: 'idle' })
    expect(records).toMatchObject([
      { outcome: { is: 'failed', ...refused }, closed: null },
      { outcome: { is: 'failed', ...refused }, closed: { code: 'idle', side: 'us' } },
    ])
  })

  test('may turn out to be for more than questions about keys', () => {
    const { made, records } = attempt()
    made.authenticated(null)
    made.authenticated('dialback-tls')
    expect(records.map(({ purpose }) => purpose)).toEqual(['verification', 'stanzas'])
  })

  test('fails where a peer that has asked about a key wants more, in vain', () => {
    const { made, records } = attempt()
    made.authenticated(null)
    made.ended({ code: 'peer-closed', reason: 'closed by the peer' })
    made.failed({ code: 'dialback-key-denied', reason: 'no' })
    expect(records.at(-1)).toMatchObject({
      purpose: 'stanzas',
      outcome: { is: 'failed', code: 'dialback-key-denied' },
      closed: { code: 'peer-closed', side: 'peer' },
    })
  })

  test('is of whom the peer says it is until it has proven it: by a certificate that is valid, or by getting in', () => {
    const { made, records } = attempt()
    made.authenticated(null)
    made.proven()
    made.ended({ code: 'idle', reason: 'idle' })
    expect(made.isOver).toBe(false)
    made.names = { local: 'contoso.com', remote: 'northwind.example' }
    expect(records.map(({ claimed }) => claimed)).toEqual([true, false])
    const other = attempt()
    other.made.proven()
    other.made.names = { local: 'contoso.com', remote: 'northwind.example' }
    other.made.authenticated(null)
    other.made.authenticated('dialback-tls')
    expect(other.records).toMatchObject([{ claimed: true }, { claimed: false, remote: 'northwind.example' }])
    expect(other.made.isOver).toBe(true)
  })

  test('takes 8 KiB at most, whatever a peer does; its first and last steps stay', () => {
    const { made, records } = attempt()
    const long = 'ü'.repeat(5000)
    const shown = { subject: long, issuer: long, notBefore: long, notAfter: long, fingerprint: long }
    for (let at = 0; at < 1000; at += 1) {
      made.tell({ step: 'note', reason: `no. ${at}` })
      made.tell({ step: 'certificate', shown: { ...shown, names: Array(99).fill(long) }, faults: [] })
      made.tell({ step: 'header', from: null, to: null })
    }
    made.tell({ step: 'note', reason: 'the last' })
    made.failed({ code: 'protocol-violation', reason: long })
    made.ended({ code: 'peer-stream-error', reason: '"'.repeat(5000) })
    const record = records.at(-1)
    expect(Buffer.byteLength(JSON.stringify(record))).toBeLessThanOrEqual(8192)
    expect(record!.steps[0]).toMatchObject({ reason: 'no. 0' })
    expect(record!.steps.at(-1)).toMatchObject({ reason: 'the last' })
    const left = record!.steps.find(({ step }) => step === 'left-out')
    expect(left).toMatchObject({ count: 3001 - (record!.steps.length - 1) })
  })

  test('has why it failed whole, in the step and in the outcome alike', () => {
    const { made, records } = attempt()
    const reason = `no permitted method is left: ${'what the partner has said, and '.repeat(20)}why`
    const why = { code: 'no-permitted-method', reason } as const
    made.tell({ step: 'failed', ...why })
    made.ended(why)
    made.failed(why)
    expect(records[0]).toMatchObject({ steps: [why], outcome: why, closed: why })
  })

  test('shows nothing that a terminal would obey', () => {
    const { made, records } = attempt()
    made.tell({ step: 'note', reason: 'a\u001b[2Jb\r\nc\u202ed' })
    made.failed({ code: 'protocol-violation', reason: '\u0007' })
    expect(records[0]).toMatchObject({ steps: [{ reason: 'a?[2Jb??c?d' }], outcome: { reason: '?' } })
  })
})
