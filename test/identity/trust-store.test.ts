import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../src/identity/certificate.ts'
import { TrustStore } from '../../src/identity/trust-store.ts'
import { judgeCertificate } from '../../src/identity/verdict.ts'
import { type Authority, createAuthority, type Issued } from '../support/certificates.ts'
import { domain } from '../support/inbound-peer.ts'

const common = createAuthority({ name: 'Common' })
const own = createAuthority({ name: 'Own' })
const nobody = { trustAnchorsPem: [], pinnedCertificates: [] }
const storeOf = (anchor: Authority, requireClientAuthEku = false) =>
  new TrustStore([parseCertificate(anchor.certificate)], requireClientAuthEku)

function isTrusted(store: TrustStore, partner: Parameters<TrustStore['for']>[0], leaf: Issued): boolean {
  const chain = [parseCertificate(leaf.certificate)]
  return judgeCertificate(chain, domain('fabrikam.com'), store.for(partner), new Date()).valid
}

describe('the trust of a partner', () => {
  const byCommon = common.issueFor('fabrikam.com')
  const byOwn = own.issueFor('fabrikam.com')
  const pinOf = (leaf: Issued) => parseCertificate(leaf.certificate).fingerprint

  test.each([
    { what: 'the common anchors where it has none of its own', partner: nobody, trusts: ['common'] },
    {
      what: 'its own anchors only, where it has some',
      partner: { ...nobody, trustAnchorsPem: [own.certificatePem] },
      trusts: ['own'],
    },
    {
      what: 'every anchor that its files hold',
      partner: { ...nobody, trustAnchorsPem: [own.certificatePem + common.certificatePem] },
      trusts: ['common', 'own'],
    },
    {
      what: 'its pins only, where it has no anchors',
      partner: { ...nobody, pinnedCertificates: [pinOf(byOwn)] },
      trusts: ['own'],
    },
    {
      what: 'either, where it has pins and anchors',
      partner: { trustAnchorsPem: [common.certificatePem], pinnedCertificates: [pinOf(byOwn)] },
      trusts: ['common', 'own'],
    },
  ])('is $what', ({ partner, trusts }) => {
    const store = storeOf(common)
    const leaves = { common: byCommon, own: byOwn }
    const trusted = Object.entries(leaves).filter(([, leaf]) => isTrusted(store, partner, leaf))
    expect(trusted.map(([name]) => name)).toEqual(trusts)
  })

  test('asks for clientAuth where the gateway does', () => {
    const both = common.issueFor('fabrikam.com', { eku: ['serverAuth', 'clientAuth'] })
    expect(isTrusted(storeOf(common, true), nobody, byCommon)).toBe(false)
    expect(isTrusted(storeOf(common, true), nobody, both)).toBe(true)
  })

  test('is read once', () => {
    const store = storeOf(common)
    expect(store.for(nobody)).toBe(store.for(nobody))
  })

  test('cannot be had of what is no certificate', () => {
    const partner = {
      ...nobody,
      trustAnchorsPem: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    }
    expect(() => storeOf(common).for(partner)).toThrow('malformed certificate')
  })
})
