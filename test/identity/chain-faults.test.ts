import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../src/identity/certificate.ts'
import { type PathFault, trustAnchors, validatePath } from '../../src/identity/chain.ts'
import { oids } from '../../src/identity/oids.ts'
import { type CertificateOptions, createAuthority, daysFromNow } from '../support/certificates.ts'
import { below2, type Chain, forged, stack, unknownExtension } from './chains.ts'
import { opensslAccepts } from './openssl-verify.ts'

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
const outside = { nameConstraints: { permitted: { dns: ['contoso.com'] } } }

/** What can be wrong with an intermediate CA, whoever has issued it. */
const faultyCas: Readonly<Partial<Record<PathFault, CertificateOptions>>> = {
  expired,
  'not-yet-valid': { notBefore: daysFromNow(1), notAfter: daysFromNow(9) },
  'weak-key': { key: 'rsa1024' },
  'unknown-critical-extension': unknownExtension(true),
  'wrong-purpose': { eku: ['clientAuth'] },
  'not-a-ca': { keyUsage: ['cRLSign'] },
  'name-constraint': outside,
  'weak-signature': { signature: 'sha1' },
}
const rows = Object.entries(faultyCas) as [PathFault, CertificateOptions][]
const pairs = rows.flatMap(([one, its], index) =>
  rows
    .slice(index + 1)
    .flatMap(([other, too]) =>
      'notBefore' in its && 'notBefore' in too ? [] : [[one, other, { ...its, ...too }] as const],
    ),
)

describe('of a chain with several faults, all are told:', () => {
  test.each(rows)('%s in an intermediate, and a root that nobody trusts', async (fault, options) => {
    const chain = untrusted(below2({ root: { commonName: 'Root' }, intermediate: options }))
    expect(faultsOf(chain)).toEqual([`${fault} CN=CA 0`, 'unknown-authority CN=Root'])
    expect(await opensslAccepts({ at: new Date(), ...chain })).toBe(false)
  })

  test.each(pairs)('%s and %s in one intermediate', async (one, other, options) => {
    const chain = below2({ intermediate: options })
    expect(faultsOf(chain).toSorted()).toEqual([`${one} CN=CA 0`, `${other} CN=CA 0`].toSorted())
    expect(await opensslAccepts({ at: new Date(), ...chain })).toBe(false)
  })

  test('a leaf of SHA-1 from a root that nobody trusts', () => {
    const chain = below2({ root: { commonName: 'Root' }, leaf: { signature: 'sha1' } })
    expect(faultsOf(untrusted(chain))).toEqual([
      'weak-signature CN=fabrikam.com',
      'unknown-authority CN=Root',
    ])
  })

  test('the leaf first, then each CA on the way up, the end of the way last', () => {
    const root = createAuthority({ name: 'Root', ...expired })
    const leaf = { ...expired, eku: ['clientAuth'], signature: 'sha1' } as const
    const chain = stack(root, [{ pathLength: 0, ...outside }, { key: 'rsa1024' }], leaf)
    const told = [
      'expired CN=fabrikam.com',
      'wrong-purpose CN=fabrikam.com',
      'weak-signature CN=fabrikam.com',
      'weak-key CN=CA 1',
      'path-too-long CN=CA 0',
      'name-constraint CN=CA 0',
      'expired CN=Root',
    ]
    expect(faultsOf(chain)).toEqual(told)
    expect(faultsOf(untrusted(chain))).toEqual([...told, 'unknown-authority CN=Root'])
  })

  test('those of the way that was meant, whatever else was sent', () => {
    const chain = below2({ intermediate: expired })
    const stranger = createAuthority({ name: 'CA 0', key: 'rsa1024', ...expired })
    const unsigned = createAuthority({ name: 'CA 0', ...outside })
    const others = [stranger.certificate, unsigned.certificate, ...chain.others]
    for (const sent of [others, others.toReversed()])
      expect(faultsOf({ ...chain, others: sent })).toEqual(['expired CN=CA 0'])
  })
})

describe('no fault is told', () => {
  test('of a CA that has the name and has not signed', () => {
    const namesake = createAuthority({ name: 'CA 0', ...expired }).certificate
    expect(faultsOf({ ...below2({}), others: [namesake] })).toEqual(['bad-signature CN=fabrikam.com'])
    expect(faultsOf(forged(below2({ intermediate: expired })))).toEqual(['bad-signature CN=fabrikam.com'])
  })

  test('of the signature on a root', () => {
    const chain = below2({ root: { commonName: 'Root', signature: 'sha1' } })
    expect(faultsOf(untrusted(chain))).toEqual(['unknown-authority CN=Root'])
  })

  test('of a way up where there is a better one', () => {
    const chain = below2({ leaf: expired })
    const other = createAuthority({ name: 'CA 0', ...expired }).certificate
    expect(faultsOf({ ...chain, others: [other, ...chain.others] })).toEqual(['expired CN=fabrikam.com'])
  })
})

/** Each fault, and whose it is. */
function faultsOf({ leaf, others, anchors, at = new Date() }: Chain): string[] {
  const found = validatePath(parseCertificate(leaf), {
    others: others.map(parseCertificate),
    anchors: trustAnchors(anchors.map(parseCertificate)),
    purposes: [oids.serverAuth],
    at,
  })
  if (found.valid) return []
  expect(found).toMatchObject({ ...found.failures[0] })
  return found.failures.map(({ fault, certificate }) => `${fault} ${certificate.subject}`)
}

/** The root is sent along, and another one is trusted. */
function untrusted(chain: Chain): Chain {
  const others = [...chain.others, ...chain.anchors]
  return { ...chain, others, anchors: [createAuthority({ name: 'Another Root' }).certificate] }
}
