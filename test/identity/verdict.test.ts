import { describe, expect, test } from 'vitest'
import { type Certificate, parseCertificate } from '../../src/identity/certificate.ts'
import { trustAnchors } from '../../src/identity/chain.ts'
import { type CertificateVerdict, judgeCertificate, type Trust } from '../../src/identity/verdict.ts'
import { parseDomain } from '../../src/xmpp/address.ts'
import {
  allNames,
  createAuthority,
  createSelfSigned,
  daysFromNow,
  type Issued,
} from '../support/certificates.ts'

const fabrikam = parseDomain('fabrikam.com') ?? expect.fail('no domain')

const read = (...issued: Issued[]): Certificate[] =>
  issued.map(({ certificate }) => parseCertificate(certificate))
const anchorsOf = (...issued: Issued[]) => trustAnchors(read(...issued))
const nobody: Trust = { anchors: anchorsOf() }
const judge = (chain: Certificate[], trust: Trust, at = new Date()) =>
  judgeCertificate(chain, fabrikam, trust, at)
const faultOf = (verdict: CertificateVerdict) => (verdict.valid ? 'valid' : verdict.fault)
const reasonOf = (verdict: CertificateVerdict) => (verdict.valid ? '' : verdict.reason)

describe('a partner certificate', () => {
  test('proves each domain it names, whichever way it names it', () => {
    const root = createAuthority()
    const trust = { anchors: anchorsOf(root) }
    for (const names of [
      { dns: ['fabrikam.com'] },
      { srv: ['_xmpp-server.fabrikam.com'] },
      { xmpp: ['fabrikam.com'] },
    ])
      expect(judge(read(root.issue({ names })), trust)).toEqual({ valid: true })
  })

  test('proves nothing by its common name', () => {
    const root = createAuthority()
    const verdict = judge(read(root.issue({ commonName: 'fabrikam.com' })), { anchors: anchorsOf(root) })
    expect(verdict).toMatchObject({
      valid: false,
      fault: 'wrong-name',
      code: 'certificate-wrong-name',
      reason:
        'the certificate presented for fabrikam.com is for no XMPP domain at all (its common name does not count)',
    })
  })

  test('proves no other domain, and the reason shows which it names, harmlessly', () => {
    const root = createAuthority()
    const names = {
      dns: ['contoso.com', 'a\nb', ...Array.from({ length: 9 }, (_, index) => `${index}.example`)],
    }
    expect(reasonOf(judge(read(root.issue({ names })), { anchors: anchorsOf(root) }))).toBe(
      'the certificate presented for fabrikam.com is for contoso.com, a?b, 0.example, 1.example, 2.example and 6 more',
    )
  })

  test('is missed where there is none', () => {
    expect(judge([], nobody)).toMatchObject({ valid: false, fault: 'none' })
  })

  test('that has expired is told with the day', () => {
    const root = createAuthority({ notBefore: daysFromNow(-999) })
    const at = new Date('2026-01-03T00:00:00Z')
    const notAfter = new Date('2026-01-02T12:00:00Z')
    const leaf = root.issueFor('fabrikam.com', { notBefore: new Date('2025-01-01'), notAfter })
    expect(judge(read(leaf), { anchors: anchorsOf(root) }, at)).toMatchObject({
      valid: false,
      fault: 'expired',
      code: 'certificate-expired',
      reason: 'certificate of fabrikam.com expired on 2026-01-02',
    })
  })

  test('is told with everything that is wrong, the first fault first', () => {
    const leaf = createSelfSigned({
      names: allNames('adatum.com'),
      notBefore: daysFromNow(-9),
      notAfter: daysFromNow(-1),
      eku: ['clientAuth'],
    })
    const verdict = judge(read(leaf), { anchors: anchorsOf(createAuthority()) })
    const codes = verdict.valid ? [] : verdict.faults.map(({ code }) => code)
    expect(codes).toEqual([
      'certificate-wrong-name',
      'certificate-expired',
      'certificate-wrong-purpose',
      'certificate-self-signed',
    ])
    expect(verdict).toMatchObject({ code: codes[0] })
    const pinned = judge(read(leaf), { ...nobody, pins: [read(leaf)[0]!.fingerprint] })
    expect(pinned.valid ? [] : pinned.faults.map(({ fault }) => fault)).toEqual(['wrong-name', 'expired'])
  })

  test('is told with what is wrong with its CAs, each by its name', () => {
    const root = createAuthority({ name: 'Elsewhere' })
    const dates = { notBefore: new Date('2025-01-01'), notAfter: new Date('2026-01-02') }
    const ca = root.intermediate({ commonName: 'Below', key: 'p224', ...dates })
    const verdict = judge(read(ca.issueFor('fabrikam.com'), ca, root), nobody)
    expect(verdict.valid ? [] : verdict.faults.map(({ reason }) => reason)).toEqual([
      'CA certificate "CN=Below" expired on 2026-01-02',
      expect.stringMatching('^CA certificate "CN=Below" has a weak or unsupported key'),
      'CA certificate "CN=Elsewhere" is a root of its own, and is not a trust anchor',
    ])
    expect(verdict).toMatchObject({ code: 'certificate-expired' })
  })

  test('is told with eight faults at most, however many a peer has made', () => {
    const old = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1), key: 'p224' } as const
    const above = [createAuthority({ name: 'Elsewhere', ...old })]
    for (const level of [1, 2, 3, 4, 5])
      above.unshift(above[0]!.intermediate({ commonName: `${level}`, ...old }))
    const verdict = judge(read(above[0]!.issueFor('fabrikam.com'), ...above), nobody)
    expect(verdict.valid ? [] : verdict.faults).toHaveLength(8)
  })

  test('has to be for clients too where that is asked', () => {
    const root = createAuthority()
    const trust = { anchors: anchorsOf(root), requireClientAuthEku: true }
    expect(faultOf(judge(read(root.issueFor('fabrikam.com')), trust))).toBe('wrong-purpose')
    const both = root.issueFor('fabrikam.com', { eku: ['serverAuth', 'clientAuth'] })
    expect(faultOf(judge(read(both), trust))).toBe('valid')
  })

  test('below a CA that is not trusted is told with the CA', () => {
    const leaf = createAuthority({ name: 'Elsewhere' }).issueFor('fabrikam.com')
    expect(reasonOf(judge(read(leaf), nobody))).toBe(
      'certificate of fabrikam.com was issued by "CN=Elsewhere", which is not a trust anchor and was not sent along',
    )
  })
})

describe('own anchors of a partner', () => {
  test('count alone', () => {
    const [common, own] = [createAuthority({ name: 'Common' }), createAuthority({ name: 'Own' })]
    const trust = { anchors: anchorsOf(common), ownAnchors: anchorsOf(own) }
    expect(faultOf(judge(read(own.issueFor('fabrikam.com')), trust))).toBe('valid')
    expect(faultOf(judge(read(common.issueFor('fabrikam.com')), trust))).toBe('unknown-authority')
  })
})

describe('pins', () => {
  const pinOf = (issued: Issued) => parseCertificate(issued.certificate).fingerprint

  test('need no path, no anchor and no purpose', () => {
    const leaf = createSelfSigned({ names: allNames('fabrikam.com'), eku: ['clientAuth'] })
    expect(judge(read(leaf), { ...nobody, pins: [read(leaf)[0]!.fingerprint] })).toEqual({ valid: true })
  })

  test('count alone, also against a trusted CA', () => {
    const root = createAuthority()
    const pins = [pinOf(root.issueFor('fabrikam.com'))]
    const verdict = judge(read(root.issueFor('fabrikam.com')), { anchors: anchorsOf(root), pins })
    expect(faultOf(verdict)).toBe('not-pinned')
  })

  test('do not pin a CA', () => {
    const root = createAuthority()
    const trust = { anchors: anchorsOf(root), pins: [pinOf(root)] }
    expect(faultOf(judge(read(root.issueFor('fabrikam.com'), root), trust))).toBe('not-pinned')
  })

  test('beside own anchors: either suffices', () => {
    const own = createAuthority({ name: 'Own' })
    const pinned = createSelfSigned({ names: allNames('fabrikam.com') })
    const trust = { ...nobody, ownAnchors: anchorsOf(own), pins: [pinOf(pinned)] }
    expect(faultOf(judge(read(pinned), trust))).toBe('valid')
    expect(faultOf(judge(read(own.issueFor('fabrikam.com')), trust))).toBe('valid')
    expect(faultOf(judge(read(createSelfSigned({ names: allNames('fabrikam.com') })), trust))).toBe(
      'self-signed',
    )
  })

  test('do not make up for dates', () => {
    const leaf = createSelfSigned({ names: allNames('fabrikam.com') })
    const trust = { ...nobody, pins: [pinOf(leaf)] }
    expect(faultOf(judge(read(leaf), trust, daysFromNow(31)))).toBe('expired')
    expect(faultOf(judge(read(leaf), trust, daysFromNow(-2)))).toBe('not-yet-valid')
  })

  test('do not make up for names', () => {
    const leaf = createSelfSigned({ names: allNames('contoso.com') })
    expect(faultOf(judge(read(leaf), { ...nobody, pins: [read(leaf)[0]!.fingerprint] }))).toBe('wrong-name')
  })
})
