import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../src/identity/certificate.ts'
import { type PathFault, type PathFinding, trustAnchors, validatePath } from '../../src/identity/chain.ts'
import { oids } from '../../src/identity/oids.ts'
import { createAuthority, daysFromNow } from '../support/certificates.ts'
import {
  below,
  below2,
  type Chain,
  crossSigned,
  forged,
  issuedByLeaf,
  loop,
  namesake,
  selfIssued,
  selfSigned,
  shuffled,
  stack,
  unknownExtension,
} from './chains.ts'
import { opensslAccepts } from './openssl-verify.ts'

type Row = readonly [what: string, expected: 'valid' | PathFault, build: () => Chain]

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
const future = { notBefore: daysFromNow(1), notAfter: daysFromNow(9) }
const outside = { nameConstraints: { permitted: { dns: ['contoso.com'] } } }
const anyIp = { excluded: { ip: [Buffer.alloc(8)] } }

const agreed: readonly Row[] = [
  ['a leaf below the root', 'valid', () => below({})],
  ['a leaf below an intermediate that was sent', 'valid', () => below2({})],
  ['a chain sent upside down, with its root and a stranger', 'valid', shuffled],
  ['a path of eight', 'valid', () => stack(createAuthority(), [{}, {}, {}, {}, {}, {}])],
  ['an intermediate that was not sent', 'unknown-authority', () => ({ ...below2({}), others: [] })],
  ['a root nobody trusts, not sent', 'unknown-authority', () => ({ ...below({}), anchors: anotherRoot() })],
  ['a root nobody trusts, sent', 'unknown-authority', untrustedRootSent],
  ['no anchor of the name but a namesake', 'bad-signature', namesake],
  ['a forged signature', 'bad-signature', () => forged(below({}))],
  ['two CAs that have signed each other', 'unknown-authority', loop],
  ['an expired and a good certificate of one CA', 'valid', crossSigned],
  ['a self-signed leaf', 'self-signed', () => selfSigned({ isAnchor: false })],
  ['a self-signed leaf that is an anchor', 'valid', () => selfSigned({ isAnchor: true })],
  ['many names and many constraints', 'valid', () => crowded({ names: 200, subtrees: 1000 })],
  [
    'a self-signed CA certificate as leaf and anchor',
    'valid',
    () => selfSigned({ isAnchor: true, isCa: true }),
  ],
  ['an expired self-signed anchor', 'expired', () => selfSigned({ isAnchor: true, ...expired })],
  ['an intermediate as the anchor', 'valid', () => anchoredAt(below2({}), chain => chain.others)],
  ['the leaf itself as the anchor', 'valid', () => anchoredAt(below2({}), chain => [chain.leaf])],
  ['an expired leaf', 'expired', () => below({}, expired)],
  ['a leaf of tomorrow', 'not-yet-valid', () => below({}, future)],
  ['a leaf that was good at the time', 'valid', () => ({ ...below(expired, expired), at: daysFromNow(-5) })],
  ['an expired intermediate', 'expired', () => below2({ intermediate: expired })],
  ['an expired root', 'expired', () => below(expired)],
  ['an issuer that is a leaf', 'not-a-ca', () => issuedByLeaf({})],
  [
    'an issuer without basicConstraints',
    'not-a-ca',
    () => issuedByLeaf({ isCa: 'absent', keyUsage: 'absent' }),
  ],
  ['a CA that may not sign', 'not-a-ca', () => below2({ intermediate: { keyUsage: ['cRLSign'] } })],
  ['a CA without key usage', 'valid', () => below2({ intermediate: { keyUsage: 'absent' } })],
  ['path length 0 at the issuer', 'valid', () => below2({ intermediate: { pathLength: 0 } })],
  [
    'path length 0 at the root, and an intermediate',
    'path-too-long',
    () => below2({ root: { pathLength: 0 } }),
  ],
  ['path length 0 further down', 'path-too-long', () => stack(createAuthority(), [{ pathLength: 0 }, {}])],
  ['path length 0 and a self-issued intermediate', 'valid', selfIssued],
  ['clientAuth alone', 'wrong-purpose', () => below({}, { eku: ['clientAuth'] })],
  ['codeSigning alone', 'wrong-purpose', () => below({}, { eku: ['codeSigning'] })],
  ['serverAuth and clientAuth', 'valid', () => below({}, { eku: ['serverAuth', 'clientAuth'] })],
  ['no extended key usage', 'valid', () => below({}, { eku: 'absent' })],
  [
    'an intermediate for clientAuth',
    'wrong-purpose',
    () => below2({ intermediate: { eku: ['clientAuth'] } }),
  ],
  ['an intermediate for serverAuth', 'valid', () => below2({ intermediate: { eku: ['serverAuth'] } })],
  ['a root for clientAuth', 'wrong-purpose', () => below({ eku: ['clientAuth'] })],
  [
    'a leaf key that only signs certificates',
    'wrong-purpose',
    () => below({}, { keyUsage: ['keyCertSign'] }),
  ],
  ['a leaf key that only agrees on keys', 'valid', () => below({}, { keyUsage: ['keyAgreement'] })],
  ['a leaf without key usage', 'valid', () => below({}, { keyUsage: 'absent' })],
  ['an unknown critical extension', 'unknown-critical-extension', () => below({}, unknownExtension(true))],
  ['one in a CA', 'unknown-critical-extension', () => below2({ intermediate: unknownExtension(true) })],
  ['an unknown extension that is not critical', 'valid', () => below({}, unknownExtension(false))],
  ['a leaf signed with SHA-1', 'weak-signature', () => below({}, { signature: 'sha1' })],
  [
    'an intermediate signed with SHA-1',
    'weak-signature',
    () => below2({ intermediate: { signature: 'sha1' } }),
  ],
  ['a root signed with SHA-1', 'valid', () => below({ signature: 'sha1' })],
  ['RSA 2048', 'valid', () => below({ key: 'rsa2048' }, { key: 'rsa2048' })],
  ['RSA 1024 in the leaf', 'weak-key', () => below({}, { key: 'rsa1024' })],
  ['RSA 1024 in the root', 'weak-key', () => below({ key: 'rsa1024' })],
  ['P-384 and Ed25519', 'valid', () => below({ key: 'ed25519' }, { key: 'p384' })],
  ['a permitted name', 'valid', () => below2({ intermediate: confined('permitted', 'fabrikam.com') })],
  ['a name outside', 'name-constraint', () => below2({ intermediate: outside })],
  ['a name outside the root', 'name-constraint', () => below2({ root: outside })],
  [
    'an excluded name',
    'name-constraint',
    () => below2({ intermediate: confined('excluded', 'fabrikam.com') }),
  ],
  ['another excluded name', 'valid', () => below2({ intermediate: confined('excluded', 'it.fabrikam.com') })],
  ['excluded addresses, and no address', 'valid', () => below2({ intermediate: { nameConstraints: anyIp } })],
]

// Where we part from OpenSSL, and why.
const differing: readonly (readonly [...Row, why: string])[] = [
  [
    'anyExtendedKeyUsage',
    'valid',
    () => below({}, { eku: ['any'] }),
    'RFC 5280 §4.2.1.12 leaves it to the application, and OpenSSL says no',
  ],
  [
    'P-224',
    'weak-key',
    () => below({}, { key: 'p224' }),
    'TLS peers do not support the curve; OpenSSL counts its 112 bits as enough',
  ],
  [
    'an XmppAddr outside the permitted DNS names',
    'name-constraint',
    () =>
      below2({ intermediate: outside, leaf: { names: { dns: ['contoso.com'], xmpp: ['fabrikam.com'] } } }),
    'RFC 5280 binds dNSName only, and a confined CA could name any XMPP domain',
  ],
  [
    'a wildcard that reaches an excluded name',
    'name-constraint',
    () =>
      below2({
        intermediate: confined('excluded', 'it.fabrikam.com'),
        leaf: { names: { dns: ['*.fabrikam.com'] } },
      }),
    'OpenSSL compares the wildcard as it stands',
  ],
  [
    'a path of nine',
    'path-too-long',
    () => stack(createAuthority(), [{}, {}, {}, {}, {}, {}, {}]),
    'work for one peer is bounded',
  ],
  [
    'more names and constraints than anybody has',
    'name-constraint',
    () => crowded({ names: 1000, subtrees: 300 }),
    'work for one peer is bounded, and so it is in OpenSSL, by more',
  ],
]

describe('a certification path with', () => {
  test.each(agreed)('%s is found %s, and OpenSSL agrees', async (_, expected, build) => {
    const chain = build()
    expect(outcome(find(chain))).toBe(expected)
    expect(await opensslAccepts({ at: new Date(), ...chain })).toBe(expected === 'valid')
  })

  test.each(differing)('%s is found %s, unlike by OpenSSL', async (_, expected, build) => {
    const chain = build()
    expect(outcome(find(chain))).toBe(expected)
    expect(await opensslAccepts({ at: new Date(), ...chain })).toBe(expected !== 'valid')
  })

  test('a namesake of the issuer sent first is found all the same', () => {
    const chain = below2({ intermediate: { commonName: 'CA' } })
    const other = createAuthority().intermediate({ commonName: 'CA' }).certificate
    expect(outcome(find({ ...chain, others: [other, ...chain.others] }))).toBe('valid')
  })

  // A namesake that has signed nothing and is confined by so many names that to compare them uses up what there is for all.
  test('a namesake that would use up the work there is for one peer is found all the same', () => {
    const dns = ['fabrikam.com', ...listed(999, 'n').map(name => `${name}.fabrikam.com`)]
    const chain = below2({
      intermediate: { commonName: 'CA', ...confined('permitted', 'fabrikam.com') },
      leaf: { names: { dns } },
    })
    const crowd = { nameConstraints: { permitted: { dns: [...listed(300, 'ca'), 'fabrikam.com'] } } }
    const other = createAuthority({ name: 'Other' }).intermediate({ commonName: 'CA', ...crowd }).certificate
    expect(outcome(find({ ...chain, others: [other, ...chain.others] }))).toBe('valid')
  })

  test('several faults tells the one nearest to an anchor', () => {
    const chain = below2({ root: expired, intermediate: { commonName: 'CA' } })
    const other = createAuthority().intermediate({ commonName: 'CA' }).certificate
    expect(outcome(find({ ...chain, others: [other, ...chain.others] }))).toBe('expired')
    expect(outcome(find({ ...chain, others: [...chain.others, other] }))).toBe('expired')
  })

  test('an anchor given many times meets it once', () => {
    const root = parseCertificate(createAuthority().certificate)
    expect(trustAnchors([root, root, root]).bySubject.get(root.subjectName)).toEqual([root])
  })

  test('both purposes asked for needs both', () => {
    const purposes = [oids.serverAuth, oids.clientAuth]
    expect(outcome(find(below({}), purposes))).toBe('wrong-purpose')
    expect(outcome(find(below({}, { eku: ['serverAuth', 'clientAuth'] }), purposes))).toBe('valid')
    expect(outcome(find(below({}, { eku: 'absent' }), purposes))).toBe('valid')
  })

  test('a fault far up names the certificate at fault', () => {
    const found = find(below2({ root: { commonName: 'Old', ...expired } }))
    expect(found.valid ? undefined : found.certificate.subject).toBe('CN=Old')
  })

  test('thousands of names below CAs that have all signed each other costs little work', () => {
    const confinedInAddresses = {
      nameConstraints: { excluded: { ip: [Buffer.from('0a000000ff000000', 'hex')] } },
    }
    const { keyPair } = createAuthority()
    const same = { commonName: 'Maze', keyPair, ...confinedInAddresses }
    const cas = Array.from({ length: 15 }, () => createAuthority(same))
    const leaf = cas[0]!.issue({ names: { xmpp: ['fabrikam.com', ...listed(2800, 'ü')] } })
    const others = cas.map(({ certificate }) => certificate)
    const chain = { leaf: leaf.certificate, others, anchors: anotherRoot() }
    const started = process.cpuUsage().user
    for (let times = 0; times < 10; times++) expect(find(chain).valid).toBe(false)
    expect(process.cpuUsage().user - started).toBeLessThan(1_000_000) // µs; IDNA for each name and each CA takes 2 s
  })

  test('forty certificates that have all signed each other costs little work', () => {
    const first = createAuthority({ name: 'Maze' })
    const same = { commonName: 'Maze', keyPair: first.keyPair }
    const others = Array.from({ length: 40 }, () => first.intermediate(same).certificate)
    const started = process.cpuUsage().user
    const found = find({ leaf: first.issueFor('fabrikam.com').certificate, others, anchors: anotherRoot() })
    expect(found.valid).toBe(false)
    expect(process.cpuUsage().user - started).toBeLessThan(2_000_000) // µs; all 40⁷ paths take hours
  })
})

function find(
  { leaf, others, anchors, at = new Date() }: Chain,
  purposes: string[] = [oids.serverAuth],
): PathFinding {
  return validatePath(parseCertificate(leaf), {
    others: others.map(parseCertificate),
    anchors: trustAnchors(anchors.map(parseCertificate)),
    purposes,
    at,
  })
}

function outcome(finding: PathFinding): 'valid' | PathFault {
  return finding.valid ? 'valid' : finding.fault
}

/** A leaf of many names below a root of many constraints; the last permits. */
function crowded({ names, subtrees }: { readonly names: number; readonly subtrees: number }): Chain {
  const dns = [...listed(subtrees - 1, 'ca'), 'fabrikam.com']
  const leaf = {
    names: { dns: ['fabrikam.com', ...listed(names - 1, 'n').map(name => `${name}.fabrikam.com`)] },
  }
  return below({ nameConstraints: { permitted: { dns } } }, leaf)
}

function listed(count: number, of: string): string[] {
  return Array.from({ length: count }, (_, index) => `${of}${index}.example`)
}

function anotherRoot(): Buffer[] {
  return [createAuthority({ name: 'Another Root' }).certificate]
}

function untrustedRootSent(): Chain {
  const chain = below({ commonName: 'Unknown' })
  return { ...chain, others: chain.anchors, anchors: anotherRoot() }
}

function anchoredAt(chain: Chain, anchors: (chain: Chain) => readonly Buffer[]): Chain {
  return { ...chain, anchors: anchors(chain) }
}

function confined(list: 'permitted' | 'excluded', dns: string) {
  return { nameConstraints: { [list]: { dns: [dns] } } }
}
