import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PartnerType } from '../../src/policy/partner.ts'
import { noPrivileges } from '../../src/policy/privileges.ts'
import { describeMissing, PrivilegeWatch } from '../../src/routing/privilege-watch.ts'
import { domain } from '../support/inbound-peer.ts'
import { memoryLog } from '../support/log.ts'

const contoso = domain('contoso.com')
const fabrikam = domain('fabrikam.com')
const pair = { local: contoso, remote: fabrikam }

function watching(partners: Record<string, PartnerType> = { 'fabrikam.com': 'federated' }) {
  vi.useFakeTimers()
  const log = memoryLog()
  const granted = new Set<string>()
  const locals = [contoso]
  const watch = new PrivilegeWatch(
    {
      partnerType: of => partners[of],
      locals: () => locals,
      privileges: ({ local, remote }) => ({ ...noPrivileges, presence: granted.has(`${local} ${remote}`) }),
    },
    log,
  )
  onTestFinished(() => {
    watch.stop()
    vi.useRealTimers()
  })
  return { watch, log, granted, locals }
}

describe('a missing privilege', () => {
  test('is told once, some seconds after the component is up', () => {
    const { watch, log } = watching()
    watch.connected(fabrikam)
    vi.advanceTimersByTime(4999)
    expect([watch.missing, log.lines]).toEqual([[], []])
    vi.advanceTimersByTime(1)
    expect(watch.missing).toEqual([pair])
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'the server inside does not grant presence',
        fields: {
          ...pair,
          meaning: 'contact requests from fabrikam.com go to the users of contoso.com for an answer',
          see: 'docs/inside.md',
        },
      },
    ])
    watch.lost(fabrikam)
    expect(watch.missing).toEqual([])
    watch.connected(fabrikam)
    vi.advanceTimersByTime(5000)
    expect(watch.missing).toEqual([pair])
    expect(log.lines).toHaveLength(1)
  })

  test('is told again once it has been granted in between, and for a domain that is new', () => {
    const { watch, log, granted, locals } = watching()
    watch.connected(fabrikam)
    vi.advanceTimersByTime(5000)
    granted.add('contoso.com fabrikam.com')
    watch.look()
    expect(watch.missing).toEqual([])
    granted.clear()
    locals.push(domain('tailspin.example'))
    watch.look()
    expect(log.lines.map(({ fields }) => fields['local'])).toEqual([
      'contoso.com',
      'contoso.com',
      'tailspin.example',
    ])
  })

  test.each([
    ['granted in time', 'federated', true],
    ['with a publicUnverified partner', 'publicUnverified', false],
  ] as const)('is none where it is %s', (_, partnerType, isGranted) => {
    const { watch, log, granted } = watching({ 'fabrikam.com': partnerType })
    watch.connected(fabrikam)
    if (isGranted) granted.add('contoso.com fabrikam.com')
    vi.advanceTimersByTime(5000)
    expect([watch.missing, log.lines]).toEqual([[], []])
  })

  test('is none once the component is lost, or the gateway stops', () => {
    const { watch, log } = watching()
    watch.connected(fabrikam)
    watch.lost(fabrikam)
    expect(vi.getTimerCount()).toBe(0)
    watch.connected(fabrikam)
    watch.stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(log.lines).toEqual([])
  })
})

test('what is missing is put into words of bounded length', () => {
  expect(describeMissing([])).toBeUndefined()
  expect(describeMissing([pair])).toBe(
    'contact requests from fabrikam.com go to the users of contoso.com for an answer: the server inside does not grant presence (docs/inside.md)',
  )
  expect(describeMissing(Array(9).fill(pair))).toContain('; and so with 4 more pairs of domains: ')
})
