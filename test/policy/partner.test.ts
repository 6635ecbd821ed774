import { describe, expect, test } from 'vitest'
import {
  definePartner,
  judgePolicy,
  negotiationOf,
  type PartnerType,
  partnerList,
  presets,
} from '../../src/policy/partner.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'

const domain = (text: string): Domain => parseDomain(text)!
const fabrikam = domain('fabrikam.com')

describe('a partner', () => {
  test.each<[PartnerType, unknown]>([
    ['federated', { tls: 'required', sasl: 'required', dialback: false }],
    ['publicVerified', { tls: 'required', sasl: 'optional', dialback: true }],
    ['publicUnverified', { tls: 'required', sasl: 'optional', dialback: true }],
  ])('of type %s has its presets where its entry says nothing', (partnerType, expected) => {
    expect(negotiationOf({ partnerType })).toEqual(expected)
  })

  test('keeps each setting that its entry gives', () => {
    const partner = definePartner({
      primaryDomain: fabrikam,
      partnerType: 'federated',
      saslNegotiation: 'optional',
      dialbackNegotiation: true,
    })
    expect(partner).toMatchObject({ tlsNegotiation: 'required', saslNegotiation: 'optional' })
    expect(partner.terms).toEqual({ tls: 'required', methods: ['sasl-external-tls', 'dialback-tls'] })
  })

  test('has every preset valid', () => {
    for (const [type, settings] of Object.entries(presets)) {
      expect(judgePolicy(type as PartnerType, settings).error).toBeUndefined()
    }
  })

  test('cannot be made of settings that the matrix holds invalid', () => {
    const entry = {
      primaryDomain: fabrikam,
      partnerType: 'federated',
      tlsNegotiation: 'notSupported',
    } as const
    expect(() => definePartner(entry)).toThrow('no method can succeed')
  })
})

describe('judging a policy', () => {
  const clear = { tls: 'notSupported', sasl: 'notSupported', dialback: true } as const

  test('warns of full trust over clear text', () => {
    expect(judgePolicy('federated', clear).warnings).toEqual([expect.stringContaining('clear text')])
  })

  test('adds that warning to the one of the matrix', () => {
    expect(judgePolicy('federated', { ...clear, sasl: 'required' }).warnings).toHaveLength(2)
  })

  test('does not warn of it where the trust is not full, or TLS can be had', () => {
    expect(judgePolicy('publicVerified', clear).warnings).toEqual([])
    expect(judgePolicy('federated', { ...clear, tls: 'optional' }).warnings).toEqual([])
  })

  test('says by the note of the matrix what is invalid', () => {
    expect(judgePolicy('federated', { tls: 'required', sasl: 'notSupported', dialback: false })).toEqual({
      error: 'SASL or dialback must be enabled.',
      warnings: [],
    })
  })
})

describe('the partner list', () => {
  const partner = definePartner({
    primaryDomain: fabrikam,
    additionalDomains: [domain('corp.fabrikam.com'), domain('münchen.example')],
    partnerType: 'federated',
  })
  const list = partnerList([partner])

  test('finds a partner by each of its domains, the primary one first among them', () => {
    expect(partner.domains).toEqual(['fabrikam.com', 'corp.fabrikam.com', 'xn--mnchen-3ya.example'])
    for (const listed of partner.domains) expect(list.find(listed)).toBe(partner)
  })

  test.each(['it.fabrikam.com', 'com', 'fabrikam.com.example'])('does not imply %s', other => {
    expect(list.find(domain(other))).toBeUndefined()
  })
})
