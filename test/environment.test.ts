import { describe, expect, test, vi } from 'vitest'
import type { Derived } from '../src/derived.ts'
import { judgeBy } from '../src/environment.ts'
import { parseCertificate } from '../src/identity/certificate.ts'
import { TrustStore } from '../src/identity/trust-store.ts'
import { createAuthority } from './support/certificates.ts'
import { domain } from './support/inbound-peer.ts'

const [fabrikam, adatum] = [domain('fabrikam.com'), domain('adatum.com')]
const root = createAuthority()
const chainOf = (notAfter: Date) => [parseCertificate(root.issueFor(fabrikam, { notAfter }).certificate)]
const tomorrow = () => new Date(Date.now() + 86_400_000)

/** What is in force, with these anchors. */
function derived(...anchors: ReturnType<typeof parseCertificate>[]): Derived {
  const config = { partners: { find: () => undefined } }
  return { config, trust: new TrustStore(anchors, false) } as unknown as Derived
}

describe('a chain that is asked about again and again', () => {
  const trusting = derived(parseCertificate(root.certificate))

  test('is judged once for a domain', () => {
    const judge = judgeBy(() => trusting)
    const chain = chainOf(tomorrow())
    const verdict = judge(chain, fabrikam, 'in')
    expect(verdict).toEqual({ valid: true })
    expect(judge(chain, fabrikam, 'in')).toBe(verdict)
    expect(judge(chain, adatum, 'in')).toMatchObject({ fault: 'wrong-name' })
    expect(judge(chain, fabrikam, 'in')).toEqual(verdict)
  })

  test('is judged anew after a reload', () => {
    let current = trusting
    const judge = judgeBy(() => current)
    const chain = chainOf(tomorrow())
    expect(judge(chain, fabrikam, 'in').valid).toBe(true)
    current = derived()
    expect(judge(chain, fabrikam, 'in')).toMatchObject({ fault: 'unknown-authority' })
  })

  test('is judged anew after ten seconds: it may have expired', () => {
    vi.useFakeTimers({ now: new Date(), toFake: ['Date'] })
    try {
      const judge = judgeBy(() => trusting)
      const chain = chainOf(new Date(Date.now() + 5_000))
      expect(judge(chain, fabrikam, 'in').valid).toBe(true)
      vi.setSystemTime(Date.now() + 10_000)
      expect(judge(chain, fabrikam, 'in')).toMatchObject({ fault: 'expired' })
    } finally {
      vi.useRealTimers()
    }
  })
})
